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
		CHECK_EQ(hv_memory_release(ADDRESS(&extent), 1), 1, "release");
	}
	for (i = 0; i < count; i += 2) {
		extent.gfn = physical_of(&pages[(count - 2 - i) * 512]) / PAGE_SIZE;
		CHECK_EQ(hv_memory_populate(ADDRESS(&extent), 1), 1, "populate");
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
	CHECK_EQ(hv_memory_release(ADDRESS(&hole), 1), 1, "hole");
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
		return hv_memory_release(ADDRESS(&extent), 1) != 1;
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

void test_main(void)
{
	self = start_info->domain;
	if (test_option("giver")) {
		gives();
		return;
	}
	if (test_option("holder"))
		return;
	grant_init();
	open_mailbox(GIVER);
	one_frame();
	ask(END);
}
