// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that hundreds of address spaces keep their own contents while the shadows have room for
 * few; that a loaded root cannot be destroyed; that the kernel half is the same in all; and that
 * what only the kernel may use in a user half is not seen by user mode.
 * Runs in the control domain and in one with the smallest pool of shadow tables there is.
 */
/* covers: mmu_batch */
#include "test.h"

const char test_title[] = "roots";

#define ROOTS	  300
#define USER_BASE 0x10000000UL
#define VISITS	  4000
#define TAG	  0x526f6f7400000000UL

USER_ASM(user_read, "mov (%rdi), %rax; syscall");
USER_ASM(user_try, "mov $20000, %ecx; 1: pause; loop 1b; mov (%rdi), %rax; syscall");

static uint64_t roots[ROOTS];
static uint64_t boot;

static uint64_t address_in(uint32_t i)
{
	return USER_BASE + i % 5 * (1UL << 39) + i % 3 * (1UL << 30) + i % 4 * LARGE_PAGE_SIZE +
	       i % 11 * PAGE_SIZE;
}

static int64_t read_at(uint64_t address)
{
	volatile int64_t value = 0;
	struct trap trap;

	TRY(&trap)
	value = (int64_t)load64(address);
	return trap.vector == VECTOR_NONE ? value : -(int64_t)trap.vector;
}

static void make(uint32_t i)
{
	roots[i] = root_new();
	*(uint64_t *)root_map_new(roots[i], address_in(i), PTE_USER_RW) = TAG + i;
}

static void load(uint64_t root)
{
	CHECK_EQ(root_load(root), 0, "load %#lx", root);
}

/* All that is mapped is there, and what only another root maps is not. */
static void visit(uint32_t i)
{
	uint32_t other = (uint32_t)random_below(ROOTS);

	load(roots[i]);
	CHECK_EQ(read_at(address_in(i)), TAG + i, "root %u", i);
	store64(address_in(i) + 8, ~(TAG + i));
	CHECK_EQ(load64(address_in(i) + 8), ~(TAG + i), "root %u", i);
	if (address_in(other) != address_in(i))
		CHECK_EQ(read_at(address_in(other)), -VECTOR_PF, "root %u at root %u's", i, other);
}

static void visit_all(void)
{
	uint32_t i;

	for (i = 0; i < ROOTS; i++)
		visit(i);
	for (i = ROOTS; i-- > 0;)
		visit(i);
	for (i = 0; i < VISITS; i++)
		visit((uint32_t)(i % 16 ? random_below(8) : random_below(ROOTS)));
	load(boot);
}

/* New contents behind old names: roots destroyed and made again at the same frames. */
static void remake(void)
{
	uint32_t i;

	for (i = 0; i < ROOTS; i += 3) {
		uint64_t old = roots[i];

		CHECK_EQ(mmu_destroy_root(old), 0, "destroy %u", i);
		root_unmap(old, address_in(i));
		root_free(old);
		make(i);
	}
	for (i = 0; i < ROOTS; i++)
		visit(i);
	load(boot);
}

static void busy_elsewhere(void *argument)
{
	volatile uint32_t *stage = argument;

	load(roots[1]);
	atomic_store(stage, 1);
	while (atomic_load(stage) == 1)
		asm volatile("pause");
	load(boot);
	atomic_store(stage, 3);
}

static void destroy(void)
{
	static uint32_t stage;

	load(roots[0]);
	CHECK_EQ(mmu_destroy_root(roots[0]), -EBUSY, "the loaded root");
	visit(0);
	load(boot);
	CHECK_EQ(mmu_destroy_root(roots[0]), 0, "not loaded any more");
	CHECK_EQ(mmu_destroy_root(roots[0]), 0, "twice");
	visit(0);
	CHECK_EQ(mmu_destroy_root(boot), 0, "boot root, not loaded here");
	load(boot);
	CHECK_EQ(mmu_destroy_root(boot), -EBUSY, "boot root");
	if (start_info->vcpus < 2)
		return;
	vcpu_start(1, busy_elsewhere, &stage);
	while (atomic_load(&stage) != 1)
		relax();
	/* It may be waiting for a CPU: then the root is loaded nowhere just now, or it is. */
	CHECK(mmu_destroy_root(roots[1]) <= 0, "another vCPU's root");
	atomic_store(&stage, 2);
	while (atomic_load(&stage) != 3)
		relax();
	vcpu_wait(1);
	visit(1);
	load(boot);
}

static void drop_user(void)
{
	uint64_t address = address_in(2);

	visit(2);
	CHECK_EQ(mmu_do(RF_MMU_DROP_USER, roots[2], 0, 0), 0, "drop the loaded root's");
	visit(2);
	root_map(roots[2], address + PAGE_SIZE, physical_of(page_alloc()), PTE_USER_RW);
	CHECK_EQ(read_at(address + PAGE_SIZE), 0, "new");
	root_unmap(roots[2], address + PAGE_SIZE);
	CHECK_EQ(mmu_do(RF_MMU_DROP_USER, roots[2], 0, 0), 0, "drop as a flush");
	CHECK_EQ(read_at(address + PAGE_SIZE), -VECTOR_PF, "gone");
	load(boot);
	CHECK_EQ(mmu_do(RF_MMU_DROP_USER, roots[2], 0, 0), 0, "drop another's");
	CHECK_EQ(mmu_do(RF_MMU_DROP_USER, physical_of(page_alloc()), 0, 0), 0, "of no shadow");
	visit(2);
	load(boot);
}

