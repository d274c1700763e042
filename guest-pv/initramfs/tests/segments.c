// SPDX-License-Identifier: GPL-2.0
/*
 * Segments and their bases: FS and GS across switches, the segments of threads, what LSL and RDTSCP
 * say of the processor; reading the clock forbidden; ports; and no local descriptor tables.
 */
#define _GNU_SOURCE
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>

#include "check.h"

#define CPU_SELECTOR	  0x7bUL
#define HAS_FSGSBASE	  2 /* in AT_HWCAP2 */
#define HYPERVISOR	  0xffff800000001000UL
#define SET_THREAD_AREA32 243L

static unsigned long gs_base(void)
{
	unsigned long base;

	check(syscall(SYS_arch_prctl, ARCH_GET_GS, &base) == 0);
	return base;
}

/* Two processes on one processor, each with its own. */
static void test_bases(void)
{
	static unsigned long words[2] = { 0x1234, 0x5678 };
	unsigned long value;
	cpu_set_t set;
	pid_t child;

	CPU_ZERO(&set);
	CPU_SET(0, &set);
	check(sched_setaffinity(0, sizeof(set), &set) == 0);
	child = fork();
	for (unsigned i = 0; i < 300; i++) {
		unsigned long *base = &words[child ? 0 : 1] - i;

		check(syscall(SYS_arch_prctl, ARCH_SET_GS, base) == 0);
		sched_yield();
		asm volatile("mov %%gs:(%1), %0" : "=r"(value) : "r"((unsigned long)i * 8));
		check(value == (child ? 0x1234 : 0x5678) && gs_base() == (unsigned long)base);
	}
	check(syscall(SYS_arch_prctl, ARCH_SET_GS, HYPERVISOR) == -1);
	check(syscall(SYS_arch_prctl, ARCH_SET_FS, ~0UL) == -1);
	if (getauxval(AT_HWCAP2) & HAS_FSGSBASE)
		for (unsigned long base = 1; base < 1UL << 46; base = base << 1 | 1) {
			asm volatile("wrgsbase %0" : : "r"(base));
			sched_yield();
			asm volatile("rdgsbase %0" : "=r"(value));
			check(value == base && gs_base() == base);
		}
	if (child == 0)
		_exit(0);
	check(waitpid(child, &(int){ 0 }, 0) == child);
}

/* Only the 32-bit entry sets one; any program may use it. */
static void test_thread_area(void)
{
	struct user_desc *area = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned long value, selector;
	uint32_t *data = (uint32_t *)((char *)area + 2048);
	long result = SET_THREAD_AREA32;

	check(area != MAP_FAILED);
	*area = (struct user_desc){ .entry_number = -1U,
				    .base_addr = (unsigned)(uintptr_t)data,
				    .limit = 0xfff,
				    .seg_32bit = 1,
				    .useable = 1 };
	*data = 0xabcdef;
	asm volatile("int $0x80" : "+a"(result) : "b"(area) : "memory", "r8", "r9", "r10", "r11");
	check(result == 0 && area->entry_number >= 12 && area->entry_number <= 14);
	selector = area->entry_number << 3 | 3;
	asm volatile("mov %k0, %%gs" : : "r"(selector));
	for (unsigned i = 0; i < 50; i++) {
		if (fork() == 0)
			_exit(0);
		check(wait(NULL) > 0);
		asm volatile("movl %%gs:0, %k0" : "=r"(value));
		check((uint32_t)value == 0xabcdef && gs_base() == (uintptr_t)data);
	}
	asm volatile("mov %k0, %%gs" : : "r"(0));
}

static void test_no_local_tables(void)
{
	struct user_desc entry = { .limit = 1, .useable = 1 };
	long result = syscall(SYS_modify_ldt, 1, &entry, sizeof(entry));

	check(result == 0 || (result == -1 && errno == ENOSYS));
}

static void test_processor_number(void)
{
	unsigned long limit;
	unsigned a, b, c, d, low, high, number;
	bool has_rdtscp = __get_cpuid(0x80000001, &a, &b, &c, &d) && d & 1U << 27;
	cpu_set_t set;

	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		CPU_ZERO(&set);
		CPU_SET(cpu, &set);
		if (sched_setaffinity(0, sizeof(set), &set))
			continue;
		asm volatile("lsl %1, %0" : "=r"(limit) : "r"(CPU_SELECTOR));
		check((limit & 0xfff) == (unsigned long)cpu);
		if (!has_rdtscp)
			continue;
		asm volatile("rdtscp" : "=a"(low), "=d"(high), "=c"(number));
		check((number & 0xfff) == (unsigned)cpu);
	}
}

static uint64_t read_clock(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static void read_forbidden_clock(void)
{
	check(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	sched_yield();
	read_clock();
}

static void read_forbidden_clock_and_number(void)
{
	check(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	asm volatile("rdtscp" ::: "rax", "rdx", "rcx");
}

/* The kernel goes on reading it on behalf of this one; other processes do, too. */
static void live_without_clock(void)
{
	struct timespec time;
	int mode;

	check(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0);
	for (unsigned i = 0; i < 20; i++) {
		check(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &time) == 0);
		usleep(1000);
	}
	check(prctl(PR_GET_TSC, &mode, 0, 0, 0) == 0 && mode == PR_TSC_SIGSEGV);
	check(prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0) == 0);
	check(read_clock() > 0);
}

static void test_clock(void)
{
	pid_t child = fork();

	if (child == 0)
		for (;;)
			read_clock();
	check(ends_by(read_forbidden_clock, SIGSEGV));
	check(ends_by(read_forbidden_clock_and_number, SIGSEGV));
	check(runs_well(live_without_clock));
	check(waitpid(child, NULL, WNOHANG) == 0);
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void use_forbidden_port(void)
{
	outb(0, 0x80);
}

static void use_port_after_giving_it_back(void)
{
	check(ioperm(0x80, 1, 1) == 0 && ioperm(0x80, 1, 0) == 0);
	outb(0, 0x80);
}

static void use_next_port(void)
{
	check(ioperm(0x80, 1, 1) == 0);
	outw(0, 0x80);
}

static void use_ports(void)
{
	check(ioperm(0x80, 2, 1) == 0);
	for (unsigned i = 0; i < 10; i++) {
		outb(0x55, 0x80);
		inb(0x80);
		outw(0x5555, 0x80);
		sched_yield();
	}
	check(iopl(3) == 0);
	outl(0, 0x80);
	inb(0x71);
	check(iopl(0) == 0);
}

static void use_port_at_level_0(void)
{
	check(iopl(3) == 0);
	outb(0, 0x80);
	check(iopl(0) == 0);
	outb(0, 0x80);
}

static void test_ports(void)
{
	check(ends_by(use_forbidden_port, SIGSEGV));
	if (ioperm(0x80, 1, 1))
		return;
	check(ioperm(0x80, 1, 0) == 0);
	check(runs_well(use_ports));
	check(ends_by(use_port_after_giving_it_back, SIGSEGV));
	check(ends_by(use_next_port, SIGSEGV));
	check(ends_by(use_port_at_level_0, SIGSEGV));
}

int main(void)
{
	check(runs_well(test_bases));
	/* A kernel without programs of 32 bits has no such entry. */
	check(runs_well(test_thread_area) || ends_by(test_thread_area, SIGSEGV));
	test_no_local_tables();
	check(runs_well(test_processor_number));
	test_clock();
	test_ports();
	return 0;
}
