// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that grants hold while everything happens at once: on each domain's vCPU 0 frames are granted
 * to whoever and revoked, and once nobody uses one any more, nobody writes it; on its others they are
 * mapped, touched, unmapped and copied. The control domain does the same, audits all along, and
 * destroys a domain in the middle of it.
 */
/* covers: grant_map, grant_unmap, grant_copy */
/* timeout: 300 */
#include "grant.h"
#include "test.h"

const char test_title[] = "grants, all at once";

#define CONTROL 0
#define ENDLESS 3
#define DOMAINS 4
#define FRAMES	8
#define ROUNDS	(test_option("full") ? 20000U : 400U)
#define ENOUGH	50
#define LOOKS	200
#define WINDOW	0x100000000UL
#define MINE	0x1111111111111111UL

static uint64_t *frames[FRAMES]; /* that this domain grants: by the number of the entry */
static uint32_t self;
static volatile bool stop;
static volatile uint32_t owned, used;

/* --- who grants --- */

static uint32_t another_domain(void)
{
	return (self + 1 + (uint32_t)random_below(DOMAINS - 1)) % DOMAINS;
}

static bool is_mine(const uint64_t *frame)
{
	uint32_t i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		if (load64(ADDRESS(&frame[i])) != MINE)
			return false;
	return true;
}

/* It is not in use: all that is written there is what we write. */
static void own(uint64_t *frame)
{
	uint32_t i;

	for (i = 0; i < PAGE_SIZE / 8; i++)
		store64(ADDRESS(&frame[i]), MINE);
	for (i = 0; i < LOOKS && load64(ADDRESS(&frame[i])) == MINE; i++)
		relax();
	CHECK(is_mine(frame), "somebody writes a frame that is ours again");
	owned++;
}

/* Most of the time most of them are granted to somebody. */
static void revoke_and_grant(void)
{
	uint32_t number = (uint32_t)random_below(FRAMES);

	if (grant_revoke(number))
		own(frames[number]);
	if (random_below(8))
		grant_set(number, another_domain(), physical_of(frames[number]), 1,
			  random_below(4) ? RF_GRANT_WRITE : 0);
	relax();
}

static bool goes_on(uint32_t round)
{
	return round < ROUNDS || owned < ENOUGH || used < ENOUGH || test_option("endless");
}

/* --- who uses what was granted --- */

static uint64_t *page_of(uint32_t vcpu)
{
	return (uint64_t *)(WINDOW + vcpu * PAGE_SIZE);
}

static void touch(uint64_t *page, bool write)
{
	struct trap trap;

	TRY(&trap)
	{
		load64(ADDRESS(&page[random_below(512)]));
		if (write)
			store64(ADDRESS(&page[random_below(512)]), random_u64());
	}
	CHECK_EQ(trap.vector, VECTOR_NONE, "what is mapped");
	__atomic_fetch_add(&used, 1, __ATOMIC_RELAXED);
}

/* Where another vCPU of the control domain maps the same frame, it is still there. */
static void touch_absent(uint64_t *page)
{
	struct trap trap;

	if (self == CONTROL)
		return;
	TRY(&trap)
	load64(ADDRESS(page));
	CHECK_EQ(trap.vector, VECTOR_PF, "what was unmapped");
}

static void map_and_unmap(uint32_t vcpu)
{
	uint32_t domain = another_domain(), number = (uint32_t)random_below(FRAMES);
	uint64_t *page = page_of(vcpu), gfn;
	bool write = random_below(2);
	int64_t handle;

	handle = grant_map(domain, number, vcpu, &gfn, write ? RF_GRANT_MAP_WRITE : 0);
	if (handle < 0)
		return;
	root_map(root_boot(), ADDRESS(page), gfn * PAGE_SIZE, PTE_USER_RW);
	CHECK_EQ(mmu_flush(root_boot(), ADDRESS(page), ADDRESS(page) + PAGE_SIZE), 0, "flush");
	touch(page, write);
	CHECK_EQ(grant_unmap(handle), 0, "unmap");
	touch_absent(page);
}

static void copy(void)
{
	static uint64_t buffer[512] __attribute__((aligned(4096)));
	uint32_t domain = another_domain(), number = (uint32_t)random_below(FRAMES);

	if (random_below(2))
		grant_copy_from(domain, number, 0, buffer, PAGE_SIZE);
	else
		grant_copy_to(domain, number, 0, buffer, PAGE_SIZE);
}

static void uses(void *argument)
{
	uint32_t vcpu = this_vcpu()->id;

	(void)argument;
	while (!stop) {
		if (random_below(3))
			map_and_unmap(vcpu);
		else
			copy();
		if (random_below(16) == 0)
			relax();
	}
}

static void prepare(void)
{
	uint32_t i;

	self = start_info->domain;
	grant_init();
	for (i = 0; i < FRAMES; i++)
		frames[i] = page_alloc();
	for (i = 0; i < start_info->vcpus; i++)
		root_map(root_boot(), ADDRESS(page_of(i)), 1UL << 40, 0);
	for (i = 1; i < start_info->vcpus; i++)
		vcpu_start(i, uses, NULL);
}

static void finish(void)
{
	uint32_t i;

	stop = true;
	for (i = 1; i < start_info->vcpus; i++)
		vcpu_wait(i);
	for (i = 0; i < FRAMES; i++)
		grant_revoke(i);
	printf("%u frames were our own again, %u were used of others\n", owned, used);
}

static void control(void)
{
	struct rf_domain_info info;
	uint32_t i;

	for (i = 0; goes_on(i); i++) {
		revoke_and_grant();
		if (i % 64 == 0)
			test_audit();
		if (i == ROUNDS / 2)
			CHECK_EQ(hv_domain_destroy(ENDLESS), 0, "destroy");
	}
	finish();
	CHECK_EQ(domain_wait_end(1, 200, &info), RF_DOMAIN_SHUTDOWN, "first");
	CHECK_EQ(domain_wait_end(2, 200, &info), RF_DOMAIN_SHUTDOWN, "second");
	while (!hv_domain_info(ENDLESS, ADDRESS(&info)))
		hv_yield();
	/* Nobody runs any more: what they have mapped is all that is in use. */
	for (i = 0; i < FRAMES; i++)
		CHECK(!grant_is_used(i), "entry %u is in use", i);
	test_audit();
}

void test_main(void)
{
	uint32_t i;

	prepare();
	if (self == CONTROL) {
		control();
		return;
	}
	for (i = 0; goes_on(i); i++)
		revoke_and_grant();
	finish();
}
