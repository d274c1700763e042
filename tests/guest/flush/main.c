// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that after a flush no older translation is used, whatever was tightened and at whatever
 * level; that loosening needs none; and that ranges that are not ranges are refused.
 */
/* covers: mmu_batch */
#include "test.h"

const char test_title[] = "flush";

#define USER_BASE 0x10000000UL
#define UPPER	  (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)

USER_ASM(user_read, "mov (%rdi), %al; syscall");
USER_ASM(user_write, "movb $1, (%rdi); syscall");
USER_ASM(user_fetch, "call *%rdi; syscall");

static uint64_t root;
static uint64_t pages[4]; /* physical: filled with their number + 1; a `ret` at 8 */
static uint64_t large;	  /* physical, 2 MiB: filled with 0x55 */

/* How to tell the hypervisor: each must do. */
enum flush_kind { FLUSH_PAGE, FLUSH_WIDE, FLUSH_EVERYTHING, FLUSH_KINDS };
static enum flush_kind kind;

static void flush(uint64_t address)
{
	uint64_t start = address & ~(PAGE_SIZE - 1);
	uint64_t end = start + PAGE_SIZE;
	int64_t result;

	if (kind == FLUSH_WIDE && address < USER_END) {
		start = 0;
		end = USER_END;
	} else if (kind == FLUSH_WIDE) {
		start = HYPERVISOR_END;
		end = 0;
	}
	if (kind == FLUSH_EVERYTHING)
		result = mmu_flush_all();
	else
		result = address < USER_END ? mmu_flush(root, start, end)
					    : mmu_flush_kernel(start, end);
	CHECK_EQ(result, 0, "flush %#lx kind %u", address, kind);
}

/* The byte there, or -vector. */
static int64_t read_at(uint64_t address)
{
	volatile int64_t value = 0;
	struct trap trap;

	TRY(&trap)
	value = load8(address);
	return trap.vector == VECTOR_NONE ? value : -(int64_t)trap.vector;
}

static uint64_t write_at(uint64_t address)
{
	struct trap trap;

	TRY(&trap)
	store8(address, load8(address));
	return trap.vector;
}

static uint64_t user_at(const void *code, uint64_t address)
{
	struct user user;

	user_init(&user, user_address(code), address);
	user_run(&user);
	return user.frame.vector;
}

static void map(uint64_t address, uint64_t physical, uint64_t flags)
{
	root_map(root, address, physical, flags | PTE_AD);
}

