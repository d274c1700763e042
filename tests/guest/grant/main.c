// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a domain reaches frames of another that were granted to it, where and as far as the
 * grant says, and no others; that none is reached after it was unmapped, while a frame that is
 * mapped stays whatever its owner does, even dying; that the granter sees what is in use; and that
 * what is wrong is refused.
 */
/* covers: grant_register, grant_map, grant_unmap, grant_copy */
/* timeout: 200 */
/* status: 0 */
#include "grant.h"
#include "test.h"

const char test_title[] = "grants";

/* Domains, in the order of the file `machine`. */
#define CONTROL	      0
#define GIVER	      1
#define TAKER	      2
#define HOLDER	      3
#define NOT_THERE     900

/* What the giver grants to whom: numbers for domain d are d * EACH and on. */
#define EACH	      16
#define MAILBOX	      0 /* one frame, writable */
#define READ_ONLY     1 /* one frame */
#define REGION	      2 /* REGION_FRAMES, writable */
#define SCATTERED     3 /* the same, of frames that do not follow each other in the machine */
#define SPARE	      4 /* nothing at first */
#define HOLE	      5 /* a frame that is not there */
#define REGION_FRAMES 600

#define PATTERN	      0x6a4e7ed000000000UL
#define WINDOW	      0x100000000UL /* of the user half */
#define WAIT	      (20 * SECOND)

/* What the giver is asked to do, in the frame MAILBOX. */
enum { NOTHING, REVOKE, GRANT_AGAIN, RELEASE, IS_USED, END };

struct mailbox {
	volatile uint64_t command;
	volatile uint64_t answer;
};

static uint64_t number_for(uint32_t domain, uint32_t which)
{
	return domain * EACH + which;
}

/* --- the giver --- */

static uint64_t *read_only[4], *region[4], *scattered[4];
static struct mailbox *mailbox[4];

static void fill(uint64_t *page, uint64_t count, uint64_t mark)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		page[i * 512] = PATTERN | mark << 16 | i;
}

/* Every second frame goes and comes back from elsewhere. */
static void scatter(uint64_t *pages, uint64_t count)
{
	struct rf_memory_extent extent = {};
	uint64_t i;

	for (i = 0; i < count; i += 2) {
		extent.gfn = physical_of(&pages[i * 512]) / PAGE_SIZE;
		CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1), 1, "release");
	}
	for (i = 0; i < count; i += 2) {
		extent.gfn = physical_of(&pages[(count - 2 - i) * 512]) / PAGE_SIZE;
		CHECK_EQ(hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1), 1, "populate");
	}
}

static void give_to(uint32_t domain)
{
	struct rf_memory_extent hole = {};
	uint64_t *absent = page_alloc();

	mailbox[domain] = page_alloc();
	read_only[domain] = page_alloc();
	region[domain] = pages_alloc(REGION_FRAMES, PAGE_SIZE);
	scattered[domain] = pages_alloc(REGION_FRAMES, PAGE_SIZE);
	scatter(scattered[domain], REGION_FRAMES);
	fill(read_only[domain], 1, READ_ONLY);
	fill(region[domain], REGION_FRAMES, REGION);
	fill(scattered[domain], REGION_FRAMES, SCATTERED);
	hole.gfn = physical_of(absent) / PAGE_SIZE;
	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&hole), 1), 1, "hole");
	grant_set(number_for(domain, HOLE), domain, physical_of(absent), 1, RF_GRANT_WRITE);
	grant_set(number_for(domain, READ_ONLY), domain, physical_of(read_only[domain]), 1, 0);
	grant_set(number_for(domain, REGION), domain, physical_of(region[domain]), REGION_FRAMES,
		  RF_GRANT_WRITE);
	grant_set(number_for(domain, SCATTERED), domain, physical_of(scattered[domain]),
		  REGION_FRAMES, RF_GRANT_WRITE);
	/* Last: who has this has all. */
	grant_set(number_for(domain, MAILBOX), domain, physical_of(mailbox[domain]), 1,
		  RF_GRANT_WRITE);
}

