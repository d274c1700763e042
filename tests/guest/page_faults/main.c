// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that every combination of rights in the guest's page tables and kind of access succeeds
 * or faults as on hardware (NX, CR0.WP and SMEP on, SMAP off), with its error code and CR2, and
 * that the guest sees no fault that hardware would not give.
 */
/* covers: mmu_batch, cpuid */
#include "test.h"

const char test_title[] = "page faults";

#define LOCAL_APIC	 0xfee00000UL
#define USER_BASE	 (3UL << 39) /* far from the code of user.h */
#define NON_CANONICAL	 0x0000900000000000UL
#define CODE_KERNEL	 0  /* offset of a `ret` */
#define CODE_USER	 16 /* offset of a `syscall` */
#define DATA		 0x123
#define RIGHTS		 8
#define UPPER_ALL	 (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED)
#define OUTCOME_NO_FAULT 0x1000

USER_ASM(user_read, "mov (%rdi), %al; syscall");
USER_ASM(user_write, "movb $1, (%rdi); syscall");
USER_ASM(user_fetch, "jmp *%rdi");

/* The error code bits of an access; what it is. */
static const uint32_t accesses[] = {
	0, FAULT_WRITE, FAULT_FETCH, FAULT_USER, FAULT_USER | FAULT_WRITE, FAULT_USER | FAULT_FETCH
};
#define ACCESSES (sizeof(accesses) / sizeof(accesses[0]))

struct outcome {
	uint64_t vector;
	uint64_t error;
	uint64_t cr2;
};

static uint64_t root;
static uint8_t *page;

static uint64_t target(uint64_t base, uint32_t access)
{
	if (!(access & FAULT_FETCH))
		return base + DATA;
	return base + (access & FAULT_USER ? CODE_USER : CODE_KERNEL);
}

static struct outcome access_kernel(uint64_t address, uint32_t access)
{
	struct trap trap;

	TRY(&trap)
	{
		if (access & FAULT_FETCH)
			((void (*)(void))address)();
		else if (access & FAULT_WRITE)
			store8(address, 1);
		else
			load8(address);
	}
	return (struct outcome){ trap.vector, trap.error, trap.cr2 };
}

static struct outcome access_user(uint64_t address, uint32_t access)
{
	const void *code = access & FAULT_FETCH	  ? user_fetch
			   : access & FAULT_WRITE ? user_write
						  : user_read;
	struct user user;
	uint64_t vector;

	user_init(&user, user_address(code), address);
	vector = user_run(&user);
	return (struct outcome){ vector == VECTOR_SYSCALL ? VECTOR_NONE : vector, user.frame.error,
				 user.cr2 };
}

static struct outcome access_do(uint64_t address, uint32_t access)
{
	return access & FAULT_USER ? access_user(address, access) : access_kernel(address, access);
}

/* error: the error code it must fault with, or OUTCOME_NO_FAULT. */
static void expect(uint64_t address, uint32_t access, uint64_t error, const char *what,
		   uint64_t detail)
{
	struct outcome o = access_do(address, access);

	if (error == OUTCOME_NO_FAULT) {
		CHECK(o.vector == VECTOR_NONE,
		      "%s (%#lx): access %#x at %#lx: vector %lu error %#lx", what, detail, access,
		      address, o.vector, o.error);
		return;
	}
	CHECK(o.vector == VECTOR_PF && o.error == error && o.cr2 == address,
	      "%s (%#lx): access %#x at %#lx: vector %#lx error %#lx (not %#lx) cr2 %#lx", what,
	      detail, access, address, o.vector, o.error, error, o.cr2);
}

static void expect_all(uint64_t base, uint64_t error, const char *what, uint64_t detail)
{
	uint32_t i;

	for (i = 0; i < ACCESSES; i++)
		expect(target(base, accesses[i]), accesses[i], error | accesses[i], what, detail);
}

static void flush(uint64_t address)
{
	uint64_t start = address & ~(PAGE_SIZE - 1);

	if (address < USER_END)
		CHECK_EQ(mmu_flush(root, start, start + PAGE_SIZE), 0, "flush %#lx", address);
	else
		CHECK_EQ(mmu_flush_kernel(start, start + PAGE_SIZE), 0, "flush %#lx", address);
}

static uint64_t rights_bits(uint32_t rights)
{
	return (rights & 1 ? PTE_WRITE : 0) | (rights & 2 ? PTE_USER : 0) |
	       (rights & 4 ? PTE_NX : 0);
}

