// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that no model-specific register number, read or written, does more than the allow-list
 * says, and that rdmsr and wrmsr themselves are refused.
 */
/* covers: read_msr, write_msr, set_kernel_gs */
#include "test.h"

const char test_title[] = "model-specific registers";

#define MSR_EFER      0xc0000080U
#define MSR_STAR      0xc0000081U
#define MSR_LSTAR     0xc0000082U
#define MSR_SFMASK    0xc0000084U
#define MSR_FS_BASE   0xc0000100U
#define MSR_GS_BASE   0xc0000101U
#define MSR_KERNEL_GS 0xc0000102U

static uint32_t readable;
static uint32_t writable;

/* Whatever a write did to the GS base, the library needs its own back, at once. */
static int64_t write_value(uint64_t msr, uint64_t value)
{
	struct vcpu *v = this_vcpu();
	int64_t result = hv_write_msr(msr, value);

	asm volatile("wrgsbase %0" : : "r"(v) : "memory");
	hv_set_kernel_gs(ADDRESS(v));
	return result;
}

static void both(uint64_t msr)
{
	uint64_t value = 0x5a5a5a5a5a5a5a5a;
	int64_t result = hv_read_msr(msr, ADDRESS(&value));

	if (result)
		CHECK_EQ(value, 0x5a5a5a5a5a5a5a5a, "%#lx: refused and still answered", msr);
	CHECK(result <= 0 && result > -4096, "%#lx: %ld", msr, result);
	readable += !result;
	result = write_value(msr, ~0UL);
	CHECK(result <= 0 && result > -4096, "%#lx: %ld", msr, result);
	result = write_value(msr, 0);
	CHECK(result <= 0 && result > -4096, "%#lx: %ld", msr, result);
	writable += !result;
}

static void sweep(uint64_t first, uint64_t end)
{
	uint64_t msr;

	for (msr = first; msr < end; msr++)
		both(msr);
}

/* What makes up the entry paths is never a guest's to set. */
static void entry_registers(void)
{
	static const uint32_t list[] = { 0x174,	    0x175,	0x176,	    0x1b,
					 0x277,	    0x1d9,	0xda0,	    MSR_STAR,
					 MSR_LSTAR, 0xc0000083, MSR_SFMASK, 0xc0000103 };
	uint32_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		CHECK(hv_write_msr(list[i], 0x1234) < 0, "%#x was written", list[i]);
	CHECK(write_value(MSR_EFER, 0) < 0, "EFER was cleared");
}

/* What kernels read without asking first reads as a constant, and takes nothing else. */
static void constants(void)
{
	static const struct {
		uint32_t msr;
		uint64_t value;
	} list[] = {
		{ 0x1b, 0 },	   { 0xce, 0 }, { 0x1a0, 1 }, { 0xc0010015, 0x1000000 },
		{ 0xc0010055, 0 },
	};
	uint64_t value;
	uint32_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		value = 0x5a5a;
		CHECK_EQ(hv_read_msr(list[i].msr, ADDRESS(&value)), 0, "%#x", list[i].msr);
		CHECK_EQ(value, list[i].value, "%#x", list[i].msr);
		CHECK_EQ(hv_write_msr(list[i].msr, value), 0, "%#x", list[i].msr);
		CHECK_EQ(hv_write_msr(list[i].msr, value ^ 2), -EPERM, "%#x", list[i].msr);
	}
}

USER_ASM(user_clock, "rdtsc; ud2");
USER_ASM(user_clock_and_number, "rdtscp; ud2");

static uint64_t user_reads(const char *code)
{
	struct user user;

	user_init(&user, user_address(code), 0);
	return user_run(&user);
}

/* Forbidden to user mode, the kernel goes on reading the TSC, and gets the registers right. */
static void time_stamp(void)
{
	uint64_t value = 0, before, between;
	uint32_t low, high, number = 77;

	CHECK_EQ(user_reads(user_clock), VECTOR_UD, "it may at first");
	CHECK_EQ(hv_write_msr(RF_MSR_NO_USER_TSC, 2), -EINVAL, "neither yes nor no");
	CHECK_EQ(hv_write_msr(RF_MSR_NO_USER_TSC, 1), 0, "forbid");
	CHECK_EQ(hv_read_msr(RF_MSR_NO_USER_TSC, ADDRESS(&value)), 0, "forbidden?");
	CHECK_EQ(value, 1, "forbidden?");
	CHECK_EQ(user_reads(user_clock), VECTOR_GP, "rdtsc of user mode");
	CHECK_EQ(user_reads(user_clock_and_number), VECTOR_GP, "rdtscp of user mode");
	before = __builtin_ia32_rdtsc();
	asm volatile("mov $-1, %%rax; mov %%rax, %%rdx; mov %%rax, %%rcx; rdtscp; nop"
		     : "=a"(low), "=d"(high), "=c"(number));
	between = (uint64_t)high << 32 | low;
	CHECK(before < between && between < __builtin_ia32_rdtsc(), "time in the kernel");
	CHECK_EQ(number, 0, "the number of the vCPU");
	CHECK_EQ(hv_write_msr(RF_MSR_NO_USER_TSC, 0), 0, "allow");
	CHECK_EQ(user_reads(user_clock), VECTOR_UD, "allowed again");
}

static void raw(uint64_t msr)
{
	struct trap trap;

	TRY(&trap)
	asm volatile("rdmsr" : : "c"(msr) : "eax", "edx");
	CHECK_EQ(trap.vector, VECTOR_GP, "rdmsr %#lx", msr);
	CHECK_EQ(trap.error, 0, "rdmsr %#lx", msr);
	TRY(&trap)
	asm volatile("wrmsr" : : "c"(msr), "a"(0), "d"(0));
	CHECK_EQ(trap.vector, VECTOR_GP, "wrmsr %#lx", msr);
	CHECK_EQ(trap.error, 0, "wrmsr %#lx", msr);
}

static void pointers(void)
{
	CHECK_EQ(hv_read_msr(MSR_EFER, 0), -EFAULT, "NULL");
	CHECK_EQ(hv_read_msr(MSR_EFER, HYPERVISOR_START), -EFAULT, "hypervisor");
	CHECK_EQ(hv_read_msr(MSR_EFER, 0x0000800000000000UL), -EFAULT, "not canonical");
	CHECK(hv_read_msr(0x100000000UL | MSR_EFER, ADDRESS(&readable)) < 0, "more than 32 bits");
}

void test_main(void)
{
	uint32_t i;

	sweep(0, 0x2000);
	sweep(0x40000000, 0x40000200);
	sweep(0xc0000000, 0xc0002000);
	sweep(0xc0010000, 0xc0012000);
	for (i = 0; i < 2000; i++)
		both(random_u64());
	printf("%u may be read, %u written\n", readable, writable);
	CHECK(readable > 0 && readable < 100, "%u may be read", readable);
	CHECK(writable < 50, "%u may be written", writable);
	entry_registers();
	constants();
	pointers();
	for (i = 0; i < 0x200; i++) {
		raw(i);
		raw(0xc0000000 + i);
	}
	raw(~0UL);
	user_prepare(root_boot());
	time_stamp();
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
