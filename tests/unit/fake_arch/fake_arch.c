// SPDX-License-Identifier: BSD-2-Clause
/*
 * The architecture that unit tests and fuzzers run the C core on.
 *
 * Interface: arch.h for the core, fake_arch.h for tests. Locks: none; what threads share is
 * what the core shares.
 */
#include "fake_arch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "boot_info.h"
#include "early_alloc.h"
#include "fake_lock.h"
#include "log.h"
#include "pte.h"
#include "panic.h"
#include "serial.h"
#include "vcpu.h"

struct cpu cpus[CONFIG_MAX_CPUS];
uint32_t cpu_count;
struct boot_info boot_info;

char *fake_ram;
uint64_t fake_ram_frames;
uint64_t fake_reserved_first;
uint64_t fake_reserved_frames;
uint64_t fake_device_first;
uint64_t fake_device_frames;
_Thread_local struct cpu *fake_this_cpu;
uint64_t fake_clock_ns;
uint64_t fake_wall_clock = 1700000000ULL * 1000000000ULL;

jmp_buf fake_end;
int fake_expect_end;
char fake_end_text[256];
void (*fake_idle_hook)(void);
void (*fake_interrupt_hook)(uint32_t id);

char fake_serial_output[65536];
size_t fake_serial_length;
const char *fake_serial_input = "";

