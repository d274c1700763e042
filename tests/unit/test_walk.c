// SPDX-License-Identifier: BSD-2-Clause
/*
 * The software walk against walk_model.h: a million random sets of tables, each looked at with
 * every kind of access, the whole memory compared afterwards. And the walk against a vCPU that
 * changes the entry meanwhile.
 */
#include "unit.h"

#include <pthread.h>

#include "domain.h"
#include "fake_arch.h"
#include "frame.h"
#include "memory.h"
#include "walk.h"
#include "walk_model.h"

#define TABLE_SETS    1000000
#define TABLES	      6		/* gfns 0 .. 5 have memory, others have none */
#define MFN_OF_GFN(g) ((g) ^ 7) /* so that a gfn used as an mfn is noticed */
#define RAM_FRAMES    8
#define PHYSICAL_BITS 40

/* The indices in use at every level: two, so that ways meet. */
static const unsigned indices[2] = { 3, 511 };

static struct domain domain;
static uint64_t slots[1];
static uint64_t expected[RAM_FRAMES][512];
static uint64_t seed;

static uint64_t *ram_table(uint64_t mfn)
{
	return (uint64_t *)(fake_ram + (mfn << 12));
}

/* The model works in a copy of the memory. */
static uint64_t *expected_table(uint64_t gfn)
{
	return gfn < TABLES ? expected[MFN_OF_GFN(gfn)] : NULL;
}

static const struct model model = { .table = expected_table, .physical_bits = PHYSICAL_BITS };

/* A domain whose map is made by hand: the table of its one slot is the last frame of RAM. */
static int setup(void **state)
{
	uint64_t *map;

	(void)state;
	fake_arch_init(RAM_FRAMES + 1, 1);
	walk_init(PHYSICAL_BITS);
	map = arch_frame_pointer(RAM_FRAMES);
	memset(map, 0, FRAME_SIZE);
	for (uint64_t gfn = 0; gfn < TABLES; gfn++)
		map[gfn] = MFN_OF_GFN(gfn) + 1;
	slots[0] = (RAM_FRAMES << FRAME_SHIFT) | MEMORY_SLOT_TABLE;
	domain.memory.slots = slots;
	domain.memory.slot_count = 1;
	memset(expected, 0, sizeof(expected));
	seed = 88172645463325252UL;
	return 0;
}

static bool one_in(unsigned n)
{
	return unit_random(&seed) % n == 0;
}

static uint64_t random_entry(void)
{
	uint64_t random = unit_random(&seed);
	uint64_t entry = random & (PTE_ACCESSED | PTE_DIRTY | PTE_WRITE_THROUGH | PTE_GLOBAL);

	entry |= one_in(12) ? 0 : PTE_PRESENT;
	entry |= one_in(4) ? 0 : PTE_WRITE;
	entry |= one_in(4) ? 0 : PTE_USER;
	entry |= one_in(6) ? PTE_NO_EXECUTE : 0;
	entry |= one_in(5) ? PTE_LARGE : 0;
	entry |= one_in(40) ? 1ULL << (PHYSICAL_BITS + random % 12) : 0;
	entry |= one_in(30) ? 0x7ffULL << 52 : 0; /* ignored bits */
	if (one_in(24))
		return entry | (unit_random(&seed) & 0xfffffff000); /* a foreign frame */
	if ((entry & PTE_LARGE) && !one_in(8)) /* few low bits of large pages */
		return entry | (random & 0xffc0000000) | (one_in(2) ? 1ULL << 21 : 0) |
		       (one_in(4) ? PTE_PAT_LARGE : 0);
	return entry | (random >> 20) % TABLES << 12;
}

static void random_tables(void)
{
	for (uint64_t gfn = 0; gfn < TABLES; gfn++)
		for (unsigned i = 0; i < 2; i++) {
			uint64_t entry = random_entry();

			ram_table(MFN_OF_GFN(gfn))[indices[i]] = entry;
			expected[MFN_OF_GFN(gfn)][indices[i]] = entry;
		}
}

