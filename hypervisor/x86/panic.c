// SPDX-License-Identifier: BSD-2-Clause
/*
 * The end: prints what is known about a bug of ours, and stops.
 *
 * Interface: panic.h.
 * Locks: none, and the log's is ignored from here on. The first processor to come here prints,
 * others halt; a second panic on the same processor (the printing went wrong) stops at once.
 * Odd: the backtrace trusts nothing. It follows frame pointers upwards only, within the
 * hypervisor's addresses, for a limited number of frames, and reads a frame only after it has
 * found it mapped by walking the page tables by hand.
 */
#include "panic.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "command_line.h"
#include "exit_status.h"
#include "layout.h"
#include "log.h"
#include "machine.h"
#include "printf.h"
#include "registers.h"
#include "serial.h"
#include "symbols.h"

#define FRAMES_MAX    32
#define NOBODY	      UINT32_MAX

#define ENTRY_PRESENT 0x001ULL
#define ENTRY_LARGE   0x080ULL
#define ENTRY_ADDRESS 0x000ffffffffff000ULL

struct stack_frame {
	uint64_t caller_frame;
	uint64_t return_address;
};

static uint32_t panicking = NOBODY; /* APIC id of the processor that prints */

static uint32_t processor_id(void)
{
	uint32_t a = 1, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return b >> 24;
}

/* Does the processor reach this address? All tables lie in the direct map. */
static bool is_mapped(uint64_t address)
{
	uint64_t entry;

	asm volatile("mov %%cr3, %0" : "=r"(entry));
	for (int shift = 39; shift >= 12; shift -= 9) {
		const uint64_t *table = (const void *)(LAYOUT_DIRECT_MAP + (entry & ENTRY_ADDRESS));

		entry = table[address >> shift & 511];
		if (!(entry & ENTRY_PRESENT))
			return false;
		if (shift < 39 && (entry & ENTRY_LARGE))
			return true;
	}
	return true;
}

static void print_address(uint64_t address)
{
	uint64_t offset;
	const char *name = symbols_find(address, &offset);

	if (name)
		log_error("  %016lx %s+%#lx", address, name, offset);
	else
		log_error("  %016lx", address);
}

static void print_registers(const struct registers *r)
{
	uint64_t cr2, cr3;

	asm volatile("mov %%cr2, %0" : "=r"(cr2));
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	log_error("vector %lu error %#lx processor %u", r->vector, r->error, processor_id());
	log_error("rip %04lx:%016lx rsp %04lx:%016lx rflags %08lx", r->cs, r->rip, r->ss, r->rsp,
		  r->rflags);
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_error("r13 %016lx r14 %016lx r15 %016lx", r->r13, r->r14, r->r15);
	log_error("cr2 %016lx cr3 %016lx", cr2, cr3);
}

static bool frame_readable(uint64_t frame)
{
	return frame % 8 == 0 && frame >= LAYOUT_IMAGE && frame < LAYOUT_DIRECT_MAP_END &&
	       is_mapped(frame) && is_mapped(frame + sizeof(struct stack_frame) - 1);
}

static void print_backtrace(uint64_t frame)
{
	for (int i = 0; i < FRAMES_MAX && frame_readable(frame); i++) {
		const struct stack_frame *f = (const void *)frame;

		if (f->return_address == 0)
			return;
		/* The call may be a function's last instruction: name the byte before. */
		print_address(f->return_address - 1);
		if (f->caller_frame <= frame)
			return;
		frame = f->caller_frame;
	}
}

static _Noreturn void halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

/* Returns on the first processor that panics only. */
static void panic_begin(void)
{
	uint32_t me = processor_id();
	uint32_t first = NOBODY;

	asm volatile("cli");
	if (!__atomic_compare_exchange_n(&panicking, &first, me, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		static const char text[] = "\r\npanic: another one while printing the first\r\n";

		if (first != me)
			halt();
		serial_write(text, sizeof(text) - 1);
		arch_machine_exit(EXIT_PANIC);
	}
	log_ignore_lock();
	machine_stop_others();
}

static void print_message(const char *format, va_list arguments)
{
	char text[LOG_LINE_MAX];

	format_string(text, sizeof(text), format, arguments);
	log_error("panic: %s", text);
}

static _Noreturn void panic_end(void)
{
	if (command_line.on_panic == ON_PANIC_REBOOT)
		arch_machine_reboot();
	arch_machine_exit(EXIT_PANIC);
}

void panic(const char *format, ...)
{
	va_list arguments;

	panic_begin();
	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	log_error("backtrace:");
	print_backtrace((uint64_t)__builtin_frame_address(0));
	panic_end();
}

void panic_with_registers(const struct registers *registers, const char *format, ...)
{
	va_list arguments;

	panic_begin();
	va_start(arguments, format);
	print_message(format, arguments);
	va_end(arguments);
	print_registers(registers);
	log_error("backtrace:");
	print_address(registers->rip);
	print_backtrace(registers->rbp);
	panic_end();
}

/* Called by the compiler's own checks. The frames above are not to be trusted, but may help. */
_Noreturn void __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	panic("a function wrote beyond its part of the stack");
}
