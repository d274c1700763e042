// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that `prefill` of the vCPU page saves the faults of pages that may be used now, by both ways to
 * user mode; that it gives nobody more than the page tables do; and that any value does no harm, also
 * while another vCPU takes the pages away.
 */
/* covers: mmu_batch, counters */
#include "test.h"

const char test_title[] = "prefill on return to user mode";

/* The pages lie on both sides of the end of 2 MiB. */
#define PAGES	  8UL
#define USER_BASE (0x10000000UL + LARGE_PAGE_SIZE - PAGES / 2 * PAGE_SIZE)
#define USER_LAST (USER_BASE + (PAGES - 1) * PAGE_SIZE)
#define ALL	  (USER_BASE | (PAGES - 1))
#define ROUNDS	  2000U

/* Reads, or writes, RSI pages from RDI on. */
USER_ASM(user_read, "1: mov (%rdi), %al; add $4096, %rdi; dec %esi; jnz 1b; syscall");
USER_ASM(user_write, "1: movb $2, (%rdi); add $4096, %rdi; dec %esi; jnz 1b; syscall");

static uint64_t root;
static uint64_t frames[PAGES];

static uint64_t page_fault_entries(void)
{
	struct rf_counters counters;

	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, this_vcpu()->id, ADDRESS(&counters)), 0, "counters");
	return counters.entries[RF_ENTRY_PAGE_FAULT];
}

static void map_all(uint64_t flags)
{
	uint64_t i;

	for (i = 0; i < PAGES; i++)
		atomic_store(root_entry(root, USER_BASE + i * PAGE_SIZE, 1), frames[i] | flags);
}

static void flush_all(void)
{
	CHECK_EQ(mmu_flush(root, USER_BASE, USER_LAST + PAGE_SIZE), 0, "flush");
}

/* How user mode ends that uses the pages. */
static uint64_t use(const char *code, uint64_t address, uint64_t pages, bool by_sysret)
{
	struct user user;

	user_init(&user, user_address(code), address);
	user.frame.rsi = pages;
	return by_sysret ? user_run_sysret(&user) : user_run(&user);
}

/* The entries for page faults of user mode that writes all pages, which are mapped with these flags before. */
static uint64_t faults_of_write(uint64_t flags, uint64_t asked, bool by_sysret)
{
	uint64_t before;

	map_all(flags);
	flush_all();
	if (flags & PTE_PRESENT)
		CHECK_EQ(use(user_read, USER_BASE, PAGES, by_sysret), VECTOR_SYSCALL, "read");
	map_all(PTE_USER_RW);
	before = page_fault_entries();
	this_page()->prefill = asked;
	CHECK_EQ(use(user_write, USER_BASE, PAGES, by_sysret), VECTOR_SYSCALL, "write");
	CHECK_EQ(this_page()->prefill, 0, "done");
	return page_fault_entries() - before;
}

static void test_saves_faults(void)
{
	static const uint64_t flags[] = { PTE_USER_RO, 0 };
	uint32_t i;

	for (i = 0; i < 4; i++) {
		const char *was = flags[i / 2] ? "read only" : "not present";
		uint64_t asked = faults_of_write(flags[i / 2], ALL, i & 1);
		uint64_t one = faults_of_write(flags[i / 2], USER_BASE, i & 1);
		uint64_t none = faults_of_write(flags[i / 2], 0, i & 1);

		printf("%s: faults %lu, %lu with one page asked for, %lu with all\n", was, none,
		       one, asked);
		CHECK_EQ(asked, 0, "%s", was);
		CHECK(none > one || !flags[i / 2], "%s: %lu, %lu", was, none, one);
		CHECK(none >= 2, "%s: %lu", was, none);
	}
}

/* What is not accessed is not used by asking for it, and A is set when it is. */
static void test_not_accessed(void)
{
	map_all(0);
	flush_all();
	map_all(PTE_PRESENT | PTE_USER | PTE_NX);
	this_page()->prefill = ALL;
	CHECK_EQ(use(user_read, USER_LAST, 1, false), VECTOR_SYSCALL, "read the last");
	CHECK(!(*root_entry(root, USER_BASE, 1) & PTE_ACCESSED), "the first was not used");
	CHECK(*root_entry(root, USER_LAST, 1) & PTE_ACCESSED, "the last was");
}

