// SPDX-License-Identifier: BSD-2-Clause
/*
 * The state of a vCPU beside its registers: where it starts, what is switched with it, its modes.
 *
 * Interface: vcpu_state.h, the arch_vcpu_*() functions of arch.h, and the hypercalls set_entries
 * (arch_vcpu_set_entries(), for trap.c) and set_kernel_gs. No locks: a vCPU's state is touched by
 * the CPU it runs on, or by who made it while it is down.
 *
 * Odd: the hypervisor runs with the data and FS selectors of the guest; only GS is swapped. What a
 * guest left in them may not load any more, since it may have changed its descriptors meanwhile:
 * then they become null, as they do on hardware when a descriptor goes away.
 */
#include "vcpu_state.h"

#include "abi/errno.h"
#include "arch.h"
#include "arch_hypercall.h"
#include "assert.h"
#include "control_registers.h"
#include "cpu.h"
#include "cpuid.h"
#include "debug.h"
#include "descriptor.h"
#include "domain.h"
#include "fixup.h"
#include "flags.h"
#include "fpu.h"
#include "log.h"
#include "msr.h"
#include "paging.h"
#include "pte.h"
#include "segment_base.h"
#include "string.h"
#include "tsc_access.h"
#include "vcpu.h"

#define SYSCALL_LENGTH 2

void vcpu_state_init(void)
{
	fpu_init();
	cpuid_init();
}

void vcpu_state_init_cpu(void)
{
	cpuid_init_cpu();
}

/* --- Life --------------------------------------------------------------------------------------- */

int arch_vcpu_create(struct vcpu *v)
{
	const struct rf_vcpu_context nothing = {};

	v->arch.fpu = fpu_create();
	if (!v->arch.fpu)
		return -ENOMEM;
	v->arch.user_io_map = TSS_IO_MAP_NONE;
	v->arch.kernel_io_map = v->domain->control ? TSS_IO_MAP_PRESENT : TSS_IO_MAP_NONE;
	arch_vcpu_reset(v, &nothing);
	return 0;
}

void arch_vcpu_destroy(struct vcpu *v)
{
	fpu_destroy(v->arch.fpu);
	v->arch.fpu = NULL;
}

/* What belongs to the domain stays: the three entries. */
void arch_vcpu_reset(struct vcpu *v, const struct rf_vcpu_context *context)
{
	struct arch_vcpu *a = &v->arch;

	a->registers = (struct registers){
		.rdi = context->rdi,
		.rip = context->rip,
		.cs = RF_USER_CS,
		.rflags = FLAGS_FORCED,
		.rsp = context->rsp,
		.ss = RF_USER_SS,
	};
	v->page->interrupt_flag = 0;
	a->user_mode = 0;
	a->kernel_gs = context->kernel_gs;
	a->gs_base = context->kernel_gs;
	a->fs_base = 0;
	a->fs = a->gs = a->ds = a->es = 0;
	memset(a->tls, 0, sizeof(a->tls));
	debug_reset(a->debug);
	a->xcr0 = XCR0_X87;
	a->tsc_aux = v->id;
	a->no_user_tsc = 0;
	fpu_reset(a->fpu);
}