static uint64_t obey(uint32_t domain, uint64_t command)
{
	struct rf_memory_extent extent = { .gfn = physical_of(read_only[domain]) / PAGE_SIZE };

	switch (command) {
	case REVOKE:
		return !grant_revoke(number_for(domain, READ_ONLY));
	case GRANT_AGAIN:
		grant_set(number_for(domain, READ_ONLY), domain, physical_of(read_only[domain]), 1,
			  0);
		return 0;
	case RELEASE:
		return hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1) != 1;
	default:
		return grant_is_used(number_for(domain, READ_ONLY));
	}
}

static void gives(void)
{
	uint32_t ended = 0;
	uint32_t domain;

	grant_init();
	for (domain = CONTROL; domain <= HOLDER; domain++)
		if (domain != GIVER)
			give_to(domain);
	while (ended < 2) {
		for (domain = CONTROL; domain <= TAKER; domain++) {
			struct mailbox *m = mailbox[domain];

			if (domain == GIVER || m->command == NOTHING)
				continue;
			ended += m->command == END;
			m->answer = obey(domain, m->command);
			__atomic_store_n(&m->command, NOTHING, __ATOMIC_SEQ_CST);
		}
		hv_yield();
	}
}

/* --- who uses them --- */

static uint32_t self;
static struct mailbox *box;

static uint64_t *window(uint64_t page)
{
	return (uint64_t *)(WINDOW + page * PAGE_SIZE);
}

static void see(uint64_t page, uint64_t gfn, uint64_t flags)
{
	root_map(root_boot(), ADDRESS(window(page)), gfn * PAGE_SIZE, flags);
}

static uint64_t reading(uint64_t page)
{
	struct trap trap;

	TRY(&trap)
	load64(ADDRESS(window(page)));
	return trap.vector == VECTOR_PF ? trap.error : trap.vector;
}

static uint64_t writing(uint64_t page, uint64_t value)
{
	struct trap trap;

	TRY(&trap)
	store64(ADDRESS(window(page)), value);
	return trap.vector == VECTOR_PF ? trap.error : trap.vector;
}

static uint64_t ask(uint64_t command)
{
	uint64_t end = clock_ns() + WAIT;

	__atomic_store_n(&box->command, command, __ATOMIC_SEQ_CST);
	while (box->command != NOTHING) {
		if (clock_ns() > end)
			ERROR("the giver does not answer");
		hv_yield();
	}
	return box->answer;
}

static uint32_t my(uint32_t which)
{
	return (uint32_t)number_for(self, which);
}

/* Its pages 0 and on are for what is mapped for good, 16 and on for the tests. */
static void open_mailbox(uint32_t giver)
{
	uint64_t end = clock_ns() + WAIT, gfn;
	int64_t handle;

	while ((handle = grant_map(giver, my(MAILBOX), 0, &gfn, RF_GRANT_MAP_WRITE)) == -ENOENT)
		if (clock_ns() > end)
			ERROR("the giver gives nothing");
		else
			hv_yield();
	CHECK(handle >= 0, "mailbox: %ld", handle);
	see(0, gfn, PTE_USER_RW);
	box = (struct mailbox *)window(0);
}

static void one_frame(void)
{
	const uint64_t absent = FAULT_PRESENT | FAULT_RESERVED;
	uint64_t gfn;
	int64_t handle;

	CHECK_EQ(grant_map(GIVER, my(READ_ONLY), 16, &gfn, RF_GRANT_MAP_WRITE), -EPERM, "write");
	handle = grant_map(GIVER, my(READ_ONLY), 16, &gfn, 0);
	CHECK(handle > 0, "%ld", handle);
	see(16, gfn, PTE_USER_RW);
	CHECK_EQ(reading(16), VECTOR_NONE, "read");
	CHECK_EQ(*window(16), PATTERN | READ_ONLY << 16, "contents");
	CHECK_EQ(writing(16, 1), absent | FAULT_WRITE, "write");
	CHECK_EQ(reading(16), VECTOR_NONE, "read");
	CHECK_EQ(*window(16), PATTERN | READ_ONLY << 16, "contents");
	CHECK_EQ(mmu_flush(root_boot(), WINDOW, WINDOW + 64 * PAGE_SIZE), 0, "flush");
	CHECK_EQ(writing(16, 1), absent | FAULT_WRITE, "write after a flush");
	CHECK_EQ(ask(IS_USED), 1, "in use");
	CHECK_EQ(ask(REVOKE), 1, "revoked while in use");
	CHECK_EQ(reading(16), VECTOR_NONE, "read");
	CHECK_EQ(grant_map(GIVER, my(READ_ONLY), 17, &gfn, 0), -ENOENT, "map what is revoked");
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
	CHECK_EQ(reading(16), absent, "read");
	CHECK_EQ(ask(IS_USED), 0, "not in use");
	CHECK_EQ(grant_unmap(handle), -ENOENT, "unmap twice");
	CHECK_EQ(ask(GRANT_AGAIN), 0, "again");
}