static uint64_t random_address(void)
{
	uint64_t random = unit_random(&seed);
	uint64_t address = random & 0xfff;

	for (unsigned level = 1; level <= 4; level++)
		address |= (uint64_t)indices[(random >> (12 + level)) & 1] << (3 + 9 * level);
	return (uint64_t)((int64_t)(address << 16) >> 16);
}

static const uint32_t accesses[] = {
	0, FAULT_WRITE, FAULT_FETCH, FAULT_USER, FAULT_USER | FAULT_WRITE, FAULT_USER | FAULT_FETCH,
};

static void assert_memory(void)
{
	if (memcmp(fake_ram, expected, sizeof(expected)) == 0)
		return;
	for (unsigned mfn = 0; mfn < RAM_FRAMES; mfn++)
		for (unsigned i = 0; i < 512; i++)
			if (ram_table(mfn)[i] != expected[mfn][i])
				fail_msg("mfn %u entry %u is %#lx, not %#lx", mfn, i,
					 ram_table(mfn)[i], expected[mfn][i]);
}

static uint64_t rights_of(unsigned allowed)
{
	return (allowed & MODEL_KERNEL_WRITE ? PTE_WRITE : 0) |
	       (allowed & MODEL_USER_READ ? PTE_USER : 0) |
	       (allowed & (MODEL_KERNEL_FETCH | MODEL_USER_FETCH) ? 0 : PTE_NO_EXECUTE);
}

static void assert_leaf(const struct walk *walk, const struct model_way *way, uint64_t address)
{
	const uint64_t *slot = way->slot[way->slots - 1];

	assert_int_equal(walk->level, way->level);
	assert_int_equal(walk_gfn(walk->entry, walk->level, address), way->gfn);
	assert_int_equal(walk->upper, rights_of(way->above));
	assert_int_equal((char *)walk->leaf - fake_ram, (char *)slot - (char *)expected);
	assert_int_equal(walk->entry, *slot);
}

/* A CPU keeps nothing of a way on which it did not set A, so the probe sees none. */
static enum walk_kind expected_kind(const struct model_way *way)
{
	for (unsigned i = 0; i < way->passed; i++)
		if (!(*way->slot[i] & PTE_ACCESSED))
			return WALK_NONE;
	if (way->slots == 4)
		return WALK_TABLE; /* whatever stands in it */
	return way->present ? WALK_LARGE : WALK_NONE;
}

static void check_probe(uint64_t root, uint64_t address)
{
	struct model_way way = model_find(&model, root, address);
	struct walk walk;
	enum walk_kind kind = walk_probe(&domain, root, address, &walk);

	assert_int_equal(kind, expected_kind(&way));
	if (kind == WALK_TABLE)
		assert_int_equal((char *)walk.leaf - fake_ram,
				 (char *)way.slot[3] - (char *)expected);
	if (kind != WALK_NONE && way.present)
		assert_leaf(&walk, &way, address);
}

static unsigned check_access(uint64_t root, uint64_t address, uint32_t access)
{
	struct model_way way;
	uint32_t error;
	bool allowed = model_access(&model, root, address, access, &way, &error);
	struct walk walk;
	uint32_t result = walk_guest(&domain, root, address, access, &walk);

	assert_int_equal(result, allowed ? WALK_OK : WALK_FAULT | error);
	if (allowed)
		assert_leaf(&walk, &way, address);
	return allowed ? way.level : 0;
}

static void test_million(void **state)
{
	uint64_t outcomes[4] = { 0 };

	(void)state;
	for (unsigned i = 0; i < TABLE_SETS; i++) {
		uint64_t root = one_in(100) ? TABLES + 2 : unit_random(&seed) % TABLES;
		uint64_t address = random_address();
		unsigned first = unit_random(&seed) % 6;

		random_tables();
		check_probe(root, address);
		assert_memory();
		for (unsigned k = 0; k < 6; k++)
			outcomes[check_access(root, address, accesses[(first + k) % 6])]++;
		assert_memory();
		check_probe(root, address);
	}
	/* The random tables reach everything: faults, 4 KiB, 2 MiB and 1 GiB leaves. */
	for (unsigned i = 0; i < 4; i++)
		assert_true(outcomes[i] > TABLE_SETS / 20);
}

