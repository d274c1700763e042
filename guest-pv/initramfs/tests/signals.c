// SPDX-License-Identifier: GPL-2.0
/*
 * Signals: what each fault of a program becomes, registers and stacks across handlers, system calls
 * that are interrupted, and frames that a handler has spoiled before it returns.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/ucontext.h>

#include "check.h"

#define TRAP_FLAG     0x100UL
#define NON_CANONICAL 0x0000900000000000UL
#define KERNEL	      0xffffffff81000000UL
#define HYPERVISOR    0xffff800000001000UL

static sigjmp_buf fault_return;
static volatile int fault_signal, fault_code;
static void *volatile fault_address;
static int zero_file;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signal;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(fault_return, 1);
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags };

	check(sigaction(signal, &action, NULL) == 0);
}

/* Each instruction gets this signal. */
#define gets(wanted, code, instructions)                                                           \
	do {                                                                                       \
		fault_signal = 0;                                                                  \
		if (!sigsetjmp(fault_return, 1))                                                   \
			asm volatile(instructions ::: "rax", "rcx", "rdx", "rbx", "memory");      \
		if (fault_signal != (wanted) || ((code) && fault_code != (code))) {                \
			printf("signals: line %d: %s: signal %d, code %d\n", __LINE__,             \
			       instructions, fault_signal, fault_code);                            \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static void catch_faults(void)
{
	handle(SIGSEGV, on_fault, 0);
	handle(SIGBUS, on_fault, 0);
	handle(SIGILL, on_fault, 0);
	handle(SIGFPE, on_fault, 0);
	handle(SIGTRAP, on_fault, 0);
}

/* No far return or IRET, for which QEMU's TCG reads the stack with the rights of the kernel. */
static void test_faults(void)
{
	catch_faults();
	gets(SIGFPE, FPE_INTDIV, "xor %%edx, %%edx; mov $1, %%eax; xor %%ecx, %%ecx; div %%ecx");
	gets(SIGILL, ILL_ILLOPN, "ud2");
	gets(SIGTRAP, SI_KERNEL, "int3");
	gets(SIGSEGV, 0, "int $4");
	gets(SIGSEGV, SEGV_MAPERR, "mov 0x10, %%rax");
	check(fault_address == (void *)0x10);
	gets(SIGSEGV, SEGV_ACCERR, "movb $1, test_faults");
	gets(SIGSEGV, SI_KERNEL, "mov $0x0000900000000000, %%rax; mov (%%rax), %%rax");
	gets(SIGSEGV, 0, "mov $0x0000900000000000, %%rax; jmp *%%rax");
	gets(SIGSEGV, SEGV_MAPERR, "mov $0xffffffff81000000, %%rax; mov (%%rax), %%rax");
	gets(SIGSEGV, SEGV_MAPERR, "mov $0xffff800000001000, %%rax; mov (%%rax), %%rax");
	gets(SIGSEGV, SEGV_MAPERR, "mov $0xffff800000001000, %%rax; movb $1, (%%rax)");
	gets(SIGSEGV, SEGV_MAPERR, "mov $0xffffffff81000000, %%rax; jmp *%%rax");
	gets(SIGSEGV, SI_KERNEL, "hlt");
	gets(SIGSEGV, SI_KERNEL, "cli");
	gets(SIGSEGV, SI_KERNEL, "in $0x80, %%al");
	gets(SIGSEGV, SI_KERNEL, "mov $0x3fd, %%edx; out %%al, %%dx");
	gets(SIGSEGV, SI_KERNEL, "mov %%cr3, %%rax");
	gets(SIGSEGV, SI_KERNEL, "mov %%db7, %%rax");
	gets(SIGSEGV, SI_KERNEL, "mov $0xc0000082, %%ecx; rdmsr");
	gets(SIGSEGV, SI_KERNEL, "invlpg (%%rax)");
	gets(SIGSEGV, SI_KERNEL, "swapgs");
	gets(SIGSEGV, SI_KERNEL, "int $0x20");
	gets(SIGSEGV, SI_KERNEL, "int $0xec");
	gets(SIGSEGV, SI_KERNEL, "int $0xf3");
	gets(SIGSEGV, SI_KERNEL, "int $2");
	gets(SIGSEGV, SI_KERNEL, "int $8");
	gets(SIGSEGV, SI_KERNEL, "int $14");
	gets(SIGSEGV, SI_KERNEL, "mov $0x10, %%eax; mov %%eax, %%ss");
	gets(SIGSEGV, SI_KERNEL, "mov $0x40, %%eax; mov %%eax, %%ds");
}

/* Without a stack there is no place for a frame, and no way to handle anything. */
static void lose_stack(void)
{
	catch_faults();
	asm volatile("mov $0x0000900000000000, %%rsp; pop %%rax" ::: "memory");
}

static void lose_stack_to_hypervisor(void)
{
	catch_faults();
	asm volatile("mov $0xffff800000001000, %%rsp; push %%rax" ::: "memory");
}

/* Of x87: QEMU's TCG has no such faults of SSE. */
static void test_float_faults(void)
{
	unsigned short x87 = 0x37f & ~4;

	catch_faults();
	asm volatile("fldcw %0" : : "m"(x87));
	gets(SIGFPE, FPE_FLTDIV, "fld1; fldz; fdivrp; fwait");
}

/* A frame beyond the end of a file. */
static void test_bus_error(void)
{
	char *at = mmap(NULL, 8192, PROT_READ, MAP_SHARED, zero_file, 0);

	check(at != MAP_FAILED);
	catch_faults();
	if (!sigsetjmp(fault_return, 1))
		(void)*(volatile char *)(at + 4096);
	check(fault_signal == SIGBUS && fault_address == at + 4096);
}

static volatile unsigned long handled;

static void spoil_registers(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handled++;
	asm volatile("xor %%eax, %%eax; mov %%rax, %%rcx; mov %%rax, %%rdx; mov %%rax, %%rsi;"
		     "mov %%rax, %%rdi; mov %%rax, %%r8; mov %%rax, %%r9; mov %%rax, %%r10;"
		     "mov %%rax, %%r11; pxor %%xmm0, %%xmm0; pxor %%xmm7, %%xmm7; fninit; std; cld"
		     ::: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "xmm0",
			 "xmm7");
}

/* All registers and flags are what they were, wherever the timer's signal comes. */
static void test_registers(void)
{
	struct itimerval often = { { 0, 2000 }, { 0, 2000 } }, never = {};
	unsigned long bad = 0;

	handle(SIGALRM, spoil_registers, 0);
	handled = 0;
	check(setitimer(ITIMER_REAL, &often, NULL) == 0);
	while (handled < 20 && !bad)
		asm volatile("mov $0x1111, %%eax; mov $0x2222, %%ecx; mov $0x3333, %%edx;"
			     "mov $0x4444, %%esi; mov $0x5555, %%edi; mov $0x8888, %%r8d;"
			     "mov $0x9999, %%r9d; mov $0xaaaa, %%r10d; mov $0xbbbb, %%r11d;"
			     "movq %%r8, %%xmm0; movq %%r9, %%xmm7; fldpi; std; stc\n"
			     "mov $20000, %%rbx\n"
			     "1: dec %%rbx\n"
			     "jnz 1b\n"
			     "setnc %b0; pushfq; pop %%rbx; cld; and $0x400, %%ebx; xor $0x400, %%ebx;"
			     "sub $0x1111, %%rax; or %%rax, %%rbx; sub $0x2222, %%rcx; or %%rcx, %%rbx;"
			     "sub $0x3333, %%rdx; or %%rdx, %%rbx; sub $0x4444, %%rsi; or %%rsi, %%rbx;"
			     "sub $0x5555, %%rdi; or %%rdi, %%rbx; movq %%xmm0, %%rax; sub %%r8, %%rax;"
			     "or %%rax, %%rbx; movq %%xmm7, %%rax; sub %%r9, %%rax; or %%rax, %%rbx;"
			     "sub $0x8888, %%r8; or %%r8, %%rbx; sub $0x9999, %%r9; or %%r9, %%rbx;"
			     "sub $0xaaaa, %%r10; or %%r10, %%rbx; sub $0xbbbb, %%r11; or %%r11, %%rbx;"
			     "fldpi; fcompp; fnstsw %%ax; and $0x4000, %%eax; xor $0x4000, %%eax;"
			     "or %%rax, %%rbx; movzbl %b0, %%eax; or %%rbx, %0"
			     : "+&r"(bad)
			     :
			     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
			       "xmm0", "xmm7", "memory", "cc");
	check(!bad && setitimer(ITIMER_REAL, &never, NULL) == 0);
}

static char *other_stack;

static void on_other_stack(int signal, siginfo_t *info, void *context)
{
	char here;

	(void)info, (void)context;
	check(&here > other_stack && &here < other_stack + 65536);
	handled++;
	if (signal == SIGUSR1)
		raise(SIGUSR2);
	if (signal == SIGSEGV)
		siglongjmp(fault_return, 1);
}

static long use_up_stack(long depth)
{
	volatile char page[4096];

	page[0] = (char)depth;
	return depth < 100000 ? use_up_stack(depth + 1) + page[0] : 0;
}

static void test_other_stack(void)
{
	stack_t stack = { .ss_size = 65536 }, now;

	other_stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack.ss_sp = other_stack;
	check(other_stack != MAP_FAILED && sigaltstack(&stack, NULL) == 0);
	handle(SIGUSR1, on_other_stack, SA_ONSTACK);
	handle(SIGUSR2, on_other_stack, SA_ONSTACK);
	handle(SIGSEGV, on_other_stack, SA_ONSTACK);
	handled = 0;
	raise(SIGUSR1);
	check(handled == 2);
	check(sigaltstack(NULL, &now) == 0 && now.ss_flags == 0);
	/* A stack that has overflowed has no room for a frame. */
	if (!sigsetjmp(fault_return, 1))
		check(use_up_stack(0) == 0);
	check(handled == 3);
}

static void count_signal(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info, (void)context;
	handled++;
}

static void test_restart(void)
{
	struct itimerval soon = { { 0, 0 }, { 0, 20000 } };
	int ends[2];
	char byte;

	check(pipe(ends) == 0);
	handled = 0;
	handle(SIGALRM, count_signal, 0);
	check(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	check(read(ends[0], &byte, 1) == -1 && errno == EINTR && handled == 1);
	handle(SIGALRM, count_signal, SA_RESTART);
	if (fork() == 0) {
		usleep(100000);
		check(write(ends[1], "x", 1) == 1);
		_exit(0);
	}
	check(setitimer(ITIMER_REAL, &soon, NULL) == 0);
	check(read(ends[0], &byte, 1) == 1 && byte == 'x' && handled == 2);
	check(wait(NULL) > 0);
}

/* What a handler does to the frame that it returns to. */
static int what_to_spoil;

static void spoil_frame(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal, (void)info;
	switch (what_to_spoil) {
	case 0: registers[REG_RIP] = (greg_t)NON_CANONICAL; break;
	case 1: registers[REG_RIP] = (greg_t)KERNEL; break;
	case 2: registers[REG_RIP] = (greg_t)HYPERVISOR; break;
	case 3: registers[REG_RIP] = 0x7fffffffffff; break;
	case 4: registers[REG_RIP] = 0x800000000000; break;
	case 5: registers[REG_RIP] = -1; break;
	case 6: registers[REG_CSGSFS] = 0; break;
	case 7: registers[REG_CSGSFS] = 0x10 | 0x2bL << 48; break;
	case 8: registers[REG_CSGSFS] = 0x33 | 0x10L << 48; break;
	case 9: registers[REG_CSGSFS] = 0x33 | 0x7bL << 48; break;
	case 10: registers[REG_CSGSFS] = 0x23 | 0x2bL << 48; break;
	case 11: registers[REG_CSGSFS] = 0xfff8 | 0xfff8L << 48; break;
	case 12: ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)HYPERVISOR; break;
	case 13: ((ucontext_t *)context)->uc_mcontext.fpregs = (void *)NON_CANONICAL; break;
	case 14: registers[REG_RSP] = (greg_t)HYPERVISOR; registers[REG_RIP] = 0; break;
	case 15: registers[REG_RSP] = (greg_t)NON_CANONICAL; registers[REG_RIP] = 0; break;
	}
}

static void return_from_spoiled(void)
{
	signal(SIGSEGV, SIG_DFL);
	handle(SIGUSR1, spoil_frame, 0);
	raise(SIGUSR1);
}

static void test_spoiled_frames(void)
{
	for (what_to_spoil = 0; what_to_spoil <= 15; what_to_spoil++)
		if (!ends_by(return_from_spoiled, SIGSEGV)) {
			printf("signals: spoiled frame %d: not SIGSEGV\n", what_to_spoil);
			exit(1);
		}
}

/* Flags that user mode may not have are left out; steps are taken. */
static volatile unsigned traps;

static void on_trap(int signal, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal, (void)info;
	if (++traps == 5)
		registers[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

static void set_flags(int signal, siginfo_t *info, void *context)
{
	(void)signal, (void)info;
	((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] = ~0L;
}

static void test_flags(void)
{
	unsigned long flags;

	handle(SIGTRAP, on_trap, 0);
	handle(SIGUSR1, set_flags, 0);
	raise(SIGUSR1);
	asm volatile("nop; nop; nop; nop; nop; pushfq; pop %0; cld" : "=r"(flags) : : "cc");
	check(traps == 5 && (flags & 0x200) && !(flags & 0x7f003000UL & ~0x40000UL));
	/* Alignment checks are the program's own business, and not the kernel's. */
	asm volatile("pushfq; orl $0x40000, (%%rsp); popfq" ::: "memory", "cc");
	check(getppid() > 0);
	asm volatile("pushfq; pop %0; pushfq; andl $~0x40000, (%%rsp); popfq"
		     : "=&r"(flags) : : "memory", "cc");
	check(flags & 0x40000);
}

int main(void)
{
	zero_file = memfd_create("signals", 0);
	check(zero_file >= 0 && ftruncate(zero_file, 100) == 0);
	test_faults();
	check(ends_by(lose_stack, SIGSEGV) || ends_by(lose_stack, SIGBUS));
	check(ends_by(lose_stack_to_hypervisor, SIGSEGV));
	check(runs_well(test_float_faults));
	test_bus_error();
	check(runs_well(test_registers));
	check(runs_well(test_other_stack));
	test_restart();
	test_spoiled_frames();
	check(runs_well(test_flags));
	return 0;
}