void fake_arch_init(uint64_t ram_frames, uint32_t cpu_number)
{
	if (fake_ram)
		munmap(fake_ram, fake_ram_frames << 12);
	fake_ram = mmap(NULL, ram_frames << 12, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (fake_ram == MAP_FAILED)
		abort();
	fake_ram_frames = ram_frames;
	fake_reserved_first = 0;
	fake_reserved_frames = 0;
	fake_device_frames = 0;
	memset(cpus, 0, sizeof(cpus));
	fake_lock_forget();
	cpu_count = cpu_number;
	for (uint32_t i = 0; i < cpu_number; i++) {
		cpus[i].self = &cpus[i];
		cpus[i].id = i;
		cpus[i].online = true;
		cpus[i].arch.timer = ~0ULL;
	}
	fake_set_cpu(0);
	fake_clock_ns = 1000000000;
	fake_idle_hook = NULL;
	fake_interrupt_hook = NULL;
	fake_expect_end = 0;
	fake_serial_clear();
}

void fake_set_cpu(uint32_t id)
{
	fake_this_cpu = &cpus[id];
}

void fake_bad_frame(uint64_t mfn)
{
	fprintf(stderr, "fake_arch: frame %#lx is beyond the end of RAM\n", mfn);
	abort();
}

/* Threads that play CPUs may be more than the host has. */
void fake_relax(void)
{
	syscall(SYS_sched_yield);
}

/* --- Ends -------------------------------------------------------------------------------- */

static _Noreturn void end(const char *what, const char *format, va_list arguments)
{
	int used = snprintf(fake_end_text, sizeof(fake_end_text), "%s", what);

	vsnprintf(fake_end_text + used, sizeof(fake_end_text) - (size_t)used, format, arguments);
	if (fake_expect_end) {
		fake_expect_end = 0;
		fake_lock_forget_held();
		longjmp(fake_end, 1);
	}
	fprintf(stderr, "fake_arch: %s\n", fake_end_text);
	abort();
}

void fake_end_missed(void)
{
	fprintf(stderr, "fake_arch: this should have ended\n");
	abort();
}

void panic(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	end("panic: ", format, arguments);
}

static _Noreturn void end_machine(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	end("", format, arguments);
}

void arch_machine_exit(int status)
{
	end_machine("exit %d", status);
}

void arch_machine_reboot(void)
{
	end_machine("reboot");
}

/* --- Memory ------------------------------------------------------------------------------ */

bool arch_device_is_own(uint64_t mfn, uint64_t count)
{
	return mfn < fake_device_first || mfn + count > fake_device_first + fake_device_frames;
}

void arch_image_range(uint64_t *start, uint64_t *size)
{
	*start = fake_reserved_first << 12;
	*size = fake_reserved_frames << 12;
}

/* Not in RAM: nothing to keep from the allocator. Freed when the next test starts over. */
void *early_alloc_pointer(uint64_t bytes)
{
	static void *last;

	free(last);
	last = calloc(1, bytes);
	if (!last)
		abort();
	return last;
}

const struct early_range *early_alloc_ranges(uint32_t *count)
{
	*count = 0;
	return NULL;
}

void *arch_frame_table_create(const struct boot_info *boot, uint64_t limit, size_t entry_size)
{
	static void *last;

	(void)boot;
	free(last);
	last = calloc(limit, entry_size);
	if (!last)
		abort();
	return last;
}

const char *arch_audit(void)
{
	return NULL;
}

void arch_vcpu_dump(const struct vcpu *v)
{
	log_error("vCPU %u: fake registers", v->id);
}

/* --- CPUs and time ----------------------------------------------------------------------- */

void arch_cpu_interrupt(const struct cpu *cpu)
{
	struct cpu *target = &cpus[cpu->id];

	__atomic_fetch_add(&target->arch.interrupts, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&target->arch.interrupted, true, __ATOMIC_SEQ_CST);
	if (fake_interrupt_hook)
		fake_interrupt_hook(cpu->id);
}

void arch_tlb_flush_local(void)
{
	fake_this_cpu->arch.flushes++;
}

void arch_tlb_flush_page(uint64_t address)
{
	(void)address;
	fake_this_cpu->arch.flushes++;
}

uint64_t arch_time_ns(void)
{
	return __atomic_load_n(&fake_clock_ns, __ATOMIC_RELAXED);
}

void arch_timer_program(uint64_t deadline_ns)
{
	fake_this_cpu->arch.timer = deadline_ns;
}

uint64_t arch_tsc(void)
{
	return arch_time_ns() * 2;
}

uint64_t arch_tsc_khz(void)
{
	return 2000000;
}

void arch_time_scale(uint32_t *multiplier, int32_t *shift, uint64_t *tsc, uint64_t *ns)
{
	*multiplier = 1U << 31;
	*shift = 0;
	*ns = arch_time_ns();
	*tsc = *ns * 2;
}

uint64_t arch_wall_clock(void)
{
	return fake_wall_clock;
}

void arch_idle(void)
{
	if (!fake_idle_hook) {
		fprintf(stderr, "fake_arch: idle\n");
		abort();
	}
	fake_idle_hook();
}

void arch_interrupt_window(void)
{
}

/* --- vCPUs ------------------------------------------------------------------------------- */

int arch_vcpu_create(struct vcpu *v)
{
	memset(&v->arch, 0, sizeof(v->arch));
	v->arch.created = true;
	return 0;
}

void arch_vcpu_destroy(struct vcpu *v)
{
	v->arch.created = false;
}

void arch_vcpu_reset(struct vcpu *v, const struct rf_vcpu_context *context)
{
	v->arch.context = *context;
	v->arch.user_mode = false;
	v->arch.resets++;
}

void arch_vcpu_switch(struct vcpu *previous, struct vcpu *next)
{
	if (previous && !__atomic_exchange_n(&previous->arch.loaded, false, __ATOMIC_SEQ_CST))
		panic("fake_arch: vCPU switched out that was not in");
	if (next && __atomic_exchange_n(&next->arch.loaded, true, __ATOMIC_SEQ_CST))
		panic("fake_arch: vCPU on two CPUs");
}

uint64_t arch_vcpu_stack(const struct vcpu *v)
{
	return v->arch.stack ? v->arch.stack : HYPERVISOR_BASE;
}

bool arch_vcpu_in_user_mode(const struct vcpu *v)
{
	return v->arch.user_mode;
}

void arch_vcpu_set_tables(struct vcpu *v, uint64_t user_table_mfn, uint64_t kernel_table_mfn)
{
	v->arch.user_table = user_table_mfn;
	v->arch.kernel_table = kernel_table_mfn;
}

void arch_table_init(uint64_t *level4)
{
	for (unsigned slot = 256; slot < 272; slot++)
		level4[slot] = 0xf000000000000000 | slot;
}

void (*fake_deliver_hook)(struct vcpu *v);

/* As the real one: the virtual interrupt flag is clear when the handler starts. */
bool arch_deliver_vector(struct vcpu *v, uint8_t vector)
{
	v->arch.vector_log[v->arch.delivered++ % 8] = vector;
	v->arch.user_mode = false;
	v->page->interrupt_flag = 0;
	if (fake_deliver_hook)
		fake_deliver_hook(v);
	return true;
}

bool arch_interrupts_enabled(const struct vcpu *v)
{
	return v->arch.user_mode ||
	       (__atomic_load_n(&v->page->interrupt_flag, __ATOMIC_RELAXED) & RF_INTERRUPT_FLAG);
}

/* --- The serial line --------------------------------------------------------------------- */

void serial_init(void)
{
}

void serial_write(const char *text, size_t length)
{
	size_t room = sizeof(fake_serial_output) - 1 - fake_serial_length;

	if (length > room)
		length = room;
	memcpy(fake_serial_output + fake_serial_length, text, length);
	fake_serial_length += length;
	fake_serial_output[fake_serial_length] = '\0';
}

void serial_flush(void)
{
}

int serial_read(void)
{
	int key = *fake_serial_input ? (unsigned char)*fake_serial_input++ : -1;

	return key == FAKE_SERIAL_BREAK ? SERIAL_BREAK : key;
}

void fake_serial_clear(void)
{
	fake_serial_length = 0;
	fake_serial_output[0] = '\0';
	fake_serial_input = "";
}