/* One entry at a time, as a person would read the manual. */
static void test_by_hand(void **state)
{
	uint64_t address = (3ULL << 39) | (3ULL << 30) | (3ULL << 21) | (3ULL << 12) | 0x123;
	uint64_t *level[5] = { NULL };
	struct walk walk;

	(void)state;
	memset(fake_ram, 0, RAM_FRAMES << 12);
	for (unsigned at = 4; at > 0; at--) {
		level[at] = &ram_table(MFN_OF_GFN(4 - at))[3];
		*level[at] = (uint64_t)(5 - at) << 12 | PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_USER, &walk), WALK_OK);
	assert_int_equal(*level[1] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_WRITE, &walk), WALK_OK);
	assert_true(*level[1] & PTE_DIRTY);
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_FETCH, &walk),
			 WALK_FAULT | FAULT_PRESENT | FAULT_FETCH); /* SMEP */
	*level[3] &= ~PTE_USER;
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_FETCH, &walk), WALK_OK);
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_USER, &walk),
			 WALK_FAULT | FAULT_PRESENT | FAULT_USER);
	*level[4] |= PTE_LARGE;
	assert_int_equal(walk_guest(&domain, 0, address, 0, &walk),
			 WALK_FAULT | FAULT_PRESENT | FAULT_RESERVED);
	*level[4] ^= PTE_LARGE | PTE_PRESENT;
	assert_int_equal(walk_guest(&domain, 0, address, FAULT_WRITE, &walk),
			 WALK_FAULT | FAULT_WRITE);
}

/* --- another vCPU changes the entry meanwhile --- */

#define CHANGES 200000

static uint64_t *contended;

/* Writes A and D away again and again, and counts in the ignored bits 52-58. */
static void *change_entry(void *unused)
{
	for (unsigned i = 0; i < CHANGES; i++) {
		__atomic_fetch_and(contended, ~(PTE_ACCESSED | PTE_DIRTY), __ATOMIC_SEQ_CST);
		__atomic_fetch_add(contended, 1ULL << 52, __ATOMIC_SEQ_CST);
		if (i % 127 == 126)
			__atomic_fetch_and(contended, ~(0x7fULL << 52), __ATOMIC_SEQ_CST);
	}
	return unused;
}

static void test_race(void **state)
{
	uint64_t address = (3ULL << 39) | (3ULL << 30) | (3ULL << 21) | (3ULL << 12);
	pthread_t thread;
	struct walk walk;

	(void)state;
	for (unsigned at = 4; at > 0; at--) {
		contended = &ram_table(MFN_OF_GFN(4 - at))[3];
		*contended = (uint64_t)(5 - at) << 12 | PTE_PRESENT | PTE_WRITE | PTE_USER;
	}
	assert_int_equal(pthread_create(&thread, NULL, change_entry, NULL), 0);
	for (unsigned i = 0; i < CHANGES; i++) {
		uint32_t result = walk_guest(&domain, 0, address, FAULT_WRITE, &walk);

		assert_true(result == WALK_OK || result == WALK_RETRY);
		if (result == WALK_OK)
			assert_int_equal(walk.entry & (PTE_ACCESSED | PTE_DIRTY),
					 PTE_ACCESSED | PTE_DIRTY);
	}
	pthread_join(thread, NULL);
	/* No count was lost under a stale entry. */
	assert_int_equal((*contended >> 52) & 0x7f, CHANGES % 127);
	assert_int_equal(*contended & PTE_ADDRESS, 4ULL << 12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_by_hand, setup),
		cmocka_unit_test_setup(test_million, setup),
		cmocka_unit_test_setup(test_race, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