static void leaf_changes(uint64_t a)
{
	map(a, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	CHECK_EQ(read_at(a), 1, "mapped");
	CHECK_EQ(write_at(a), VECTOR_NONE, "mapped");
	map(a, pages[0], PTE_PRESENT | PTE_NX);
	flush(a);
	CHECK_EQ(write_at(a), VECTOR_PF, "writable to read-only");
	CHECK_EQ(read_at(a), 1, "writable to read-only");
	map(a, pages[1], PTE_PRESENT | PTE_NX);
	flush(a);
	CHECK_EQ(read_at(a), 2, "another frame");
	map(a, pages[2], PTE_PRESENT | PTE_WRITE | PTE_NX);
	flush(a);
	CHECK_EQ(read_at(a), 3, "another frame, writable");
	CHECK_EQ(write_at(a), VECTOR_NONE, "another frame, writable");
	root_unmap(root, a);
	flush(a);
	CHECK_EQ(read_at(a), -VECTOR_PF, "absent");
	map(a, pages[3], PTE_PRESENT | PTE_WRITE | PTE_NX);
	CHECK_EQ(read_at(a), 4, "back, without a flush");
}

static void user_changes(uint64_t a)
{
	map(a, pages[0], PTE_PRESENT | PTE_USER | PTE_WRITE);
	CHECK_EQ(user_at(user_fetch, a + 8), VECTOR_SYSCALL, "executable");
	CHECK_EQ(user_at(user_write, a), VECTOR_SYSCALL, "writable");
	store8(DIRECT_BASE + pages[0], 1);
	map(a, pages[0], PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NX);
	flush(a);
	CHECK_EQ(user_at(user_fetch, a + 8), VECTOR_PF, "executable to NX");
	CHECK_EQ(user_at(user_write, a), VECTOR_SYSCALL, "executable to NX");
	map(a, pages[0], PTE_PRESENT | PTE_USER | PTE_NX);
	flush(a);
	CHECK_EQ(user_at(user_write, a), VECTOR_PF, "writable to read-only");
	CHECK_EQ(user_at(user_read, a), VECTOR_SYSCALL, "writable to read-only");
	map(a, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	flush(a);
	CHECK_EQ(user_at(user_read, a), VECTOR_PF, "user to kernel only");
	CHECK_EQ(read_at(a), 1, "user to kernel only");
	CHECK_EQ(user_at(user_read, a), VECTOR_PF, "after the kernel used it");
}

static void large_changes(uint64_t a)
{
	uint64_t inside = a + 5 * PAGE_SIZE;
	uint64_t table;

	map(inside, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	CHECK_EQ(read_at(inside), 1, "by a table");
	table = *root_entry(root, a, 2);
	root_map_large(root, a, large, PTE_PRESENT | PTE_WRITE | PTE_NX | PTE_AD);
	flush(inside);
	CHECK_EQ(read_at(inside), 0x55, "table to 2 MiB");
	CHECK_EQ(write_at(a + 300 * PAGE_SIZE), VECTOR_NONE, "2 MiB");
	root_map_large(root, a, large, PTE_PRESENT | PTE_NX | PTE_AD);
	flush(a + 300 * PAGE_SIZE);
	CHECK_EQ(write_at(a + 300 * PAGE_SIZE), VECTOR_PF, "2 MiB read-only");
	CHECK_EQ(write_at(inside), VECTOR_PF, "2 MiB read-only, another page");
	CHECK_EQ(read_at(inside), 0x55, "2 MiB read-only");
	atomic_store(root_entry(root, a, 2), table);
	flush(inside);
	CHECK_EQ(read_at(inside), 1, "2 MiB split");
	root_unmap(root, inside);
	flush(inside);
	CHECK_EQ(read_at(inside), -VECTOR_PF, "absent after the split");
}

/* A change of an upper level; the flush names only the page that is looked at. */
static void upper_changes(uint64_t a)
{
	int level;

	map(a, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	for (level = 2; level <= (a < USER_END ? 4 : 3); level++) {
		uint64_t *entry = root_entry(root, a, level);
		uint64_t old = *entry;

		CHECK_EQ(write_at(a), VECTOR_NONE, "level %d", level);
		atomic_store(entry, old & ~PTE_WRITE);
		flush(a);
		CHECK_EQ(write_at(a), VECTOR_PF, "level %d read-only", level);
		CHECK_EQ(read_at(a), 1, "level %d read-only", level);
		atomic_store(entry, 0);
		flush(a);
		CHECK_EQ(read_at(a), -VECTOR_PF, "level %d absent", level);
		atomic_store(entry, old);
		CHECK_EQ(read_at(a), 1, "level %d back", level);
	}
}

/* One level-1 table is replaced by another, and its page becomes data that looks like entries. */
static void table_reuse(uint64_t a)
{
	uint64_t *l2 = root_entry(root, a, 2);
	uint64_t *old_table, *new_table;
	uint32_t i;

	map(a, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	map(a + PAGE_SIZE, pages[1], PTE_PRESENT | PTE_WRITE | PTE_NX);
	CHECK_EQ(read_at(a) + read_at(a + PAGE_SIZE), 3, "old table");
	old_table = pointer_of(*l2 & PTE_ADDRESS);
	new_table = page_alloc();
	new_table[a >> 12 & 511] = pages[2] | PTE_PRESENT | PTE_NX | PTE_AD;
	atomic_store(l2, physical_of(new_table) | UPPER);
	flush(a);
	flush(a + PAGE_SIZE);
	for (i = 0; i < 512; i++)
		old_table[i] = pages[3] | PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD;
	CHECK_EQ(read_at(a), 3, "new table");
	CHECK_EQ(write_at(a), VECTOR_PF, "new table");
	for (i = 1; i < 512 - (a >> 12 & 511); i++)
		CHECK_EQ(read_at(a + i * PAGE_SIZE), -VECTOR_PF, "page %u of the old table", i);
	page_free(old_table);
}

static void all_in(uint64_t base)
{
	for (kind = 0; kind < FLUSH_KINDS; kind++) {
		uint64_t a = base + kind * (1UL << 30);

		leaf_changes(a);
		large_changes(a + LARGE_PAGE_SIZE);
		upper_changes(a + 2 * LARGE_PAGE_SIZE);
		table_reuse(a + 3 * LARGE_PAGE_SIZE);
		if (base < USER_END)
			user_changes(a + 4 * LARGE_PAGE_SIZE);
	}
	kind = FLUSH_PAGE;
}

/* A root that is loaded nowhere is flushed by its name, also when it has no shadow at all. */
static void other_root(void)
{
	uint64_t boot = root;
	uint64_t other = root_new();

	root = other;
	map(USER_BASE, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	flush(USER_BASE);
	CHECK_EQ(root_load(other), 0, "load");
	CHECK_EQ(read_at(USER_BASE), 1, "other root");
	CHECK_EQ(root_load(boot), 0, "load");
	map(USER_BASE, pages[1], PTE_PRESENT | PTE_NX);
	flush(USER_BASE);
	CHECK_EQ(root_load(other), 0, "load");
	CHECK_EQ(read_at(USER_BASE), 2, "other root, changed while it was loaded nowhere");
	CHECK_EQ(write_at(USER_BASE), VECTOR_PF, "read-only");
	root = boot;
	CHECK_EQ(root_load(boot), 0, "load");
	CHECK_EQ(mmu_destroy_root(other), 0, "destroy");
	root_free(other);
}

static void bad_range(uint32_t operation, uint64_t start, uint64_t end)
{
	uint64_t of = operation == RF_MMU_FLUSH_KERNEL ? 0 : root;

	CHECK_EQ(mmu_do(operation, of, start, end), -EINVAL, "operation %u, %#lx-%#lx", operation,
		 start, end);
	CHECK_EQ(read_at(USER_BASE), 1, "still there");
}

static void bad_ranges(void)
{
	static const struct {
		uint64_t start, end;
	} ranges[] = {
		{ 0x1000, 0x1000 },
		{ 0x2000, 0x1000 },
		{ 0x1001, 0x3000 },
		{ 0x1000, 0x3001 },
		{ 0, 0 },
		{ USER_END, USER_END + 0x1000 },
		{ 0x1000, USER_END + 0x1000 },
		{ 0x0000900000000000, 0x0000900000001000 },
		{ 0x1000, ~0xfffUL },
		{ 0xffff7ffffffff000, HYPERVISOR_START },
		{ HYPERVISOR_START, HYPERVISOR_END },
		{ HYPERVISOR_END - 0x1000, HYPERVISOR_END },
		{ 0xffff840000000000, 0xffff840000001000 },
		{ ~0xfffUL, 0x1000 },
		{ HYPERVISOR_START, 0 },
	};
	uint32_t i;

	map(USER_BASE, pages[0], PTE_PRESENT | PTE_WRITE | PTE_NX);
	flush(USER_BASE);
	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		bad_range(RF_MMU_FLUSH_RANGE, ranges[i].start, ranges[i].end);
		bad_range(RF_MMU_FLUSH_KERNEL, ranges[i].start, ranges[i].end);
		bad_range(RF_MMU_PREFILL, ranges[i].start, ranges[i].end);
	}
	bad_range(RF_MMU_FLUSH_RANGE, HYPERVISOR_END, HYPERVISOR_END + 0x1000);
	bad_range(RF_MMU_FLUSH_RANGE, HYPERVISOR_END, 0);
	bad_range(RF_MMU_FLUSH_KERNEL, 0x1000, 0x2000);
	bad_range(RF_MMU_FLUSH_KERNEL, HYPERVISOR_END, HYPERVISOR_END);
	CHECK_EQ(mmu_flush_kernel(~0xfffUL, 0), 0, "the last page of all");
	CHECK_EQ(mmu_flush(root, 0, USER_END), 0, "the user half");
	CHECK_EQ(mmu_flush_kernel(HYPERVISOR_END, 0), 0, "the kernel half");
}

static void make_pages(void)
{
	uint32_t i;

	for (i = 0; i < 4; i++) {
		uint8_t *page = page_alloc();

		memset(page, (int)i + 1, PAGE_SIZE);
		page[8] = 0xc3;
		pages[i] = physical_of(page);
	}
	large = physical_of(pages_alloc(512, LARGE_PAGE_SIZE));
	memset(pointer_of(large), 0x55, LARGE_PAGE_SIZE);
}

void test_main(void)
{
	root = root_boot();
	user_prepare(root);
	make_pages();
	all_in(USER_BASE);
	all_in(TEST_KERNEL_BASE);
	other_root();
	bad_ranges();
	if (test_is_control())
		test_audit_flushed();
}
