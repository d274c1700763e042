// SPDX-License-Identifier: BSD-2-Clause
/* Every way in which a disk's request can break a rule, one at a time, beside requests that break none. */
#include "unit.h"

#include "backends/block/request.h"

#define POOL  3
#define OTHER 4

static const struct request_rules all = { .sectors = 1000,
					  .sector_size = 512,
					  .bytes_max = RF_BLOCK_BYTES_MAX,
					  .sectors_max = 800,
					  .flush = true,
					  .discard = true,
					  .write_zeroes = true,
					  .grants = true };
static const struct request_pool pool = { POOL, 64 * 4096 };

static struct rf_block_request good(uint8_t operation)
{
	struct rf_block_request request = { .operation = operation, .sector = 8, .sectors = 8 };

	if (operation == RF_BLOCK_FLUSH)
		request.sector = request.sectors = 0;
	if (!request_has_data(&request))
		return request;
	request.segments = 2;
	request.segment[0] = (struct rf_block_segment){ POOL, 512, 1024 };
	request.segment[1] = (struct rf_block_segment){ OTHER, 4096, 3072 };
	return request;
}

static uint32_t check(struct rf_block_request request)
{
	return request_check(&request, &all, &pool);
}

static void good_ones_pass(void **state)
{
	(void)state;
	for (uint8_t operation = 0; operation < RF_BLOCK_OPERATIONS; operation++)
		assert_int_equal(check(good(operation)), RF_BLOCK_OK);
}

#define REFUSED(status, kind, change)                                                              \
	do {                                                                                       \
		struct rf_block_request r = good(kind);                                            \
                                                                                                   \
		change;                                                                            \
		assert_int_equal(check(r), status);                                                \
	} while (0)

static void what_is_not_known(void **state)
{
	(void)state;
	for (unsigned operation = RF_BLOCK_OPERATIONS; operation < 256; operation++)
		REFUSED(RF_BLOCK_UNSUPPORTED, RF_BLOCK_READ, r.operation = (uint8_t)operation);
	for (unsigned flags = 1; flags < 256; flags++) {
		REFUSED(RF_BLOCK_UNSUPPORTED, RF_BLOCK_READ, r.flags = (uint8_t)flags);
		REFUSED(RF_BLOCK_UNSUPPORTED, RF_BLOCK_FLUSH, r.flags = (uint8_t)flags);
		REFUSED(RF_BLOCK_UNSUPPORTED, RF_BLOCK_DISCARD, r.flags = (uint8_t)flags);
		REFUSED(flags > 1 ? RF_BLOCK_UNSUPPORTED : RF_BLOCK_OK, RF_BLOCK_WRITE,
			r.flags = (uint8_t)flags);
		REFUSED(flags > 3 ? RF_BLOCK_UNSUPPORTED : RF_BLOCK_OK, RF_BLOCK_WRITE_ZEROES,
			r.flags = (uint8_t)flags);
	}
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.reserved0 = 1);
	for (unsigned i = 0; i < 3; i++)
		REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.reserved1[i] = 1);
}

static void ranges(void **state)
{
	(void)state;
	for (uint8_t operation = 0; operation < RF_BLOCK_OPERATIONS; operation++) {
		if (operation == RF_BLOCK_FLUSH)
			continue;
		REFUSED(RF_BLOCK_OK, operation, r.sector = 992);
		REFUSED(RF_BLOCK_INVALID, operation, r.sector = 993);
		REFUSED(RF_BLOCK_INVALID, operation, r.sector = 1000);
		REFUSED(RF_BLOCK_INVALID, operation, r.sector = 1ULL << 55);
		REFUSED(RF_BLOCK_INVALID, operation, r.sector = UINT64_MAX);
		REFUSED(RF_BLOCK_INVALID, operation, r.sector = UINT64_MAX - 7);
		REFUSED(RF_BLOCK_INVALID, operation, r.sectors = 0);
		REFUSED(RF_BLOCK_INVALID, operation, r.sectors = UINT32_MAX);
		/* 2^23 sectors are 2^32 bytes. */
		REFUSED(RF_BLOCK_INVALID, operation, r.sectors = (1U << 23) + 8);
	}
	REFUSED(RF_BLOCK_OK, RF_BLOCK_DISCARD, r.sectors = 800);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_DISCARD, r.sectors = 801);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_FLUSH, r.sector = 1);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_FLUSH, r.sectors = 1);
}