/* Its giver gives it up, and it stays as it is, for whoever has mapped it. */
static void released_frame(void)
{
	uint64_t gfn;
	int64_t handle = grant_map(GIVER, my(READ_ONLY), 16, &gfn, 0);

	CHECK(handle > 0, "%ld", handle);
	see(16, gfn, PTE_USER_RW);
	CHECK_EQ(ask(RELEASE), 0, "release");
	CHECK_EQ(*window(16), PATTERN | READ_ONLY << 16, "contents");
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
	CHECK_EQ(reading(16), FAULT_PRESENT | FAULT_RESERVED, "read");
	CHECK_EQ(grant_map(GIVER, my(READ_ONLY), 16, &gfn, 0), -ENODATA, "map what is gone");
	CHECK_EQ(ask(IS_USED), 0, "not in use");
}

/* Every frame is the right one, can be written where that is allowed, and is gone afterwards. */
static void look_at_region(uint32_t which, uint32_t first, uint32_t count, bool write)
{
	uint64_t page;

	for (page = 0; page < count; page++) {
		if (!CHECK_EQ(*window(16 + page), PATTERN | (uint64_t)which << 16 | (first + page),
			      "page %lu", page))
			break;
		if (write)
			*(window(16 + page) + 1) = first + page;
		else
			CHECK_EQ(writing(16 + page, 0),
				 FAULT_PRESENT | FAULT_RESERVED | FAULT_WRITE, "page %lu", page);
	}
}

/* The control domain gets it in as many pieces as it has in the machine. */
static uint32_t map_region(uint32_t which, uint32_t flags, int64_t *handles)
{
	uint32_t first = 0, pieces = 0;

	while (first < REGION_FRAMES) {
		uint32_t count = REGION_FRAMES - first, page;
		uint64_t gfn = grant_gfn(first + 32);

		handles[pieces] = grant_map_some(GIVER, my(which), first, &count, &gfn, flags);
		if (!CHECK(handles[pieces] >= 0, "%ld", handles[pieces]))
			break;
		for (page = 0; page < count; page++)
			see(16 + first + page, gfn + page, PTE_USER_RW);
		first += count;
		pieces++;
	}
	return pieces;
}

static void one_region(uint32_t which, uint32_t flags)
{
	static int64_t handles[REGION_FRAMES];
	uint32_t pieces = map_region(which, flags, handles);
	uint32_t i;

	printf("%u frames in %u mappings\n", REGION_FRAMES, pieces);
	CHECK(self == CONTROL || pieces == 1, "%u mappings", pieces);
	CHECK(self != CONTROL || which != SCATTERED || pieces > 1, "%u mappings", pieces);
	look_at_region(which, 0, REGION_FRAMES, flags);
	if (self == CONTROL)
		test_audit();
	for (i = 0; i < pieces; i++)
		CHECK_EQ(grant_unmap(handles[i]), 0, "unmap %u", i);
	for (i = 0; i < REGION_FRAMES; i++)
		CHECK_EQ(reading(16 + i), FAULT_PRESENT | FAULT_RESERVED, "page %u", i);
}