/* What hardware does with an access that these rights apply to. */
static uint64_t expected(uint64_t base, uint64_t upper, uint64_t leaf, uint32_t access)
{
	uint64_t allowed = upper & leaf & (PTE_WRITE | PTE_USER);
	bool never = (upper | leaf) & PTE_NX;
	bool good = true;

	if (access & FAULT_USER)
		good = allowed & PTE_USER;
	if (access & FAULT_WRITE)
		good = good && (allowed & PTE_WRITE);
	if (access & FAULT_FETCH)
		good = good && !never && (access & FAULT_USER || !(allowed & PTE_USER));
	/* What differs from hardware: see abi/mmu.h and the design of the two views. */
	if (base < USER_END && (access & (FAULT_FETCH | FAULT_USER)) == FAULT_FETCH)
		good = false;
	if (good && base >= USER_END && (access & FAULT_USER))
		return access;
	return good ? OUTCOME_NO_FAULT : access | FAULT_PRESENT;
}

static void check_rights(uint64_t base, int level, uint32_t upper, uint32_t leaf)
{
	uint64_t *above, table;
	uint32_t i;

	root_map(root, base, physical_of(page), PTE_PRESENT | PTE_AD | rights_bits(leaf));
	above = root_entry(root, base, level);
	table = *above & PTE_ADDRESS;
	atomic_store(above, table | PTE_PRESENT | PTE_ACCESSED | rights_bits(upper));
	flush(base);
	for (i = 0; i < ACCESSES; i++)
		expect(target(base, accesses[i]), accesses[i],
		       expected(base, rights_bits(upper), rights_bits(leaf), accesses[i]),
		       "rights: level, upper, leaf", (uint64_t)level << 8 | upper << 4 | leaf);
	atomic_store(above, table | UPPER_ALL);
	flush(base);
}

/* The level-4 entry of the kernel half stays as it is in all roots: levels 2 and 3 only. */
static void all_rights(uint64_t base)
{
	uint32_t upper, leaf;
	int level;

	for (level = 2; level <= (base < USER_END ? 4 : 3); level++) {
		for (upper = 0; upper < RIGHTS; upper++) {
			for (leaf = 0; leaf < RIGHTS; leaf++)
				check_rights(base, level, upper, leaf);
		}
	}
}

static void large_rights(uint64_t base)
{
	uint8_t *memory = pages_alloc(512, LARGE_PAGE_SIZE);
	uint32_t leaf, i;

	memcpy(memory, page, PAGE_SIZE);
	for (leaf = 0; leaf < RIGHTS; leaf++) {
		root_map_large(root, base, physical_of(memory),
			       PTE_PRESENT | PTE_AD | rights_bits(leaf));
		flush(base);
		for (i = 0; i < ACCESSES; i++)
			expect(target(base, accesses[i]), accesses[i],
			       expected(base, rights_bits(7 & ~4), rights_bits(leaf), accesses[i]),
			       "2 MiB rights", leaf);
	}
}

static void not_present(uint64_t base)
{
	int level;

	for (level = 1; level <= (base < USER_END ? 4 : 3); level++) {
		uint64_t *entry = root_entry(root, base, level);
		uint64_t old = *entry;

		/* Every bit but P: still not present. */
		atomic_store(entry, ~PTE_PRESENT);
		flush(base);
		expect_all(base, 0, "not present at level", (uint64_t)level);
		atomic_store(entry, old);
		flush(base);
	}
}

static uint32_t physical_bits(void)
{
	struct rf_cpuid result = {};

	CHECK_EQ(hv_cpuid(0x80000008, 0, ADDRESS(&result)), 0, "cpuid");
	return result.eax & 0xff;
}

static void reserved_bit(uint64_t base, int level, uint64_t bits)
{
	uint64_t *entry = root_entry(root, base, level);
	uint64_t old = *entry;

	atomic_store(entry, old | bits);
	flush(base);
	expect_all(base, FAULT_PRESENT | FAULT_RESERVED, "reserved bits at level",
		   (uint64_t)level | bits);
	atomic_store(entry, old);
	flush(base);
}

static void reserved_bits(uint64_t base)
{
	uint32_t bits = physical_bits();
	uint32_t bit;
	int level;

	root_map(root, base, physical_of(page), PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD);
	flush(base);
	if (!CHECK(bits >= 36 && bits <= 52, "%u physical bits", bits))
		return;
	for (level = 1; level <= 4; level++) {
		for (bit = bits; bit < 52; bit++)
			reserved_bit(base, level, 1UL << bit);
	}
	reserved_bit(base, 4, PTE_LARGE);
	reserved_bit(base, 2, PTE_LARGE | 1UL << 13);
	reserved_bit(base, 2, PTE_LARGE | 1UL << 20);
	reserved_bit(base, 3, PTE_LARGE | 1UL << 13);
	reserved_bit(base, 3, PTE_LARGE | 1UL << 29);
	expect(base + DATA, FAULT_USER, OUTCOME_NO_FAULT, "after reserved bits", 0);
}