/* What the tables forbid stays forbidden, also what they allowed before, without any flush. */
static void test_no_more_rights(void)
{
	map_all(PTE_USER_RO);
	flush_all();
	this_page()->prefill = ALL;
	CHECK_EQ(use(user_write, USER_BASE, 1, false), VECTOR_PF, "read only");
	map_all(PTE_KERNEL_RW);
	flush_all();
	this_page()->prefill = ALL;
	CHECK_EQ(use(user_read, USER_BASE, 1, false), VECTOR_PF, "for the kernel only");
	map_all(PTE_USER_RW);
	this_page()->prefill = ALL;
	CHECK_EQ(use(user_write, USER_BASE, PAGES, true), VECTOR_SYSCALL, "may be written");
	map_all(PTE_USER_RO);
	this_page()->prefill = ALL;
	CHECK_EQ(use(user_write, USER_BASE, 1, true), VECTOR_PF, "may be read only");
}

static void test_other_root(void)
{
	uint64_t other = root_new();

	this_page()->prefill = ALL;
	CHECK_EQ(root_load(other), 0, "load another");
	CHECK_EQ(this_page()->prefill, 0, "forgotten");
	CHECK_EQ(root_load(root), 0, "load");
	CHECK_EQ(mmu_destroy_root(other), 0, "destroy");
	root_free(other);
}

/* None of these is, or leads to, anything that user mode may have. */
static void test_any_value(void)
{
	static const uint64_t values[] = { 1,
					   0xfff,
					   0x1000,
					   USER_BASE | 0xfff,
					   0x7ffffffff000,
					   0x7fffffffe001,
					   0x800000000000,
					   0xffff7ffffffff000,
					   HYPERVISOR_START,
					   HYPERVISOR_END - PAGE_SIZE,
					   IMAGE_BASE,
					   DIRECT_BASE,
					   0xfffffffffffff000,
					   ~0UL };
	uint32_t i;

	map_all(PTE_USER_RW);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		this_page()->prefill = values[i];
		CHECK_EQ(use(user_read, USER_BASE, PAGES, i & 1), VECTOR_SYSCALL, "%#lx",
			 values[i]);
		CHECK_EQ(this_page()->prefill, 0, "%#lx", values[i]);
	}
	for (i = 0; i < ROUNDS; i++) {
		this_page()->prefill = random_u64() >> random_below(64);
		CHECK_EQ(use(user_read, USER_BASE, PAGES, i & 1), VECTOR_SYSCALL, "round %u", i);
	}
}

static bool stop;

/* Asks for the pages again and again, and writes where that is allowed. */
static void writer(void *argument)
{
	uint32_t i;

	(void)argument;
	CHECK_EQ(root_load(root), 0, "load on another vCPU");
	for (i = 0; !atomic_load(&stop); i++) {
		this_page()->prefill = ALL;
		use(user_write, USER_BASE, PAGES, i & 1);
	}
}

/* After a flush nobody writes, whoever asked for what meanwhile. */
static void test_two(void)
{
	uint8_t *page = pointer_of(frames[0]);
	uint32_t i;

	vcpu_start(1, writer, NULL);
	for (i = 0; i < ROUNDS / 4; i++) {
		uint32_t spin;

		map_all(PTE_USER_RW);
		for (spin = 0; spin < 50 && atomic_load(page) != 2; spin++)
			relax();
		map_all(i & 1 ? PTE_USER_RO : 0);
		flush_all();
		atomic_store(page, 7);
		for (spin = 0; spin < 5; spin++)
			relax();
		if (!CHECK_EQ(atomic_load(page), 7, "round %u", i))
			break;
	}
	atomic_store(&stop, true);
	vcpu_wait(1);
	flush_all();
}

void test_main(void)
{
	uint64_t i;

	root = root_new();
	user_prepare(root);
	for (i = 0; i < PAGES; i++)
		frames[i] = physical_of(page_alloc());
	CHECK_EQ(root_load(root), 0, "load");
	test_saves_faults();
	test_not_accessed();
	test_no_more_rights();
	test_other_root();
	test_any_value();
	test_two();
	test_audit_flushed();
}
