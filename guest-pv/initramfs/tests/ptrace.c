// SPDX-License-Identifier: GPL-2.0
/*
 * A process that is traced: registers read and written, single steps, breakpoints in its code, system
 * calls that are changed on the way, extended state, and register values that no process may have.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "check.h"

#define TRAP_FLAG      0x100UL
#define NON_CANONICAL  0x0000900000000000UL
#define KERNEL	       0xffffffff81000000UL
#define HYPERVISOR     0xffff800000001000UL
#define SINGLE_BLOCK   33

/* Five instructions, a breakpoint that is written over the fourth, and a result in RAX. */
extern const char steps_begin[], steps_middle[], steps_end[];
asm(
	".text\n"
	".globl steps\n"
	"steps:\n"
	"steps_begin: xor %eax, %eax\n"
	"add $1, %eax\n"
	"lea 2(%rax), %rax\n"
	"steps_middle: shl $4, %eax\n"
	"or $5, %eax\n"
	"steps_end: ret\n");
long steps(void);

static struct user_regs_struct registers_of(pid_t child)
{
	struct user_regs_struct registers;

	check(ptrace(PTRACE_GETREGS, child, 0, &registers) == 0);
	return registers;
}

static int stop_of(pid_t child)
{
	int status;

	check(waitpid(child, &status, 0) == child);
	return WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

/* A child that stops, then runs the function and ends with what it returns. */
static pid_t start(long (*function)(void))
{
	pid_t child = fork();

	check(child >= 0);
	if (child == 0) {
		check(ptrace(PTRACE_TRACEME, 0, 0, 0) == 0);
		raise(SIGSTOP);
		_exit((int)function());
	}
	check(stop_of(child) == SIGSTOP);
	check(ptrace(PTRACE_SETOPTIONS, child, 0,
		     PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0);
	return child;
}

static void end(pid_t child, int wanted)
{
	int status;

	check(ptrace(PTRACE_CONT, child, 0, 0) == 0);
	check(waitpid(child, &status, 0) == child);
	check(WIFEXITED(status) && WEXITSTATUS(status) == wanted);
}

static void finish(pid_t child)
{
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void set_breakpoint(pid_t child, const char *at, long *saved)
{
	*saved = ptrace(PTRACE_PEEKTEXT, child, at, 0);
	check(ptrace(PTRACE_POKETEXT, child, at, (*saved & ~0xffL) | 0xcc) == 0);
}

/* Back on the instruction that the breakpoint was written over. */
static void take_breakpoint(pid_t child, const char *at, long saved)
{
	struct user_regs_struct registers = registers_of(child);

	check(registers.rip == (uintptr_t)at + 1);
	registers.rip = (uintptr_t)at;
	check(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
	check(ptrace(PTRACE_POKETEXT, child, at, saved) == 0);
}

static void test_breakpoint_and_steps(void)
{
	pid_t child = start(steps);
	struct user_regs_struct registers;
	unsigned count = 0;
	long saved;

	set_breakpoint(child, steps_begin, &saved);
	check(ptrace(PTRACE_CONT, child, 0, 0) == 0 && stop_of(child) == SIGTRAP);
	take_breakpoint(child, steps_begin, saved);
	do {
		check(ptrace(PTRACE_SINGLESTEP, child, 0, 0) == 0 && stop_of(child) == SIGTRAP);
		registers = registers_of(child);
		check(!(registers.eflags & TRAP_FLAG));
		count++;
	} while (registers.rip != (uintptr_t)steps_end && count < 100);
	check(count == 5 && registers.rax == 0x35);
	registers.rax = 77;
	check(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
	end(child, 77);
}

static void test_breakpoint_in_the_middle(void)
{
	pid_t child = start(steps);
	long saved;

	set_breakpoint(child, steps_middle, &saved);
	check(ptrace(PTRACE_CONT, child, 0, 0) == 0 && stop_of(child) == SIGTRAP);
	check(registers_of(child).rax == 3);
	take_breakpoint(child, steps_middle, saved);
	end(child, 0x35);
}

static long call_kernel(void)
{
	volatile long sum = 0;

	for (int i = 0; i < 3; i++)
		sum += syscall(SYS_getppid) == 4242;
	return sum;
}

/* Steps lead over a system call, and through the flags that an instruction pushes. */
static void test_steps_over_calls(void)
{
	pid_t child = start(call_kernel);
	unsigned calls = 0, count = 0;
	struct user_regs_struct registers;
	int status;

	do {
		registers = registers_of(child);
		calls += (ptrace(PTRACE_PEEKTEXT, child, registers.rip, 0) & 0xffff) == 0x050f;
		check(ptrace(PTRACE_SINGLESTEP, child, 0, 0) == 0);
		check(waitpid(child, &status, 0) == child);
		count++;
	} while (WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && count < 20000);
	check(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	/* The three, and the one that ends the process. */
	check(calls == 4);
}

static void test_changed_calls(void)
{
	pid_t child = start(call_kernel);
	unsigned calls = 0;
	struct user_regs_struct registers;

	while (calls < 3) {
		check(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
		check(stop_of(child) == (SIGTRAP | 0x80));
		registers = registers_of(child);
		check(registers.rax == (unsigned long)-ENOSYS);
		if (registers.orig_rax == SYS_getppid)
			calls++;
		check(ptrace(PTRACE_SYSCALL, child, 0, 0) == 0);
		check(stop_of(child) == (SIGTRAP | 0x80));
		if (registers.orig_rax != SYS_getppid)
			continue;
		registers = registers_of(child);
		check(registers.rax == (unsigned long)getpid());
		registers.rax = 4242;
		check(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
	}
	end(child, 3);
}

static long look_at_state(void)
{
	uint32_t control = 0x1f80;
	uint64_t low;

	raise(SIGSTOP);
	asm volatile("stmxcsr %0; movq %%xmm5, %1" : "=m"(control), "=r"(low));
	return control == 0x3f80 && low == 0x1122334455667788 ? 9 : 1;
}

/* Of the kernel's own making; what is put in arrives in the registers. */
static void test_state(void)
{
	pid_t child = start(look_at_state);
	struct user_fpregs_struct state;
	unsigned char area[8192];
	struct iovec vector = { area, sizeof(area) };
	unsigned long base = 0;
	struct user_regs_struct registers;

	check(ptrace(PTRACE_GETREGSET, child, NT_X86_XSTATE, &vector) == 0);
	check(vector.iov_len >= 576);
	check(ptrace(PTRACE_GETFPREGS, child, 0, &state) == 0 && (state.mxcsr & 0x1f80) == 0x1f80);
	registers = registers_of(child);
	registers.gs_base = 0x123456789000;
	check(ptrace(PTRACE_SETREGS, child, 0, &registers) == 0);
	check(ptrace(PTRACE_CONT, child, 0, 0) == 0 && stop_of(child) == SIGSTOP);
	registers = registers_of(child);
	check(registers.gs_base == 0x123456789000);
	check(ptrace(PTRACE_ARCH_PRCTL, child, &base, 0x1004) == 0 && base == 0x123456789000);
	check(ptrace(PTRACE_GETFPREGS, child, 0, &state) == 0);
	state.mxcsr = 0x3f80;
	state.xmm_space[20] = 0x55667788;
	state.xmm_space[21] = 0x11223344;
	check(ptrace(PTRACE_SETFPREGS, child, 0, &state) == 0);
	end(child, 9);
}

static long wait_for_it(void)
{
	while (getppid())
		;
	return 0;
}

/* Wherever the tracer sends it, only this process ends. */
static void test_bad_registers(void)
{
	static const unsigned long bad[] = { NON_CANONICAL, KERNEL, HYPERVISOR, ~0UL,
					     0x7fffffffffffUL, 0x800000000000UL };
	struct user_regs_struct registers;

	for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		pid_t child = start(wait_for_it);

		registers = registers_of(child);
		registers.rip = bad[i];
		registers.rsp = bad[i];
		registers.eflags = ~0UL & ~TRAP_FLAG;
		registers.fs_base = 0x1000;
		if (ptrace(PTRACE_SETREGS, child, 0, &registers) == 0) {
			check(ptrace(PTRACE_CONT, child, 0, 0) == 0);
			check(stop_of(child) == SIGSEGV);
		}
		registers.fs_base = bad[i];
		ptrace(PTRACE_SETREGS, child, 0, &registers);
		registers.fs_base = 0;
		registers.cs = 0x10;
		check(ptrace(PTRACE_SETREGS, child, 0, &registers) == -1);
		registers.cs = 0x33;
		registers.ss = 0;
		check(ptrace(PTRACE_SETREGS, child, 0, &registers) == -1);
		finish(child);
	}
}

/* By branches, where the processor can; never a complaint of the kernel. */
static void test_blocks(void)
{
	pid_t child = start(wait_for_it);

	for (int i = 0; i < 5; i++)
		if (ptrace((enum __ptrace_request)SINGLE_BLOCK, child, 0, 0) == 0)
			check(stop_of(child) == SIGTRAP);
	finish(child);
}

int main(void)
{
	test_breakpoint_and_steps();
	test_breakpoint_in_the_middle();
	test_steps_over_calls();
	test_changed_calls();
	test_state();
	test_bad_registers();
	test_blocks();
	return 0;
}
