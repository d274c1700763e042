// SPDX-License-Identifier: BSD-2-Clause
/* Grants. */
#include "grant.h"

#include "test.h"

struct rf_grant_entry grant_page[RF_GRANT_PAGE_ENTRIES] __attribute__((aligned(4096)));

static uint64_t window; /* first guest frame above this domain's memory */

void grant_init(void)
{
	struct rf_domain_info info;

	CHECK_EQ(hv_grant_register(physical_of(grant_page) / PAGE_SIZE), 0, "grant page");
	CHECK_EQ(hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info)), 0, "info");
	window = (info.frames_max + 511) & ~511UL;
}

void grant_set(uint32_t number, uint32_t domain, uint64_t physical, uint64_t count, uint64_t flags)
{
	uint64_t word = (uint64_t)domain << RF_GRANT_DOMAIN_SHIFT | physical |
			(count - 1) << RF_GRANT_COUNT_SHIFT | flags | RF_GRANT_VALID;

	__atomic_store_n(&grant_page[number].grant, word, __ATOMIC_SEQ_CST);
}

bool grant_is_used(uint32_t number)
{
	return __atomic_load_n(&grant_page[number].in_use, __ATOMIC_SEQ_CST);
}

bool grant_revoke(uint32_t number)
{
	__atomic_store_n(&grant_page[number].grant, 0, __ATOMIC_SEQ_CST);
	return !grant_is_used(number);
}

uint64_t grant_gfn(uint64_t index)
{
	return test_is_control() ? 0 : window + index;
}

int64_t grant_map_some(uint32_t domain, uint32_t number, uint32_t first, uint32_t *count,
		       uint64_t *gfn, uint32_t flags)
{
	struct rf_grant_map op = {
		.domain = domain,
		.grant = number,
		.first = first,
		.count = *count,
		.gfn = *gfn,
		.flags = flags,
	};
	int64_t result = hv_grant_map(ADDRESS(&op), 1);

	*count = op.count;
	*gfn = op.gfn;
	return result == 1 ? op.handle : result;
}

int64_t grant_map(uint32_t domain, uint32_t number, uint64_t index, uint64_t *gfn, uint32_t flags)
{
	uint32_t count = 1;

	*gfn = grant_gfn(index);
	return grant_map_some(domain, number, 0, &count, gfn, flags);
}

int64_t grant_unmap(int64_t handle)
{
	struct rf_grant_unmap op = { .handle = (uint32_t)handle };
	int64_t result = hv_grant_unmap(ADDRESS(&op), 1);

	return result == 1 ? 0 : result;
}

static int64_t copy(const struct rf_grant_copy *op)
{
	int64_t result = hv_grant_copy(ADDRESS(op), 1);

	return result == 1 ? 0 : result;
}

int64_t grant_copy_from(uint32_t domain, uint32_t number, uint64_t offset, void *to, uint32_t bytes)
{
	struct rf_grant_copy op = {
		.from = { .domain = domain, .grant = number, .address = offset },
		.to = { .domain = RF_DOMAIN_SELF, .address = physical_of(to) },
		.bytes = bytes,
	};

	return copy(&op);
}

int64_t grant_copy_to(uint32_t domain, uint32_t number, uint64_t offset, const void *from,
		      uint32_t bytes)
{
	struct rf_grant_copy op = {
		.from = { .domain = RF_DOMAIN_SELF, .address = physical_of(from) },
		.to = { .domain = domain, .grant = number, .address = offset },
		.bytes = bytes,
	};

	return copy(&op);
}
