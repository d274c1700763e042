// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that every hypercall that takes an address or a count refuses bad ones, by the error and
 * with nothing done: addresses of nobody, of the hypervisor, of user mode, that wrap, that lack
 * permission; counts from none to all.
 */
/* covers: console_write, mmu_batch, vcpu_init, set_traps, cpuid, read_msr, domain_info, counters */
/* covers: memory_populate, memory_release, set_tls */
#include "test.h"

const char test_title[] = "arguments";

#define READ  0x1 /* the hypervisor reads there */
#define WRITE 0x2

/* A call with its pointer and count; `size` bytes an element. */
struct subject {
	const char *name;
	int64_t (*call)(uint64_t pointer, uint64_t count);
	uint32_t size;
	uint32_t access;
	uint64_t count_max; /* 0: no count */
};

static int64_t call_mmu_batch(uint64_t p, uint64_t n)
{
	return hv_mmu_batch(p, n);
}

static int64_t call_console(uint64_t p, uint64_t n)
{
	return hv_console_write(p, n);
}

static int64_t call_traps(uint64_t p, uint64_t n)
{
	return hv_set_traps(p, n);
}

static int64_t call_init(uint64_t p, uint64_t n)
{
	(void)n;
	return hv_vcpu_init(1, p);
}

static int64_t call_cpuid(uint64_t p, uint64_t n)
{
	(void)n;
	return hv_cpuid(1, 0, p);
}

static int64_t call_msr(uint64_t p, uint64_t n)
{
	(void)n;
	return hv_read_msr(0xc0000080, p);
}

static int64_t call_info(uint64_t p, uint64_t n)
{
	(void)n;
	return hv_domain_info(RF_DOMAIN_SELF, p);
}

static int64_t call_counters(uint64_t p, uint64_t n)
{
	(void)n;
	return hv_counters(RF_DOMAIN_SELF, 0, p);
}

static int64_t call_populate(uint64_t p, uint64_t n)
{
	return hv_memory_populate(RF_DOMAIN_SELF, p, n);
}

static int64_t call_release(uint64_t p, uint64_t n)
{
	return hv_memory_release(RF_DOMAIN_SELF, p, n);
}

static const struct subject subjects[] = {
	{ "mmu_batch", call_mmu_batch, sizeof(struct rf_mmu_op), READ, RF_MMU_BATCH_MAX },
	{ "console_write", call_console, 1, READ, 4096 },
	{ "set_traps", call_traps, sizeof(struct rf_trap), READ, 256 },
	{ "vcpu_init", call_init, sizeof(struct rf_vcpu_context), READ, 0 },
	{ "cpuid", call_cpuid, sizeof(struct rf_cpuid), WRITE, 0 },
	{ "read_msr", call_msr, 8, WRITE, 0 },
	{ "domain_info", call_info, sizeof(struct rf_domain_info), WRITE, 0 },
	{ "counters", call_counters, sizeof(struct rf_counters), WRITE, 0 },
	{ "memory_populate", call_populate, sizeof(struct rf_memory_extent), READ,
	  RF_MEMORY_BATCH_MAX },
	{ "memory_release", call_release, sizeof(struct rf_memory_extent), READ,
	  RF_MEMORY_BATCH_MAX },
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void bad_pointer(const struct subject *s, uint64_t pointer, const char *what)
{
	CHECK_EQ(s->call(pointer, 1), -EFAULT, "%s at %#lx: %s", s->name, pointer, what);
}

static void pointers(const struct subject *s)
{
	uint64_t size = s->size;

	bad_pointer(s, 0, "NULL");
	bad_pointer(s, 8, "almost NULL");
	bad_pointer(s, TEST_KERNEL_BASE, "unmapped");
	bad_pointer(s, HYPERVISOR_START, "hypervisor");
	bad_pointer(s, HYPERVISOR_START + 0x100000, "hypervisor");
	bad_pointer(s, HYPERVISOR_END - size, "hypervisor");
	bad_pointer(s, HYPERVISOR_END - 1, "hypervisor, or half of it");
	bad_pointer(s, 0xffff840000000000UL, "the hypervisor's view of memory");
	bad_pointer(s, USER_END, "not canonical");
	bad_pointer(s, USER_END - 1, "not canonical, or half of it");
	bad_pointer(s, 0x8000000000000000UL, "not canonical");
	bad_pointer(s, 0xffff7fffffffffffUL, "not canonical");
	bad_pointer(s, ~0UL, "last byte");
	bad_pointer(s, 0 - size, "wraps at its end");
	if (s->access & WRITE)
		bad_pointer(s, ADDRESS(subjects), "read only");
}

/* The first byte is there and the last is not. */
static void page_end(const struct subject *s)
{
	uint64_t end = TEST_KERNEL_BASE + 0x200000 + PAGE_SIZE;

	if (s->size > 1)
		bad_pointer(s, end - s->size + 1, "ends on a missing page");
}

static void counts(const struct subject *s)
{
	static char room[4096];
	uint32_t i;

	if (!s->count_max)
		return;
	CHECK_EQ(s->call(ADDRESS(room), 0), 0, "%s: none", s->name);
	CHECK_EQ(s->call(ADDRESS(room), s->count_max + 1), -E2BIG, "%s: one too many", s->name);
	for (i = 13; i < 64; i++) {
		CHECK_EQ(s->call(ADDRESS(room), 1UL << i), -E2BIG, "%s: 2^%u", s->name, i);
		CHECK_EQ(s->call(ADDRESS(room), (1UL << i) - 1), -E2BIG, "%s: 2^%u - 1", s->name,
			 i);
		/* So that count times size wraps to something small. */
		CHECK_EQ(s->call(ADDRESS(room), (1UL << i) + 1), -E2BIG, "%s: 2^%u + 1", s->name,
			 i);
	}
	CHECK_EQ(s->call(ADDRESS(room), ~0UL), -E2BIG, "%s: all", s->name);
	CHECK_EQ(s->call(TEST_KERNEL_BASE, 0), 0, "%s: none of nothing", s->name);
}

void test_main(void)
{
	uint32_t i;

	memset(root_map_new(root_boot(), TEST_KERNEL_BASE + 0x200000, PTE_KERNEL_RW), 0xff, 4096);
	for (i = 0; i < SUBJECTS; i++) {
		pointers(&subjects[i]);
		page_end(&subjects[i]);
		counts(&subjects[i]);
	}
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
