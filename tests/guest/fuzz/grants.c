// SPDX-License-Identifier: BSD-2-Clause
/* Grants for the fuzzer. Domain 1 is the victim, 2 to 5 the fuzzers. */
#include "grants.h"

#include "grant.h"
#include "test.h"

#define VICTIM	    1
#define LAST_FUZZER 5
#define ENTRIES	    16
#define PLACES	    64
#define FRAMES	    4 /* of a grant, at most */

static uint64_t spare_gfn, spare_count;
static uint32_t mapped;

void grants_prepare(uint64_t first_gfn, uint64_t count)
{
	spare_gfn = first_gfn;
	spare_count = count - (FRAMES - 1);
	grant_init();
}

void grants_of_victim(const void *page)
{
	uint32_t domain;

	grant_init();
	for (domain = VICTIM + 1; domain <= LAST_FUZZER; domain++)
		grant_set(domain, domain, physical_of(page), 1, 0);
}

static uint32_t some_domain(void)
{
	return random_below(16) ? 1 + (uint32_t)random_below(LAST_FUZZER) : (uint32_t)random_u64();
}

static uint32_t few(uint64_t limit)
{
	return random_below(32) ? (uint32_t)random_below(limit) : (uint32_t)random_u64();
}

static uint64_t spare(void)
{
	return (spare_gfn + random_below(spare_count)) * PAGE_SIZE;
}

static void give(void)
{
	uint32_t number = (uint32_t)random_below(ENTRIES);

	if (random_below(3))
		grant_set(number, 1 + (uint32_t)random_below(LAST_FUZZER), spare(),
			  1 + random_below(FRAMES), random_below(2) ? RF_GRANT_WRITE : 0);
	else
		grant_revoke(number);
}

static void map(struct rf_grant_map *op, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		op[i] = (struct rf_grant_map){
			.domain = some_domain(),
			.grant = few(ENTRIES),
			.first = random_below(4) ? 0 : few(4),
			.count = random_below(4) ? 1 : few(5),
			.gfn = random_below(8) ? grant_gfn(random_below(PLACES)) : random_u64(),
			.flags = random_below(32) ? (uint32_t)random_below(2) : few(8),
		};
	mapped += hv_grant_map(ADDRESS(op), count) > 0;
}

static void unmap(struct rf_grant_unmap *op, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++)
		op[i] = (struct rf_grant_unmap){ .handle = few(32) };
	hv_grant_unmap(ADDRESS(op), count);
}

/* On the stack, where nobody changes it: what it writes shall be spare frames. */
static void copy(void)
{
	struct rf_grant_place own = { RF_DOMAIN_SELF, 0, spare() + random_below(64) };
	struct rf_grant_place other = { some_domain(), few(ENTRIES), random_below(5 * PAGE_SIZE) };
	bool out = random_below(2);
	struct rf_grant_copy op = { out ? own : other, out ? other : own,
				    (uint32_t)random_below(4000), 0 };

	hv_grant_copy(ADDRESS(&op), 1);
}

void grants_call(uint64_t number, void *page)
{
	uint64_t count = 1 + random_below(4);

	give();
	if (number == RF_HYPERCALL_grant_map)
		map(page, count);
	else if (number == RF_HYPERCALL_grant_unmap)
		unmap(page, count);
	else
		copy();
}

uint32_t grants_mapped(void)
{
	return mapped;
}

uint64_t grants_entry(void)
{
	return grant_gfn(random_below(PLACES)) * PAGE_SIZE | PTE_USER_RW;
}
