// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that what one vCPU takes away from the page tables, and flushes, no other vCPU uses any
 * more: neither a write through a translation it had, nor a fetch of an old table; while all of them
 * flush, load and destroy roots and give memory back at once.
 */
/* covers: mmu_batch, memory_release, memory_populate, vcpu_init */
/* timeout: 240 */
#include "test.h"

const char test_title[] = "races";

#define USER_BASE 0x10000000UL
#define LOOPS	  (test_option("full") ? 20000U : 1500U)

static uint64_t root;
static volatile bool stop;
static uint32_t running;

USER_ASM(user_writer, "1: addq $1, (%rdi); jmp 1b");

/* --- One writes, another takes the page away --- */

static volatile uint64_t written; /* how often the writer found the page there */

/* Writes whenever the page is there; a fault is the answer when it is not. */
static void kernel_writer(void *argument)
{
	uint64_t address = ADDRESS(argument);
	struct trap trap;

	atomic_add(&running, 1);
	while (!stop) {
		TRY(&trap)
		{
			while (!stop) {
				__atomic_fetch_add((uint64_t *)address, 1, __ATOMIC_SEQ_CST);
				written++;
			}
		}
		relax();
	}
}

static void user_writes(void *argument)
{
	uint64_t address = ADDRESS(argument);
	uint64_t stack = USER_STACK_TOP - 64 * PAGE_SIZE * this_vcpu()->id;
	struct user user;

	user_map_stack(root, stack);
	user_init(&user, user_address(user_writer), address);
	user.frame.rsp = stack - 8;
	interrupts_on();
	atomic_add(&running, 1);
	while (!stop) {
		if (user_run(&user) != VECTOR_PF)
			CHECK(false, "vector %lu", user.frame.vector);
		written++;
	}
	interrupts_off();
}

/* After the flush the page is somebody else's: its contents must not change. */
static bool unchanged(volatile uint64_t *page)
{
	uint64_t value = *page;
	uint32_t i;

	for (i = 0; i < 200; i++) {
		if (*page != value)
			return false;
		if (i % 50 == 49)
			relax();
	}
	return true;
}

enum removal { REMOVE_ABSENT, REMOVE_READ_ONLY, REMOVE_OTHER_FRAME, REMOVALS };

static void take(uint64_t address, enum removal how, const uint64_t *other)
{
	uint64_t *entry = root_entry(root, address, 1);

	if (how == REMOVE_ABSENT)
		atomic_store(entry, 0);
	else if (how == REMOVE_READ_ONLY)
		atomic_store(entry, *entry & ~PTE_WRITE);
	else
		atomic_store(entry, physical_of(other) | PTE_USER_RW);
	CHECK_EQ(mmu_flush(root, address, address + PAGE_SIZE), 0, "flush");
}

static void put_back(uint64_t address, const uint64_t *page)
{
	root_map(root, address, physical_of(page), PTE_USER_RW);
	/* What is there now may be another frame, or read-only: not a loosening. */
	CHECK_EQ(mmu_flush(root, address, address + PAGE_SIZE), 0, "flush");
}

static void take_away(void (*writer)(void *), uint64_t address)
{
	uint64_t *page = page_alloc(), *other = page_alloc();
	uint64_t end = clock_ns() + 20 * SECOND;
	uint32_t i, bad = 0;

	put_back(address, page);
	stop = false;
	running = 0;
	written = 0;
	vcpu_start(1, writer, (void *)address);
	while (!atomic_load(&running))
		relax();
	/* On a busy host it may be long until the writer has its turn. */
	for (i = 0; (i < LOOPS || !atomic_load(&written)) && clock_ns() < end; i++) {
		take(address, i % REMOVALS, other);
		bad += !unchanged(page);
		put_back(address, page);
		if (i % 4 == 0)
			relax();
	}
	CHECK_EQ(bad, 0, "writes after the flush, in %u loops", i);
	stop = true;
	root_map(root, address, physical_of(page), PTE_USER_RO);
	CHECK_EQ(mmu_flush(root, address, address + PAGE_SIZE), 0, "flush");
	vcpu_wait(1);
	CHECK(written, "the writer wrote");
	printf("%u times taken away, the page counts %lu\n", i, *page);
}

/* --- All flush each other --- */

static struct spinlock check_lock;

static void flusher(void *argument)
{
	uint32_t id = this_vcpu()->id;
	uint64_t base = USER_BASE + (id + 1) * (1UL << 30);
	uint64_t *pages[2] = { page_alloc(), page_alloc() };
	uint64_t end = clock_ns() + 8 * SECOND;
	uint32_t i;

	(void)argument;
	*pages[0] = id * 2;
	*pages[1] = id * 2 + 1;
	spin_lock(&check_lock); /* tables of the root are made by one at a time */
	root_map(root, base, physical_of(pages[0]), PTE_USER_RW);
	spin_unlock(&check_lock);
	/* On a busy host it may be long until the writer has its turn. */
	for (i = 0; (i < LOOPS || !atomic_load(&written)) && clock_ns() < end; i++) {
		root_map(root, base, physical_of(pages[i & 1]), PTE_USER_RW);
		if (i % 16 == 15)
			CHECK_EQ(mmu_flush_all(), 0, "flush all");
		else
			CHECK_EQ(mmu_flush(root, base, base + PAGE_SIZE), 0, "flush");
		if (!CHECK_EQ(load64(base), id * 2 + (i & 1), "vCPU %u, loop %u", id, i))
			break;
	}
}

