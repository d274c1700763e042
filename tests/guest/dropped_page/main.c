// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a page which `dropped` of the vCPU page names needs no flush: after the fault of a
 * write to it, what the page tables say then is what counts; and that nothing is named where the
 * page could be in use, or once it was used again.
 */
/* covers: mmu_batch, vcpu_init */
#include "test.h"

const char test_title[] = "dropped pages";

#define USER_BASE 0x10000000UL
#define READ_ONLY (PTE_PRESENT | PTE_USER | PTE_NX | PTE_AD)

USER_ASM(user_read, "mov (%rdi), %al; syscall");
USER_ASM(user_write, "movb $1, (%rdi); syscall");

static uint64_t root;
static uint8_t *first, *second;

static void map(const uint8_t *page, uint64_t flags)
{
	atomic_store(root_entry(root, USER_BASE, 1), physical_of(page) | flags);
}

/* A page that may be read, and was. */
static void start(void)
{
	map(first, READ_ONLY);
	CHECK_EQ(mmu_flush(root, USER_BASE, USER_BASE + PAGE_SIZE), 0, "flush");
	first[0] = second[0] = 7;
	CHECK_EQ(load8(USER_BASE), 7, "read");
}

static void fault_by_kernel(uint64_t address)
{
	struct trap trap;

	TRY(&trap)
	{
		store8(address, 1);
	}
	CHECK_EQ(trap.vector, VECTOR_PF, "a write to what is read only");
}

static void expect_named(uint64_t address, const char *when)
{
	CHECK_EQ(this_page()->dropped, address, "%s", when);
}

static void expect_copied(const char *what)
{
	CHECK(first[0] == 7 && second[0] == 1, "%s: first %u, second %u", what, first[0],
	      second[0]);
}

/* The page is copied, as a kernel does it after fork(), and not flushed. */
static void test_user(void)
{
	struct user user;

	start();
	user_init(&user, user_address(user_read), USER_BASE);
	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "read by user");
	user_init(&user, user_address(user_write), USER_BASE);
	CHECK_EQ(user_run(&user), VECTOR_PF, "written by user");
	expect_named(USER_BASE, "by user");
	map(second, PTE_USER_RW);
	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "written again by user");
	expect_copied("by user");
	expect_named(0, "used by user");
	CHECK_EQ(load8(USER_BASE), 1, "read by the kernel");
}

static void test_kernel(void)
{
	start();
	fault_by_kernel(USER_BASE);
	expect_named(USER_BASE, "by the kernel");
	map(second, PTE_USER_RW);
	store8(USER_BASE, 1);
	expect_copied("by the kernel");
	expect_named(0, "used by the kernel");
}

static void test_used_again(void)
{
	uint64_t other = root_new();

	start();
	fault_by_kernel(USER_BASE);
	load8(USER_BASE);
	expect_named(0, "read again");
	start();
	fault_by_kernel(USER_BASE);
	CHECK_EQ(root_load(other), 0, "load another root");
	expect_named(0, "another root");
	CHECK_EQ(root_load(root), 0, "load the root");
	start();
	fault_by_kernel(USER_BASE);
	CHECK_EQ(mmu_do(RF_MMU_PREFILL, root, USER_BASE, USER_BASE + PAGE_SIZE), 0, "prefill");
	expect_named(0, "prefilled");
	CHECK_EQ(mmu_destroy_root(other), 0, "destroy");
	root_free(other);
}

static void test_not_named(void)
{
	struct trap trap;

	start();
	root_unmap(root, USER_BASE);
	CHECK_EQ(mmu_flush(root, USER_BASE, USER_BASE + PAGE_SIZE), 0, "flush");
	TRY(&trap)
	{
		store8(USER_BASE, 1);
	}
	CHECK_EQ(trap.vector, VECTOR_PF, "a write where nothing is");
	expect_named(0, "not present");
}

static uint32_t state;

/* Another vCPU, maybe on another CPU, reads the page and keeps the root loaded. */
static void reader(void *argument)
{
	(void)argument;
	CHECK_EQ(root_load(root), 0, "load on another vCPU");
	CHECK_EQ(load8(USER_BASE), 7, "read on another vCPU");
	atomic_store(&state, 1);
	while (atomic_load(&state) == 1)
		relax();
	CHECK_EQ(load8(USER_BASE), 9, "after the flush, on another vCPU");
}

static void test_two(void)
{
	start();
	vcpu_start(1, reader, NULL);
	while (atomic_load(&state) == 0)
		relax();
	fault_by_kernel(USER_BASE);
	second[0] = 9;
	map(second, READ_ONLY);
	/* On one CPU the other may not be there: what is named then counts. */
	if (!this_page()->dropped)
		CHECK_EQ(mmu_flush(root, USER_BASE, USER_BASE + PAGE_SIZE), 0, "flush");
	atomic_store(&state, 2);
	vcpu_wait(1);
}

void test_main(void)
{
	root = root_new();
	user_prepare(root);
	CHECK_EQ(root_load(root), 0, "load");
	first = root_map_new(root, USER_BASE, PTE_USER_RW);
	second = root_map_new(root, USER_BASE + PAGE_SIZE, PTE_USER_RW);
	test_user();
	test_kernel();
	test_used_again();
	test_not_named();
	test_two();
}