static void kernel_half(void)
{
	uint64_t *page = page_alloc();
	uint32_t i;

	*page = 1;
	root_map(boot, TEST_KERNEL_BASE, physical_of(page), PTE_KERNEL_RW);
	for (i = 0; i < ROOTS; i += 7) {
		load(roots[i]);
		CHECK_EQ(read_at(TEST_KERNEL_BASE), 1, "kernel half in root %u", i);
	}
	root_unmap(boot, TEST_KERNEL_BASE);
	CHECK_EQ(mmu_flush_kernel(TEST_KERNEL_BASE, TEST_KERNEL_BASE + PAGE_SIZE), 0, "flush");
	for (i = 0; i < ROOTS; i += 7) {
		load(roots[i]);
		CHECK_EQ(read_at(TEST_KERNEL_BASE), -VECTOR_PF, "removed, in root %u", i);
	}
	load(boot);
}

/* The kernel half from another table: other contents at the same address, in every root. */
static void kernel_root(void)
{
	uint64_t other = root_new();
	uint64_t *l4 = pointer_of(other);
	uint64_t *page = page_alloc();
	uint64_t *old = page_alloc();

	*page = 2;
	*old = 3;
	root_map(boot, TEST_KERNEL_BASE, physical_of(old), PTE_KERNEL_RW);
	CHECK_EQ(read_at(TEST_KERNEL_BASE), 3, "before");
	l4[TEST_KERNEL_BASE >> 39 & 511] = 0;
	root_map(other, TEST_KERNEL_BASE, physical_of(page), PTE_KERNEL_RW);
	CHECK_EQ(mmu_do(RF_MMU_SET_KERNEL_ROOT, other, 0, 0), 0, "set");
	CHECK_EQ(read_at(TEST_KERNEL_BASE), 2, "in the boot root");
	load(roots[5]);
	CHECK_EQ(read_at(TEST_KERNEL_BASE), 2, "in another");
	CHECK_EQ(mmu_do(RF_MMU_SET_KERNEL_ROOT, boot, 0, 0), 0, "back");
	CHECK_EQ(read_at(TEST_KERNEL_BASE), 3, "back");
	load(boot);
	root_unmap(boot, TEST_KERNEL_BASE);
	CHECK_EQ(mmu_flush_kernel(TEST_KERNEL_BASE, TEST_KERNEL_BASE + PAGE_SIZE), 0, "flush");
}

static void kernel_only(void)
{
	uint64_t address = USER_BASE + (7UL << 39);
	uint64_t *page = root_map_new(boot, address, PTE_KERNEL_RW);
	struct user user;
	uint32_t i;

	*page = 4;
	for (i = 0; i < 20; i++) {
		CHECK_EQ(read_at(address), 4, "the kernel's");
		user_init(&user, user_address(user_read), address);
		CHECK_EQ(i & 1 ? user_run(&user) : user_run_sysret(&user), VECTOR_PF,
			 "user mode saw %#lx", user.frame.rax);
		CHECK_EQ(user.frame.error, FAULT_PRESENT | FAULT_USER, "error code");
	}
}

/* The same while the user runs on another vCPU. */
static volatile bool stop;

static void user_looks(void *argument)
{
	struct user user;

	user_map_stack(boot, USER_STACK_TOP - 64 * PAGE_SIZE);
	while (!stop) {
		user_init(&user, user_address(user_try), ADDRESS(argument));
		user.frame.rsp = USER_STACK_TOP - 64 * PAGE_SIZE - 8;
		if (!CHECK_EQ(user_run(&user), VECTOR_PF, "user mode saw %#lx", user.frame.rax))
			break;
	}
}

static void kernel_only_elsewhere(void)
{
	uint64_t address = USER_BASE + (8UL << 39);
	uint64_t *page = root_map_new(boot, address, PTE_KERNEL_RW);
	uint32_t i;

	*page = 5;
	if (start_info->vcpus < 2)
		return;
	vcpu_start(1, user_looks, (void *)address);
	for (i = 0; i < 2000; i++) {
		CHECK_EQ(read_at(address), 5, "the kernel's");
		if (i % 16 == 0)
			relax();
	}
	stop = true;
	vcpu_wait(1);
}

void test_main(void)
{
	uint32_t i;

	boot = root_boot();
	user_prepare(boot);
	for (i = 0; i < ROOTS; i++)
		make(i);
	visit_all();
	remake();
	destroy();
	drop_user();
	kernel_half();
	kernel_root();
	kernel_only();
	kernel_only_elsewhere();
	if (!test_is_control())
		return;
	CHECK_EQ(domain_wait_end(domain_named("small"), 60, &(struct rf_domain_info){}),
		 RF_DOMAIN_SHUTDOWN, "the other domain");
	test_audit_flushed();
}
