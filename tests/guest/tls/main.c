// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a guest's own descriptors are data segments of ring 3 or nothing, work, and are of
 * one vCPU only.
 */
/* covers: set_tls */
#include "test.h"

const char test_title[] = "thread-local descriptors";

#define SLOTS	       4
#define SELECTOR(slot) ((12 + (slot)) * 8 + 3)

/* A flat, writable data segment of ring 3, with a base. */
#define DATA	       0x00cff2000000ffffUL
#define BASE(address)  (((address)&0xffffff) << 16 | ((address) >> 24 & 0xff) << 56)
#define CODE_BIT       (1UL << 43)
#define NOT_SYSTEM     (1UL << 44)
#define PRIVILEGE(n)   ((uint64_t)(n) << 45)
#define PRESENT	       (1UL << 47)
#define LONG_BIT       (1UL << 53)
#define BIG_BIT	       (1UL << 54)

static uint32_t limit_of(uint32_t slot)
{
	uint64_t limit = 0;

	asm volatile("lsl %1, %0" : "+r"(limit) : "r"((uint64_t)SELECTOR(slot)));
	return (uint32_t)limit;
}

static bool loads(uint32_t slot)
{
	struct trap trap;

	TRY(&trap)
	asm volatile("mov %0, %%fs; mov %1, %%fs" : : "r"(SELECTOR(slot)), "r"(0));
	return trap.vector == VECTOR_NONE;
}

static void good(void)
{
	uint64_t base;
	uint32_t slot;

	for (slot = 0; slot < SLOTS; slot++) {
		CHECK_EQ(hv_set_tls(slot, DATA | BASE(0x12345000UL * slot)), 0, "slot %u", slot);
		asm volatile("mov %0, %%fs" : : "r"(SELECTOR(slot)));
		base = read_fs_base();
		CHECK_EQ(base, 0x12345000UL * slot & 0xffffffff, "slot %u", slot);
		asm volatile("mov %0, %%fs" : : "r"(0));
		CHECK_EQ(hv_set_tls(slot, 0), 0, "slot %u", slot);
		CHECK(!loads(slot), "slot %u is empty", slot);
	}
}

static void bad(void)
{
	uint32_t slot, type;

	CHECK_EQ(hv_set_tls(0, DATA & ~PRESENT), -EINVAL, "not present");
	CHECK_EQ(hv_set_tls(0, DATA | CODE_BIT), -EINVAL, "code");
	CHECK_EQ(hv_set_tls(0, DATA | CODE_BIT | LONG_BIT), -EINVAL, "64-bit code");
	CHECK_EQ(hv_set_tls(0, DATA | LONG_BIT), -EINVAL, "long-mode bit");
	CHECK_EQ(hv_set_tls(0, DATA & ~BIG_BIT), -EINVAL, "16-bit");
	for (type = 0; type < 3; type++)
		CHECK_EQ(hv_set_tls(0, (DATA & ~PRIVILEGE(3)) | PRIVILEGE(type)), -EINVAL,
			 "ring %u", type);
	/* Gates, task states and local tables, of every type. */
	for (type = 0; type < 16; type++)
		CHECK_EQ(hv_set_tls(0, (DATA & ~NOT_SYSTEM & ~(15UL << 40)) | (uint64_t)type << 40),
			 -EINVAL, "system type %u", type);
	for (slot = SLOTS; slot < 64; slot++)
		CHECK_EQ(hv_set_tls(slot, DATA), -EINVAL, "slot %u", slot);
	CHECK_EQ(hv_set_tls(~0UL, DATA), -EINVAL, "slot -1");
	CHECK_EQ(hv_set_tls(1UL << 32, DATA), -EINVAL, "slot 2^32");
	CHECK(!loads(0), "nothing came of it");
}

/* Whatever is accepted at random is visible to ring 3 as data, and nothing else. */
static void random_descriptors(void)
{
	uint32_t accepted = 0;
	uint32_t i;

	for (i = 0; i < 20000; i++) {
		uint64_t descriptor = random_u64();
		uint64_t access = 0;
		bool visible;

		if (i & 1)
			descriptor |= NOT_SYSTEM | PRIVILEGE(3) | PRESENT | BIG_BIT;
		if (hv_set_tls(1, descriptor))
			continue;
		accepted++;
		asm volatile("lar %2, %0"
			     : "+r"(access), "=@ccz"(visible)
			     : "r"((uint64_t)SELECTOR(1)));
		CHECK(visible, "%#lx", descriptor);
		CHECK_EQ(access & 0xf800, 0xf000, "%#lx", descriptor);
	}
	CHECK(accepted > 100, "%u were accepted", accepted);
	hv_set_tls(1, 0);
}

static void other(void *argument)
{
	uint32_t i;

	(void)argument;
	CHECK_EQ(limit_of(2), 0, "descriptor of another vCPU");
	CHECK_EQ(hv_set_tls(2, 0x0040f20000000055UL), 0, "own");
	for (i = 0; i < 200; i++) {
		hv_yield();
		CHECK_EQ(limit_of(2), 0x55, "round %u", i);
	}
}

static void isolation(void)
{
	uint32_t i;

	CHECK_EQ(hv_set_tls(2, 0x0040f20000000077UL), 0, "own");
	vcpu_start(1, other, NULL);
	for (i = 0; i < 200; i++) {
		hv_yield();
		CHECK_EQ(limit_of(2), 0x77, "round %u", i);
	}
	vcpu_wait(1);
	CHECK_EQ(limit_of(2), 0x77, "at the end");
}

void test_main(void)
{
	good();
	bad();
	random_descriptors();
	isolation();
}