void arch_vcpu_dump(const struct vcpu *v)
{
	const struct arch_vcpu *a = &v->arch;
	const struct registers *r = &a->registers;

	log_info("  %s mode rip %016lx rsp %016lx rflags %06lx cs %02lx",
		 a->user_mode ? "user" : "kernel", r->rip, r->rsp, r->rflags, r->cs);
	log_info("  rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_info("  rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_info("  r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_info("  r13 %016lx r14 %016lx r15 %016lx gs  %016lx", r->r13, r->r14, r->r15,
		 a->kernel_gs);
}

/* --- Modes -------------------------------------------------------------------------------------- */

uint64_t arch_vcpu_stack(const struct vcpu *v)
{
	return v->arch.registers.rsp;
}

bool arch_vcpu_in_user_mode(const struct vcpu *v)
{
	return v->arch.user_mode;
}

bool arch_interrupts_enabled(const struct vcpu *v)
{
	return v->arch.user_mode ||
	       (__atomic_load_n(&v->page->interrupt_flag, __ATOMIC_RELAXED) & RF_INTERRUPT_FLAG);
}

uint64_t vcpu_cr3(const struct vcpu *v)
{
	/* Its tables are gone when the last root could not be loaded: the domain has ended. */
	if (!v->root)
		return paging_master_cr3();
	return v->arch.user_mode ? v->arch.user_cr3 : v->arch.kernel_cr3;
}

void arch_vcpu_set_tables(struct vcpu *v, uint64_t user_table_mfn, uint64_t kernel_table_mfn)
{
	v->arch.user_cr3 = user_table_mfn << FRAME_SHIFT;
	v->arch.kernel_cr3 = kernel_table_mfn << FRAME_SHIFT;
	if (v->arch.loaded)
		cr3_write(vcpu_cr3(v));
}

/* --- Switching ---------------------------------------------------------------------------------- */

#define SELECTOR_READ(segment)                                                                     \
	({                                                                                         \
		uint16_t selector_;                                                                \
		asm volatile("mov %%" #segment ", %0" : "=r"(selector_));                          \
		selector_;                                                                         \
	})

#define SELECTOR_WRITE(segment, selector, before, after)                                           \
	do {                                                                                       \
		uint32_t selector_ = (selector);                                                   \
		asm volatile(before "1: mov %0, %%" #segment "\n\t"                                \
				    "jmp 3f\n"                                                     \
				    "2: xor %0, %0\n\t"                                            \
				    "jmp 1b\n"                                                     \
				    "3: " after "\n" FIXUP("1b", "2b")                             \
			     : "+r"(selector_)                                                     \
			     :                                                                     \
			     : "memory");                                                          \
	} while (0)

static void save_segments(struct arch_vcpu *a)
{
	a->ds = SELECTOR_READ(ds);
	a->es = SELECTOR_READ(es);
	a->fs = SELECTOR_READ(fs);
	a->gs = SELECTOR_READ(gs);
	a->fs_base = fs_base_read();
	a->gs_base = gs_base_read_guest();
}

/* Selectors first: a load changes the base. They are nearly always null, on both sides. */
static void load_segments(const struct arch_vcpu *a)
{
	if (a->ds | SELECTOR_READ(ds))
		SELECTOR_WRITE(ds, a->ds, "", "");
	if (a->es | SELECTOR_READ(es))
		SELECTOR_WRITE(es, a->es, "", "");
	if (a->fs | SELECTOR_READ(fs))
		SELECTOR_WRITE(fs, a->fs, "", "");
	if (a->gs | SELECTOR_READ(gs))
		SELECTOR_WRITE(gs, a->gs, "swapgs\n\t", "swapgs");
	fs_base_write(a->fs_base);
	gs_base_write_guest(a->gs_base);
}

static void save(struct vcpu *v)
{
	BUG_ON(!v->arch.loaded);
	save_segments(&v->arch);
	fpu_save(v->arch.fpu);
	v->arch.loaded = 0;
}

static void load(struct vcpu *v, const struct vcpu *previous)
{
	struct arch_vcpu *a = &v->arch;
	struct tss *tss = this_cpu()->arch.tss;

	BUG_ON(a->loaded);
	a->loaded = 1;
	tss->rsp[0] = (uint64_t)(&a->registers + 1);
	tss->io_map_base = a->user_mode ? a->user_io_map : a->kernel_io_map;
	descriptor_load(a->tls);
	load_segments(a);
	msr_write_safe(MSR_TSC_AUX, a->tsc_aux);
	tsc_access_load(v);
	debug_load(a->debug, previous ? previous->arch.debug : NULL);
	if (!fpu_load(a->fpu, a->xcr0))
		log_error("%s: vCPU %u: its FPU state was damaged, and is reset", v->domain->name,
			  v->id);
}

/* Between the two, shadows may be taken away from the one that left: no CR3 of it may stay. */
void arch_vcpu_switch(struct vcpu *previous, struct vcpu *next)
{
	if (previous)
		save(previous);
	if (next)
		load(next, previous);
	else
		debug_unload();
	cr3_write(next ? vcpu_cr3(next) : paging_master_cr3());
}

/* --- Hypercalls --------------------------------------------------------------------------------- */

/* The address after a `syscall` at `site`; 0, which no syscall leaves, for none. */
static uint64_t return_address(uint64_t site)
{
	return site ? site + SYSCALL_LENGTH : 0;
}

void arch_vcpu_set_entries(struct vcpu *v, uint64_t syscall_entry, uint64_t sysret_site,
			   uint64_t iret_site)
{
	__atomic_store_n(&v->arch.syscall_entry, syscall_entry, __ATOMIC_RELAXED);
	__atomic_store_n(&v->arch.return_sysret, return_address(sysret_site), __ATOMIC_RELAXED);
	__atomic_store_n(&v->arch.return_iret, return_address(iret_site), __ATOMIC_RELAXED);
}

int64_t do_set_kernel_gs(uint64_t base)
{
	if (!address_is_canonical(base))
		return -EINVAL;
	vcpu_current()->arch.kernel_gs = base;
	return 0;
}
