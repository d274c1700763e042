/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that the C core asks of the machine. x86/ provides it; tests/unit/fake_arch provides it
 * on the host.
 *
 * arch_inline.h of each gives, as inline functions:
 *   arch_cpu_relax()             in a spin loop
 *   arch_this_cpu()              struct cpu * of the CPU this runs on
 *   arch_frame_pointer(mfn)      where the hypervisor sees a frame of RAM
 *   arch_pointer_frame(pointer)  the reverse
 *   arch_memory_barrier()        full barrier between stores and later loads
 *   arch_lock_taken(lock)        for who looks at the order of locks: the host does,
 *   arch_lock_given(lock)        a machine does nothing
 */
#ifndef HYPERVISOR_ARCH_H
#define HYPERVISOR_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boot_info;
struct cpu;
struct registers;
struct vcpu;
struct rf_vcpu_context;
struct rf_interrupt;

#include "arch_inline.h"
#include "arch_line.h"

/*
 * Other CPUs. arch_cpu_interrupt makes a CPU enter the hypervisor soon; the reason is in its
 * struct cpu.
 */
void arch_cpu_interrupt(const struct cpu *cpu);
/* A CPU looks at watchdog_nmi() even though its interrupts are off. */
void arch_cpu_nmi(const struct cpu *cpu);

/* Drops every translation of guest addresses this CPU caches. */
void arch_tlb_flush_local(void);
/* Those of one page, in the tables that are loaded. */
void arch_tlb_flush_page(uint64_t address);

/*
 * Time: nanoseconds since start, the same on all CPUs; an interrupt at a deadline (0: as soon
 * as possible, ~0: none).
 */
uint64_t arch_time_ns(void);
void arch_timer_program(uint64_t deadline_ns);
uint64_t arch_tsc(void);
uint64_t arch_tsc_khz(void);
/*
 * Multiplier and shift of abi/vcpu.h's rf_time_info for the TSC, and a pair (tsc, ns) that
 * belongs together.
 */
void arch_time_scale(uint32_t *multiplier, int32_t *shift, uint64_t *tsc, uint64_t *ns);
/* Nanoseconds since 1970 at time zero; zero when there is no clock. */
uint64_t arch_wall_clock(void);

/* Sleeps until an interrupt came; interrupts are off before and after. */
void arch_idle(void);
/* Takes what interrupts wait, without sleep. Where arch_idle() may be called, this may be, too. */
void arch_interrupt_window(void);

/*
 * vCPU state the core does not look into. arch_vcpu_switch saves previous (may be NULL) and
 * loads next (may be NULL).
 */
int arch_vcpu_create(struct vcpu *v);
void arch_vcpu_destroy(struct vcpu *v);
void arch_vcpu_reset(struct vcpu *v, const struct rf_vcpu_context *context);
void arch_vcpu_switch(struct vcpu *previous, struct vcpu *next);
bool arch_vcpu_in_user_mode(const struct vcpu *v);
/* Its stack pointer, when it is in user mode and not in guest code. */
uint64_t arch_vcpu_stack(const struct vcpu *v);

/*
 * A root as the CPU needs it: the level-4 tables of the two views. Loads it if v is the current
 * vCPU.
 */
void arch_vcpu_set_tables(struct vcpu *v, uint64_t user_table_mfn, uint64_t kernel_table_mfn);
/* Writes the hypervisor's own slots into a level-4 table. */
void arch_table_init(uint64_t *level4);

/*
 * Gives the current vCPU a virtual vector. False: it could not be given and the domain was
 * crashed.
 */
bool arch_deliver_vector(struct vcpu *v, uint8_t vector);

/*
 * True when the vCPU is in guest code on some CPU with its virtual interrupt flag set, or in
 * user mode.
 */
bool arch_interrupts_enabled(const struct vcpu *v);

/*
 * Where a device's interrupt comes in: struct arch_line of arch_line.h. Open: from now on
 * device_interrupt_arrive(number), on `near` or, if that has no room, another CPU; 0, or an error of
 * interrupt_bind. Close: it comes no more once quiesce_wait() has returned; then free. What is
 * done to one line at a time is the caller's business.
 */
int arch_line_open(struct arch_line *line, uint32_t number, const struct rf_interrupt *what,
		   const struct cpu *near);
void arch_line_mask(const struct arch_line *line);
void arch_line_unmask(const struct arch_line *line);
void arch_line_close(const struct arch_line *line);
void arch_line_free(const struct arch_line *line);
/* What the device is to send; zero for an interrupt that is no message. */
void arch_line_message(const struct arch_line *line, uint64_t *address, uint32_t *data);

/*
 * The frame table: `limit` entries, zeroed, at a fixed address. Only the entries of RAM may be
 * written: the pages that hold none of them are one read-only page of zeroes. Takes the memory
 * from early_alloc(), before early_alloc_ranges().
 */
void *arch_frame_table_create(const struct boot_info *boot, uint64_t limit, size_t entry_size);

/* Whether one of these frames, which are no RAM, is of a device that is the hypervisor's own. */
bool arch_device_is_own(uint64_t mfn, uint64_t count);

/* The registers of a vCPU that is not running, or is the current one, for a person to read. */
void arch_vcpu_dump(const struct vcpu *v);

/* Where the hypervisor's image is, in bytes of machine memory. */
void arch_image_range(uint64_t *start, uint64_t *size);
/* NULL, or what is wrong with what only the machine can see: guard pages, stacks, loaded tables. */
const char *arch_audit(void);

/* Ends the machine with a status of exit_status.h. */
_Noreturn void arch_machine_exit(int status);
_Noreturn void arch_machine_reboot(void);

#endif