/* One large entry of ours over the frames: no wider, and nothing beside them. */
static void large_entry(void)
{
	uint64_t gfn = grant_gfn(1024), address = WINDOW + LARGE_PAGE_SIZE * 8;
	uint32_t count = 16, seen = 0;
	int64_t handle = grant_map_some(GIVER, my(REGION), 100, &count, &gfn, 0);
	struct trap trap;
	uint32_t i;

	CHECK(handle > 0, "%ld", handle);
	root_map_large(root_boot(), address, gfn * PAGE_SIZE & ~(LARGE_PAGE_SIZE - 1), PTE_USER_RW);
	for (i = 0; i < 512; i++) {
		TRY(&trap)
		seen += load64(address + i * PAGE_SIZE) >> 32 == PATTERN >> 32;
		TRY(&trap)
		store64(address + i * PAGE_SIZE + 8, 1);
		CHECK(trap.vector == VECTOR_PF || self == CONTROL, "page %u", i);
	}
	CHECK_EQ(seen, count, "pages");
	address += gfn * PAGE_SIZE % LARGE_PAGE_SIZE;
	TRY(&trap)
	store64(address, 1);
	CHECK_EQ(trap.vector, VECTOR_PF, "write");
	CHECK_EQ(mmu_do(RF_MMU_PREFILL, root_boot(), address, address + PAGE_SIZE), 0, "prefill");
	TRY(&trap)
	store64(address, 1);
	CHECK_EQ(trap.vector, VECTOR_PF, "write after prefill");
	if (self == CONTROL)
		test_audit();
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
	TRY(&trap)
	load64(address);
	CHECK_EQ(trap.vector, VECTOR_PF, "read");
}

static void copies(void)
{
	uint64_t *page = page_alloc();

	CHECK_EQ(grant_copy_from(GIVER, my(REGION), 7 * PAGE_SIZE, page, PAGE_SIZE), 0, "from");
	CHECK_EQ(page[0], PATTERN | REGION << 16 | 7, "contents");
	page[3] = 0x1234;
	CHECK_EQ(grant_copy_to(GIVER, my(REGION), 8 * PAGE_SIZE + 24, &page[3], 8), 0, "to");
	page[3] = 0;
	CHECK_EQ(grant_copy_from(GIVER, my(REGION), 8 * PAGE_SIZE, page, 32), 0, "from");
	CHECK_EQ(page[0], PATTERN | REGION << 16 | 8, "contents");
	CHECK_EQ(page[3], 0x1234, "contents");
	CHECK_EQ(grant_copy_to(GIVER, my(READ_ONLY), 0, page, 8), -EPERM, "to what may be read");
	CHECK_EQ(grant_copy_from(GIVER, my(REGION), 0, page + 1, PAGE_SIZE), -EINVAL, "two pages");
	CHECK_EQ(grant_copy_from(GIVER, my(REGION), 4095, page, 2), -EINVAL, "two pages");
	CHECK_EQ(grant_copy_from(GIVER, my(REGION), 0, page, 0), -EINVAL, "nothing");
	CHECK_EQ(grant_copy_from(GIVER, my(REGION), REGION_FRAMES * PAGE_SIZE, page, 8), -ERANGE,
		 "beyond");
	CHECK_EQ(grant_copy_from(GIVER, my(HOLE), 0, page, 8), -ENODATA, "a hole");
	CHECK_EQ(grant_copy_from(GIVER, my(SPARE), 0, page, 8), -ENOENT, "nothing granted");
	CHECK_EQ(grant_copy_from(RF_DOMAIN_SELF, 0, physical_of(page), page, 8), 0, "our own");
	CHECK_EQ(grant_copy_from(self, 0, physical_of(page), page, 8), -EINVAL, "by our number");
	CHECK_EQ(grant_copy_from(NOT_THERE, 0, 0, page, 8), -ESRCH, "of nobody");
	CHECK_EQ(ask(IS_USED), 0, "not in use");
}

static void expect_map(struct rf_grant_map op, int64_t expected, const char *what)
{
	CHECK_EQ(hv_grant_map(ADDRESS(&op), 1), expected, "%s", what);
}

