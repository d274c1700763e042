// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that A and D are set in the guest's tables exactly when hardware would set them, in pages
 * of 4 KiB and 2 MiB, and that neither neighbours that a fill brings nor prefills change them.
 */
/* covers: mmu_batch */
#include "test.h"

const char test_title[] = "accessed and dirty bits";

#define USER_BASE  0x10000000UL
#define NEIGHBOURS 64
#define RW_CLEAN   (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_NX)
#define RO_CLEAN   (PTE_PRESENT | PTE_USER | PTE_NX)

USER_ASM(user_read, "mov (%rdi), %al; syscall");
USER_ASM(user_write, "movb $1, (%rdi); syscall");

static uint64_t root;
static bool by_user;

static uint64_t touch(uint64_t address, bool write)
{
	struct trap trap;
	struct user user;

	if (!by_user) {
		TRY(&trap)
		{
			if (write)
				store8(address, 1);
			else
				load8(address);
		}
		return trap.vector;
	}
	user_init(&user, user_address(write ? user_write : user_read), address);
	return user_run(&user) == VECTOR_SYSCALL ? VECTOR_NONE : user.frame.vector;
}

static void flush(uint64_t start, uint64_t pages)
{
	int64_t result = start < USER_END ? mmu_flush(root, start, start + pages * PAGE_SIZE)
					  : mmu_flush_kernel(start, start + pages * PAGE_SIZE);

	CHECK_EQ(result, 0, "flush");
}

static void expect_bits(uint64_t address, int level, uint64_t bits, const char *when)
{
	uint64_t entry = atomic_load(root_entry(root, address, level));

	CHECK_EQ(entry & PTE_AD, bits, "%s: level %d of %#lx%s", when, level, address,
		 by_user ? ", by user" : "");
}

static void clear_bits(uint64_t address, int level, uint64_t bits)
{
	__atomic_fetch_and(root_entry(root, address, level), ~bits, __ATOMIC_SEQ_CST);
}

/* The life of one entry: clean, read, written; then cleared again. */
static void one_entry(uint64_t address, int level)
{
	int above;

	for (above = level; above < 4; above++)
		clear_bits(address, above, PTE_AD);
	flush(address, 1);
	expect_bits(address, level, 0, "untouched");
	CHECK_EQ(touch(address, false), VECTOR_NONE, "read");
	expect_bits(address, level, PTE_ACCESSED, "read");
	for (above = level + 1; above < 4; above++)
		expect_bits(address, above, PTE_ACCESSED, "read");
	CHECK_EQ(touch(address, true), VECTOR_NONE, "write");
	expect_bits(address, level, PTE_AD, "written");

	clear_bits(address, level, PTE_DIRTY);
	flush(address, 1);
	CHECK_EQ(touch(address, false), VECTOR_NONE, "read");
	expect_bits(address, level, PTE_ACCESSED, "read after D was cleared");
	CHECK_EQ(touch(address, true), VECTOR_NONE, "write");
	expect_bits(address, level, PTE_AD, "written after D was cleared");

	clear_bits(address, level, PTE_AD);
	flush(address, 1);
	expect_bits(address, level, 0, "cleared");
	CHECK_EQ(touch(address, true), VECTOR_NONE, "write");
	expect_bits(address, level, PTE_AD, "written after both were cleared");

	clear_bits(address, level, PTE_ACCESSED);
	flush(address, 1);
	CHECK_EQ(touch(address, false), VECTOR_NONE, "read");
	expect_bits(address, level, PTE_AD, "read after A was cleared");
}

/* An access that is refused makes nothing dirty. */
static void refused(uint64_t address)
{
	root_map(root, address, physical_of(page_alloc()), RO_CLEAN);
	flush(address, 1);
	CHECK_EQ(touch(address, true), VECTOR_PF, "write to a read-only page");
	CHECK(!(atomic_load(root_entry(root, address, 1)) & PTE_DIRTY), "D after a refused write");
	CHECK_EQ(touch(address, false), VECTOR_NONE, "read");
	expect_bits(address, 1, PTE_ACCESSED, "read-only page read");
}

static void expect_neighbours(uint64_t base, uint32_t touched, const char *when)
{
	uint32_t i;

	for (i = 0; i < NEIGHBOURS; i++) {
		uint64_t bits = i % 3 == 0 ? 0 : i % 3 == 1 ? PTE_ACCESSED : PTE_AD;

		if (i != touched)
			expect_bits(base + i * PAGE_SIZE, 1, bits, when);
	}
}

/* Pages clean, accessed, dirty in turn: a fill of one changes no other, and the others still count. */
static void neighbours(uint64_t base)
{
	static const uint64_t bits[] = { 0, PTE_ACCESSED, PTE_AD };
	uint32_t i;

	for (i = 0; i < NEIGHBOURS; i++)
		root_map(root, base + i * PAGE_SIZE, physical_of(page_alloc()),
			 RW_CLEAN | bits[i % 3]);
	flush(base, NEIGHBOURS);
	CHECK_EQ(touch(base + 9 * PAGE_SIZE, false), VECTOR_NONE, "read");
	expect_bits(base + 9 * PAGE_SIZE, 1, PTE_ACCESSED, "read");
	expect_neighbours(base, 9, "a neighbour was read");
	if (base < USER_END)
		CHECK_EQ(mmu_do(RF_MMU_PREFILL, root, base, base + NEIGHBOURS * PAGE_SIZE), 0,
			 "prefill");
	expect_neighbours(base, 9, "prefill");
	for (i = 0; i < NEIGHBOURS; i++) {
		CHECK_EQ(touch(base + i * PAGE_SIZE, false), VECTOR_NONE, "read");
		expect_bits(base + i * PAGE_SIZE, 1, i % 3 == 2 ? PTE_AD : PTE_ACCESSED,
			    "read in turn");
		CHECK_EQ(touch(base + i * PAGE_SIZE, true), VECTOR_NONE, "write");
		expect_bits(base + i * PAGE_SIZE, 1, PTE_AD, "written in turn");
	}
}

static void all_in(uint64_t base)
{
	root_map(root, base, physical_of(page_alloc()), RW_CLEAN);
	one_entry(base, 1);
	refused(base + PAGE_SIZE);
	neighbours(base + LARGE_PAGE_SIZE);
	root_map_large(root, base + 2 * LARGE_PAGE_SIZE,
		       physical_of(pages_alloc(512, LARGE_PAGE_SIZE)), RW_CLEAN);
	one_entry(base + 2 * LARGE_PAGE_SIZE, 2);
	one_entry(base + 2 * LARGE_PAGE_SIZE, 2);
}

void test_main(void)
{
	root = root_boot();
	user_prepare(root);
	all_in(USER_BASE);
	all_in(TEST_KERNEL_BASE);
	by_user = true;
	all_in(USER_BASE + (1UL << 30));
	if (test_is_control())
		test_audit_flushed();
}