static void segments(void **state)
{
	(void)state;
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segments = 0);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segments = 1);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segments = 3);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segments = 9);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segments = 255);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_FLUSH, r.segments = 1);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_DISCARD, r.segments = 1);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segment[0].bytes = 1536);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segment[0].bytes = 1023);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE, r.segment[0].offset = 511);
	/* The sum is right, modulo 2^32. */
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE,
		(r.segment[0].bytes = 0x80000000, r.segment[1].bytes = 0x80000000 + 4096));
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_WRITE,
		(r.segment[0].bytes = 0, r.segment[1].bytes = 4096));
}

static void places(void **state)
{
	(void)state;
	REFUSED(RF_BLOCK_OK, RF_BLOCK_READ, r.segment[0].offset = 64 * 4096 - 1024);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.segment[0].offset = 64 * 4096 - 512);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.segment[0].offset = 64 * 4096);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.segment[0].offset = UINT32_MAX - 511);
	REFUSED(RF_BLOCK_OK, RF_BLOCK_READ, r.segment[1].offset = 1024 * 4096 - 3072);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.segment[1].offset = 1024 * 4096 - 2560);
	REFUSED(RF_BLOCK_INVALID, RF_BLOCK_READ, r.segment[1].offset = UINT32_MAX - 511);
}

static uint32_t under(const struct request_rules *rules, uint8_t operation, uint8_t flags)
{
	struct rf_block_request request = good(operation);

	request.flags = flags;
	return request_check(&request, rules, &pool);
}

static void what_a_disk_does_not_have(void **state)
{
	struct request_rules rules = all;

	(void)state;
	rules.flush = rules.discard = rules.write_zeroes = false;
	assert_int_equal(under(&rules, RF_BLOCK_FLUSH, 0), RF_BLOCK_UNSUPPORTED);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE, RF_BLOCK_FUA), RF_BLOCK_UNSUPPORTED);
	assert_int_equal(under(&rules, RF_BLOCK_DISCARD, 0), RF_BLOCK_UNSUPPORTED);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE_ZEROES, 0), RF_BLOCK_UNSUPPORTED);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE, 0), RF_BLOCK_OK);
	rules.grants = false;
	assert_int_equal(under(&rules, RF_BLOCK_WRITE, 0), RF_BLOCK_INVALID);
}

static void a_disk_for_reading(void **state)
{
	struct request_rules rules = all;

	(void)state;
	rules.read_only = true;
	assert_int_equal(under(&rules, RF_BLOCK_READ, 0), RF_BLOCK_OK);
	assert_int_equal(under(&rules, RF_BLOCK_FLUSH, 0), RF_BLOCK_OK);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE, 0), RF_BLOCK_READ_ONLY);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE, RF_BLOCK_FUA), RF_BLOCK_READ_ONLY);
	assert_int_equal(under(&rules, RF_BLOCK_DISCARD, 0), RF_BLOCK_READ_ONLY);
	assert_int_equal(under(&rules, RF_BLOCK_WRITE_ZEROES, 0), RF_BLOCK_READ_ONLY);
}

static void large_sectors_and_no_pool(void **state)
{
	const struct request_pool none = { POOL, 0 };
	struct request_rules rules = all;
	struct rf_block_request request = good(RF_BLOCK_READ);

	(void)state;
	rules.sector_size = 4096;
	assert_int_equal(request_check(&request, &rules, &pool), RF_BLOCK_OK);
	request.sector = 9;
	assert_int_equal(request_check(&request, &rules, &pool), RF_BLOCK_INVALID);
	request = good(RF_BLOCK_READ);
	request.sectors = 7;
	request.segment[1].bytes -= 512;
	assert_int_equal(request_check(&request, &rules, &pool), RF_BLOCK_INVALID);
	assert_int_equal(request_check(&request, &all, &pool), RF_BLOCK_OK);
	/* Without a pool its number is that of any grant. */
	assert_int_equal(request_check(&request, &all, &none), RF_BLOCK_OK);
	rules = all;
	rules.grants = false;
	assert_int_equal(request_check(&request, &rules, &none), RF_BLOCK_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass),
		cmocka_unit_test(what_is_not_known),
		cmocka_unit_test(ranges),
		cmocka_unit_test(segments),
		cmocka_unit_test(places),
		cmocka_unit_test(what_a_disk_does_not_have),
		cmocka_unit_test(a_disk_for_reading),
		cmocka_unit_test(large_sectors_and_no_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