static void refused(void)
{
	const uint32_t number = my(REGION), others = (uint32_t)number_for(HOLDER, REGION);
	const uint64_t gfn = grant_gfn(2000), own = physical_of(grant_page) / PAGE_SIZE;
	struct rf_grant_unmap bad = { .handle = 0, .reserved = 1 };
	uint32_t bit;

	expect_map((struct rf_grant_map){ GIVER, others, 0, 1, gfn, 0, 0 }, -ENOENT, "another's");
	expect_map((struct rf_grant_map){ GIVER, my(SPARE), 0, 1, gfn, 0, 0 }, -ENOENT, "none");
	expect_map((struct rf_grant_map){ GIVER, my(HOLE), 0, 1, gfn, 0, 0 }, -ENODATA, "a hole");
	expect_map((struct rf_grant_map){ GIVER, number, 599, 2, gfn, 0, 0 }, -ERANGE, "beyond");
	expect_map((struct rf_grant_map){ GIVER, number, 0, 0, gfn, 0, 0 }, -EINVAL, "no frame");
	expect_map((struct rf_grant_map){ GIVER, number, 0, 1, gfn, 0, 7 }, -EINVAL, "a handle");
	expect_map((struct rf_grant_map){ GIVER, number, 0, 1, own, 0, 0 },
		   self == CONTROL ? -EINVAL : -EEXIST, "where memory is");
	expect_map((struct rf_grant_map){ GIVER, number, 0, 1, ~0UL, 0, 0 }, -EINVAL, "gfn -1");
	expect_map((struct rf_grant_map){ self, number, 0, 1, gfn, 0, 0 }, -EINVAL, "of our own");
	expect_map((struct rf_grant_map){ NOT_THERE, number, 0, 1, gfn, 0, 0 }, -ESRCH, "nobody's");
	for (bit = 1; bit < 32; bit++)
		expect_map((struct rf_grant_map){ GIVER, number, 0, 1, gfn, 1U << bit, 0 }, -EINVAL,
			   "flags");
	for (bit = 7; bit < 32; bit++)
		expect_map((struct rf_grant_map){ GIVER, 1U << bit, 0, 1, gfn, 0, 0 }, -ENOENT,
			   "number");
	for (bit = 1; bit < 32; bit++)
		CHECK_EQ(grant_unmap(1L << bit), -ENOENT, "handle %u", bit);
	CHECK_EQ(hv_grant_unmap(ADDRESS(&bad), 1), -EINVAL, "reserved");
	CHECK_EQ(hv_grant_map(0, RF_GRANT_BATCH_MAX + 1), -E2BIG, "too many");
	CHECK_EQ(hv_grant_unmap(0, RF_GRANT_BATCH_MAX + 1), -E2BIG, "too many");
	CHECK_EQ(hv_grant_copy(0, ~0UL), -E2BIG, "too many");
	CHECK_EQ(hv_grant_map(HYPERVISOR_START, 1), -EFAULT, "not ours");
	CHECK_EQ(hv_grant_unmap(USER_END, 1), -EFAULT, "not there");
	CHECK_EQ(hv_grant_copy(ADDRESS(window(4000)), 1), -EFAULT, "not mapped");
	CHECK_EQ(hv_grant_register(~0UL), -EINVAL, "page -1");
	CHECK_EQ(hv_grant_register(1UL << 40), -EINVAL, "page 2^40");
}

/* What is granted is memory to look at: nothing that the hypervisor looks at. */
static void not_for_the_hypervisor(void)
{
	uint64_t gfn;
	int64_t handle = grant_map(GIVER, my(MAILBOX), 40, &gfn, RF_GRANT_MAP_WRITE);
	uint64_t root = root_new();
	struct trap trap;

	CHECK(handle > 0, "%ld", handle);
	see(16, gfn, PTE_USER_RW);
	CHECK_EQ(hv_grant_register(gfn), -EINVAL, "grant page");
	CHECK_EQ(hv_event_register_page(gfn), -EINVAL, "event page");
	CHECK_EQ(hv_vcpu_register_page(gfn), -EINVAL, "vCPU page");
	CHECK_EQ(hv_grant_unmap(ADDRESS(window(16)), 1), -EFAULT, "argument");
	CHECK_EQ(mmu_do(RF_MMU_LOAD_ROOT, gfn * PAGE_SIZE, 0, 0), -EINVAL, "root");
	*root_entry(root, WINDOW, 2) = gfn * PAGE_SIZE | PTE_USER_RW;
	CHECK_EQ(root_load(root), 0, "load");
	TRY(&trap)
	load64(WINDOW);
	CHECK_EQ(trap.vector, VECTOR_PF, "a page table");
	CHECK_EQ(root_load(root_boot()), 0, "load");
	*root_entry(root, WINDOW, 2) = 0;
	CHECK_EQ(mmu_destroy_root(root), 0, "destroy");
	root_free(root);
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
}