static void on_all(void (*function)(void *))
{
	uint32_t id;

	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, function, NULL);
	function(NULL);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
}

/* --- Roots come, go and are destroyed while others run on them --- */

#define ROOTS 6
static uint64_t roots[ROOTS];

static void root_user(void *argument)
{
	uint64_t end = clock_ns() + 8 * SECOND;
	uint32_t i;

	(void)argument;
	/* On a busy host it may be long until the writer has its turn. */
	for (i = 0; (i < LOOPS || !atomic_load(&written)) && clock_ns() < end; i++) {
		uint32_t n = (uint32_t)random_below(ROOTS);
		int64_t result;

		CHECK_EQ(root_load(roots[n]), 0, "load");
		if (!CHECK_EQ(load64(USER_BASE), n, "root %u", n))
			break;
		store64(USER_BASE + 8 + this_vcpu()->id * 8, i);
		n = (uint32_t)random_below(ROOTS);
		result = mmu_destroy_root(roots[n]);
		CHECK(result == 0 || result == -EBUSY, "destroy: %ld", result);
		if (i % 64 == 0)
			CHECK_EQ(mmu_do(RF_MMU_DROP_USER, roots[n], 0, 0), 0, "drop");
	}
	CHECK_EQ(root_load(root), 0, "load");
}

static void use_roots(void)
{
	uint64_t i;

	for (i = 0; i < ROOTS; i++) {
		roots[i] = root_new();
		*(uint64_t *)root_map_new(roots[i], USER_BASE, PTE_USER_RW) = i;
	}
	on_all(root_user);
}

/* --- Memory is given back while another vCPU uses it --- */

static volatile uint64_t victim;

static void toucher(void *argument)
{
	struct trap trap;

	(void)argument;
	atomic_add(&running, 1);
	while (!stop) {
		TRY(&trap)
		{
			while (!stop)
				__atomic_fetch_add((uint64_t *)victim, 1, __ATOMIC_SEQ_CST);
		}
	}
}

/* The hypervisor walks tables in memory that goes away. */
static void table_toucher(void *argument)
{
	struct trap trap;

	(void)argument;
	atomic_add(&running, 1);
	while (!stop) {
		TRY(&trap)
		load8(USER_BASE + (20UL << 30));
		mmu_flush(root, USER_BASE + (20UL << 30), USER_BASE + (20UL << 30) + PAGE_SIZE);
	}
}

static void release_under(void (*user)(void *), uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };
	uint64_t end = clock_ns() + 8 * SECOND;
	uint32_t i;

	stop = false;
	running = 0;
	vcpu_start(1, user, NULL);
	while (!atomic_load(&running))
		relax();
	for (i = 0; i < LOOPS / 4 && clock_ns() < end; i++) {
		struct trap trap;

		CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1), 1, "release");
		TRY(&trap)
		load8(DIRECT_BASE + gfn * PAGE_SIZE);
		CHECK_EQ(trap.vector, VECTOR_PF, "given back");
		if (!CHECK_EQ(hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1), 1,
			      "populate"))
			break;
		relax();
	}
	stop = true;
	vcpu_wait(1);
}

static void release_memory(void)
{
	uint64_t gfn = physical_of(page_alloc()) / PAGE_SIZE;
	uint64_t address = USER_BASE + (20UL << 30);

	victim = DIRECT_BASE + gfn * PAGE_SIZE;
	release_under(toucher, gfn);
	root_map_new(root, address, PTE_USER_RW);
	gfn = (*root_entry(root, address, 2) & PTE_ADDRESS) / PAGE_SIZE;
	release_under(table_toucher, gfn);
}

/* --- Up, down and init from everywhere --- */

static void nothing(void *argument)
{
	(void)argument;
}

static void ups_and_downs(void *argument)
{
	struct rf_vcpu_context context = {};
	uint32_t i;

	(void)argument;
	for (i = 0; i < LOOPS; i++) {
		uint32_t id = 1 + (uint32_t)random_below(start_info->vcpus - 1);

		/* Never canonical: one random address in 65536 would be. */
		context.rip = (random_u64() | 1UL << 62) & ~(1UL << 63);
		if (id == 3)
			continue;
		hv_vcpu_status(id);
		hv_kick(id);
		hv_send_ipi(0x80, 1UL << id);
		CHECK(hv_vcpu_init(id, ADDRESS(&context)) < 0, "a bad context");
	}
}

static void start_stop(void)
{
	uint32_t i;

	if (start_info->vcpus < 4)
		return;
	vcpu_start(1, ups_and_downs, NULL);
	for (i = 0; i < LOOPS / 10; i++) {
		vcpu_start(3, nothing, NULL);
		vcpu_wait(3);
	}
	vcpu_wait(1);
}

void test_main(void)
{
	if (start_info->vcpus < 2)
		SKIP("one vCPU");
	root = root_boot();
	user_prepare(root);
	take_away(kernel_writer, USER_BASE);
	take_away(user_writes, USER_BASE + LARGE_PAGE_SIZE);
	on_all(flusher);
	use_roots();
	release_memory();
	start_stop();
	if (test_is_control())
		test_audit_flushed();
}
