// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that no domain reads a frame that is not its own: every guest frame number there is is
 * mapped and touched, in the control domain and in two others, all of which fill their memory with
 * a secret; and that frames come back as zeroes once their domain is gone. The control domain may
 * read what is no RAM.
 */
/* covers: memory_populate, memory_release, domain_destroy */
/* timeout: 200 */
#include "test.h"

const char test_title[] = "other domains' frames";

#define WINDOW	     0x100000000UL /* of the user half: a GiB */
#define WINDOW_PAGES 4096UL
#define SECRET	     0x5ec4e7a1b2c3d400UL
#define SECRETS	     2048	 /* pages */
#define BEYOND	     (1UL << 20) /* frames looked at above the last range */

/* Of the machine, whose size is in the file `machine`: BIOS and video memory, then devices. */
#define HOLE_START   (640UL << 10)
#define HOLE_END     (1UL << 20)
#define RAM_END	     (224UL << 20)
#define TABLES_SIZE  (128UL << 10) /* of the firmware, below the end of RAM */

static uint64_t root;
static uint64_t readable, secrets_seen;

/* May we have this frame? In the control domain, by what it was told. */
static bool is_mine(uint64_t gfn)
{
	uint64_t address = gfn * PAGE_SIZE;
	uint32_t i;

	for (i = 0; i < start_info->ranges; i++) {
		const struct rf_start_range *r = &start_info->range[i];

		if (r->kind == RF_RANGE_RAM && address >= r->start && address - r->start < r->size)
			return true;
	}
	return false;
}

static bool is_foreign(uint64_t gfn)
{
	uint64_t address = gfn * PAGE_SIZE;
	uint32_t i;

	for (i = 0; i < start_info->ranges; i++) {
		const struct rf_start_range *r = &start_info->range[i];

		if (r->kind == RF_RANGE_FOREIGN && address >= r->start &&
		    address - r->start < r->size)
			return true;
	}
	return false;
}

static bool is_device(uint64_t gfn)
{
	uint64_t address = gfn * PAGE_SIZE;

	if (!test_is_control())
		return false;
	return address >= RAM_END - TABLES_SIZE ||
	       (address >= HOLE_START - PAGE_SIZE && address < HOLE_END);
}

static uint64_t highest_gfn(void)
{
	uint64_t end = 0;
	uint32_t i;

	for (i = 0; i < start_info->ranges; i++) {
		const struct rf_start_range *r = &start_info->range[i];

		if (r->kind != RF_RANGE_RAM && r->kind != RF_RANGE_FOREIGN)
			continue;
		if (r->start + r->size > end)
			end = r->start + r->size;
	}
	return end / PAGE_SIZE;
}

static void look(uint64_t gfn, uint64_t address)
{
	volatile uint64_t value = 0;
	struct trap trap;

	TRY(&trap)
	value = load64(address);
	if (trap.vector == VECTOR_NONE) {
		readable++;
		/* Ours is marked with our own number. */
		if ((value & ~0xffUL) == SECRET && (value & 0xff) != start_info->domain)
			secrets_seen++;
	}
	if (is_mine(gfn) || (is_device(gfn) && trap.vector == VECTOR_NONE))
		return;
	CHECK_EQ(trap.vector, VECTOR_PF, "gfn %#lx, value %#lx", gfn, value);
	CHECK_EQ(trap.error, FAULT_PRESENT | FAULT_RESERVED, "gfn %#lx", gfn);
}

static void sweep_from(uint64_t gfn)
{
	uint64_t i;

	for (i = 0; i < WINDOW_PAGES; i++)
		root_map(root, WINDOW + i * PAGE_SIZE, (gfn + i) * PAGE_SIZE, PTE_USER_RO);
	CHECK_EQ(mmu_flush(root, WINDOW, WINDOW + WINDOW_PAGES * PAGE_SIZE), 0, "flush");
	for (i = 0; i < WINDOW_PAGES; i++)
		look(gfn + i, WINDOW + i * PAGE_SIZE);
}

static void sweep(void)
{
	uint64_t end = highest_gfn();
	uint64_t gfn, bit;

	for (gfn = 0; gfn < end + WINDOW_PAGES; gfn += WINDOW_PAGES)
		sweep_from(gfn);
	for (bit = 20; bit < 40; bit++)
		sweep_from((1UL << bit) - WINDOW_PAGES / 2);
	printf("%lu frames readable\n", readable);
	CHECK(readable * PAGE_SIZE >= start_info->memory_bytes / 2, "%lu readable", readable);
	CHECK_EQ(secrets_seen, 0, "secrets");
}

static void fill_with_secrets(void)
{
	uint64_t pages = test_is_control() ? SECRETS : 512;
	uint64_t *memory = pages_alloc(pages, PAGE_SIZE);
	uint64_t i;

	for (i = 0; i < pages * PAGE_SIZE / 8; i++)
		memory[i] = SECRET | start_info->domain;
}

/* Its frames as the control domain gets them. */
static bool take_and_look(uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };
	uint64_t *page = pointer_of(gfn * PAGE_SIZE);
	uint32_t i;

	if (hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1) != 1)
		return false;
	for (i = 0; i < PAGE_SIZE / 8; i++) {
		if (!CHECK_EQ(page[i], 0, "gfn %#lx word %u", gfn, i))
			break;
	}
	memset(page, 0xee, PAGE_SIZE);
	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1), 1, "gfn %#lx", gfn);
	return true;
}

static void take_all(void)
{
	struct rf_memory_extent own = { .gfn = physical_of(page_alloc()) / PAGE_SIZE };
	uint64_t end = highest_gfn();
	uint64_t taken = 0;
	uint64_t gfn;

	/* Room for one within the limit. */
	CHECK_EQ(hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&own), 1), 1, "own");
	for (gfn = 256; gfn < end; gfn++)
		taken += is_foreign(gfn) && take_and_look(gfn);
	printf("%lu frames that were others' are zero\n", taken);
	CHECK(taken > 2 * (20UL << 20) / PAGE_SIZE, "%lu taken", taken);
	CHECK_EQ(hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&own), 1), 1, "own");
}

static void end_of(const char *name)
{
	struct rf_domain_info info = {};
	uint32_t domain = domain_named(name);

	CHECK_EQ(domain_wait_end(domain, 100, &info), RF_DOMAIN_SHUTDOWN, "%s", name);
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", name);
	while (!hv_domain_info(domain, ADDRESS(&info)))
		hv_yield();
}

void test_main(void)
{
	root = root_boot();
	fill_with_secrets();
	sweep();
	if (!test_is_control())
		return;
	test_audit();
	end_of("first");
	end_of("second");
	take_all();
	sweep();
	test_audit();
}