static void all_of_it(void)
{
	refused();
	one_frame();
	copies();
	one_region(REGION, RF_GRANT_MAP_WRITE);
	one_region(REGION, 0);
	one_region(SCATTERED, 0);
	large_entry();
	not_for_the_hypervisor();
	released_frame();
}

/* Holds what it mapped until it is destroyed, and grants to the control domain. */
static void holds(void)
{
	uint64_t *page = page_alloc(), gfn;

	grant_init();
	open_mailbox(GIVER);
	CHECK(grant_map(GIVER, my(REGION), 1, &gfn, RF_GRANT_MAP_WRITE) > 0, "region");
	fill(page, 1, HOLDER);
	grant_set(0, CONTROL, physical_of(page), 1, RF_GRANT_WRITE);
	for (;;)
		hv_block();
}

/* --- the control domain looks at their ends --- */

static void destroy(uint32_t domain)
{
	struct rf_domain_info info;

	CHECK_EQ(hv_domain_destroy(domain), 0, "domain %u", domain);
	while (!hv_domain_info(domain, ADDRESS(&info)))
		hv_yield();
	test_audit();
}

/* It mapped others' memory, and we its own. */
static void holder_ends(void)
{
	uint64_t end = clock_ns() + WAIT, gfn;
	int64_t handle;

	while ((handle = grant_map(HOLDER, 0, 0, &gfn, RF_GRANT_MAP_WRITE)) == -ENOENT &&
	       clock_ns() < end)
		hv_yield();
	CHECK(handle > 0, "%ld", handle);
	see(20, gfn, PTE_USER_RW);
	CHECK_EQ(*window(20), PATTERN | HOLDER << 16, "contents");
	destroy(HOLDER);
	CHECK_EQ(*window(20), PATTERN | HOLDER << 16, "contents");
	CHECK_EQ(writing(20, 1), VECTOR_NONE, "write");
	CHECK_EQ(grant_map(HOLDER, 0, 0, &gfn, 0), -ESRCH, "gone");
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
	CHECK_EQ(reading(20), FAULT_PRESENT | FAULT_RESERVED, "read");
	test_audit();
}

static void giver_ends(void)
{
	static int64_t handles[REGION_FRAMES];
	uint32_t pieces = map_region(REGION, RF_GRANT_MAP_WRITE, handles);
	struct rf_domain_info info;
	uint32_t i;

	ask(END);
	CHECK_EQ(domain_wait_end(GIVER, 60, &info), RF_DOMAIN_SHUTDOWN, "giver");
	CHECK_EQ(domain_wait_end(TAKER, 60, &info), RF_DOMAIN_SHUTDOWN, "taker");
	look_at_region(REGION, 0, 100, RF_GRANT_MAP_WRITE);
	destroy(GIVER);
	look_at_region(REGION, 0, REGION_FRAMES, RF_GRANT_MAP_WRITE);
	for (i = 0; i < pieces; i++)
		CHECK_EQ(grant_unmap(handles[i]), 0, "unmap");
	CHECK_EQ(reading(16), FAULT_PRESENT | FAULT_RESERVED, "read");
	/* The mailbox of the taker, which has ended with its mappings, and ours. */
	destroy(TAKER);
	test_audit();
}

void test_main(void)
{
	self = start_info->domain;
	if (test_option("giver")) {
		gives();
		return;
	}
	if (test_option("holder"))
		holds();
	grant_init();
	open_mailbox(GIVER);
	all_of_it();
	if (self == TAKER) {
		ask(END);
		return;
	}
	holder_ends();
	giver_ends();
}