/* A frame that no domain has: the guest's own mistake, reported as a reserved bit. */
static void foreign_frame(uint64_t base)
{
	root_map(root, base, LOCAL_APIC, PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD);
	flush(base);
	expect(base + DATA, 0, FAULT_PRESENT | FAULT_RESERVED, "no such frame", LOCAL_APIC);
	expect(base + DATA, FAULT_USER | FAULT_WRITE,
	       FAULT_PRESENT | FAULT_RESERVED | FAULT_USER | FAULT_WRITE, "no such frame",
	       LOCAL_APIC);
}

/* Loosening needs no flush, and the guest is not told of any fault on the way. */
static void loosening(uint64_t base)
{
	uint64_t flags = PTE_PRESENT | PTE_AD | PTE_USER | PTE_NX;
	uint64_t physical = physical_of(page);
	uint32_t user = base < USER_END ? FAULT_USER : 0;

	root_unmap(root, base);
	flush(base);
	expect(base + DATA, user, user, "absent", 0);
	root_map(root, base, physical, flags);
	expect(base + DATA, user, OUTCOME_NO_FAULT, "absent to read-only", 0);
	expect(base + DATA, user | FAULT_WRITE, user | FAULT_WRITE | FAULT_PRESENT, "read-only", 0);
	root_map(root, base, physical, flags | PTE_WRITE);
	expect(base + DATA, user | FAULT_WRITE, OUTCOME_NO_FAULT, "read-only to writable", 0);
	if (!user)
		return;
	expect(base + CODE_USER, FAULT_USER | FAULT_FETCH, FAULT_USER | FAULT_FETCH | FAULT_PRESENT,
	       "NX", 0);
	root_map(root, base, physical, (flags | PTE_WRITE) & ~PTE_NX);
	expect(base + CODE_USER, FAULT_USER | FAULT_FETCH, OUTCOME_NO_FAULT, "NX to executable", 0);
}

/* Whatever the guest's tables say there, nothing is mapped in the hypervisor's range. */
static void hypervisor_range(void)
{
	static const uint64_t addresses[] = { HYPERVISOR_START,	    HYPERVISOR_START + 0x100000,
					      0xffff804000000000UL, 0xffff808000000000UL,
					      0xffff840000000000UL, HYPERVISOR_END - PAGE_SIZE };
	uint32_t i;

	for (i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		root_map(root, addresses[i], physical_of(page),
			 PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD);
		expect_all(addresses[i], 0, "hypervisor's range", addresses[i]);
	}
	memset((uint64_t *)pointer_of(root) + 256, 0, 16 * sizeof(uint64_t));
}

static void last_user_page(void)
{
	uint64_t last = USER_END - PAGE_SIZE;

	root_map(root, last, physical_of(page), PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD);
	root_map(root, last - PAGE_SIZE, physical_of(page),
		 PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_AD);
	expect_all(last, 0, "last page of the user half", last);
	expect(last - PAGE_SIZE + DATA, FAULT_USER, OUTCOME_NO_FAULT, "last but one page", 0);
	expect(last - PAGE_SIZE + CODE_USER, FAULT_USER | FAULT_FETCH, OUTCOME_NO_FAULT,
	       "last but one page", 0);
}

static void non_canonical(void)
{
	uint32_t i;

	for (i = 0; i < ACCESSES; i++) {
		struct outcome o = access_do(target(NON_CANONICAL, accesses[i]), accesses[i]);

		CHECK(o.vector == VECTOR_GP && o.error == 0,
		      "non-canonical, access %#x: vector %#lx error %#lx", accesses[i], o.vector,
		      o.error);
	}
}

/* An access across two pages faults at the first byte that it may not touch. */
static void crossing(uint64_t base)
{
	struct trap trap;

	root_map(root, base, physical_of(page), PTE_USER_RW);
	root_unmap(root, base + PAGE_SIZE);
	flush(base);
	flush(base + PAGE_SIZE);
	TRY(&trap)
	store64(base + PAGE_SIZE - 3, 0);
	CHECK(trap.vector == VECTOR_PF && trap.cr2 == base + PAGE_SIZE && trap.error == FAULT_WRITE,
	      "vector %lu cr2 %#lx error %#lx", trap.vector, trap.cr2, trap.error);
}

static void make_page(void)
{
	page = page_alloc();
	page[CODE_KERNEL] = 0xc3;
	page[CODE_USER] = 0x0f;
	page[CODE_USER + 1] = 0x05;
}

static void all_in(uint64_t base)
{
	all_rights(base);
	not_present(base);
	loosening(base + PAGE_SIZE);
	large_rights(base + LARGE_PAGE_SIZE);
}

void test_main(void)
{
	root = root_boot();
	user_prepare(root);
	make_page();
	all_in(USER_BASE);
	all_in(TEST_KERNEL_BASE);
	reserved_bits(USER_BASE);
	foreign_frame(USER_BASE);
	crossing(USER_BASE);
	hypervisor_range();
	last_user_page();
	non_canonical();
	if (test_is_control())
		test_audit();
}
