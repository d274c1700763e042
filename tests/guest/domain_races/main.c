// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that several vCPUs of the control domain may do anything to the same domains at once: make and
 * destroy them at every point of their lives, pause and unpause them, give them memory and take it while
 * they run, while they are built and while they are destroyed. Not a frame is lost.
 */
/* covers: domain_create, domain_set, domain_copy, domain_destroy, memory_populate, memory_release */
/* timeout: 600 */
/* cpus: 2 4 */
/* status: 0 1 */
#include "child.h"
#include "test.h"

const char test_title[] = "domains made and ended by several vCPUs at once";

#define WORKERS	    3
#define SPARE_GFN   CHILD_FRAMES /* given and taken while the child runs */
#define SPARE_COUNT 8

static uint32_t rounds;
static uint32_t shared; /* the domain that all do something to */
static uint32_t stop;

static void on_all(void (*function)(void *argument))
{
	uint32_t id;

	for (id = 1; id <= WORKERS; id++)
		vcpu_start(id, function, NULL);
}

static void wait_all(void)
{
	uint32_t id;

	for (id = 1; id <= WORKERS; id++)
		vcpu_wait(id);
}

/* --- whole lives, ended anywhere --- */

static bool ends_by_itself(enum child_task task)
{
	return task == CHILD_SAYS_HELLO || task == CHILD_REBOOTS;
}

static void one_life(void)
{
	static const enum child_task tasks[] = { CHILD_SAYS_HELLO, CHILD_SPINS, CHILD_BLOCKS,
						 CHILD_FLOODS,	   CHILD_CALLS, CHILD_REBOOTS };
	enum child_task task = tasks[random_below(6)];
	uint32_t vcpus = 1 + (uint32_t)random_below(2);
	struct rf_domain_info info = {};
	int64_t domain = child_new("life", vcpus);

	if (!CHECK(domain > 0, "create: %ld", domain))
		return;
	if (random_below(8)) {
		child_build((uint32_t)domain, task, vcpus);
		if (random_below(8))
			CHECK_EQ(child_set_paused((uint32_t)domain, false), 0, "start");
		else
			task = CHILD_BLOCKS;
		if (ends_by_itself(task) && random_below(2))
			CHECK_EQ(domain_wait_end((uint32_t)domain, 60, &info), RF_DOMAIN_SHUTDOWN,
				 "domain %ld, task %u", domain, task);
		else
			clock_sleep(random_below(2 * MILLISECOND));
	}
	child_end((uint32_t)domain);
}

static void lives(void *argument)
{
	uint32_t i;

	(void)argument;
	for (i = 0; i < rounds; i++)
		one_life();
}

static void test_lives(void)
{
	on_all(lives);
	lives(NULL);
	wait_all();
	printf("%u lives\n", (WORKERS + 1) * rounds);
	test_audit();
}

/* --- pause under load --- */

static void pauses(void *argument)
{
	uint32_t i;

	(void)argument;
	for (i = 0; i < 10 * rounds; i++) {
		CHECK_EQ(child_set_paused(shared, random_below(2)), 0, "pause or not");
		if (random_below(4) == 0)
			clock_sleep(random_below(200000));
	}
}

static bool goes_on(void)
{
	uint64_t end_ns = clock_ns() + 10 * SECOND;
	struct child_mark before = child_mark(shared), now;

	do {
		hv_poll(clock_ns() + MILLISECOND);
		now = child_mark(shared);
	} while ((now.count[0] == before.count[0] || now.count[1] == before.count[1]) &&
		 clock_ns() < end_ns);
	return now.count[0] != before.count[0] && now.count[1] != before.count[1];
}

static bool is_on_cpu(uint32_t vcpu)
{
	struct rf_counters counters = {};

	CHECK_EQ(hv_counters(shared, vcpu, ADDRESS(&counters)), 0, "counters");
	return counters.status == RF_VCPU_RUNNING;
}

/* A pause does not wait: the vCPUs leave their CPUs as soon as these come by. */
static void wait_off_cpu(void)
{
	uint64_t end_ns = clock_ns() + 10 * SECOND;

	while ((is_on_cpu(0) || is_on_cpu(1)) && clock_ns() < end_ns)
		hv_poll(clock_ns() + MILLISECOND);
	CHECK(!is_on_cpu(0) && !is_on_cpu(1), "still on a CPU");
}

static void check_paused(void)
{
	struct child_mark before, after;

	CHECK_EQ(child_set_paused(shared, true), 0, "pause");
	wait_off_cpu();
	before = child_mark(shared);
	clock_sleep(20 * MILLISECOND);
	after = child_mark(shared);
	CHECK(!memcmp(&before, &after, sizeof(before)), "it ran while it was paused");
	CHECK_EQ(child_set_paused(shared, false), 0, "go on");
	CHECK(goes_on(), "it does not go on");
}

static void test_pauses(enum child_task task)
{
	shared = child_create("paused", task, 2);
	CHECK_EQ(child_set_paused(shared, false), 0, "start");
	CHECK(goes_on(), "it does not run");
	check_paused();
	on_all(pauses);
	wait_all();
	check_paused();
	test_audit();
	child_end(shared);
}

/* --- memory given and taken while it runs --- */

static int64_t give_or_take(uint32_t domain, bool give, uint64_t gfn)
{
	struct rf_memory_extent extent = { .gfn = gfn };

	if (give)
		return hv_memory_populate(domain, ADDRESS(&extent), 1);
	return hv_memory_release(domain, ADDRESS(&extent), 1);
}

/* What is there has what was written, or zeroes: never what another had. */
static void look(uint32_t domain, uint64_t gfn)
{
	uint64_t value = 0, mark = 0x1234567800000000 + gfn;
	int64_t error = child_read(domain, &value, gfn * PAGE_SIZE + 8 * random_below(512), 8);

	CHECK(error == 0 || error == -ENOENT || error == -ESRCH, "read: %ld", error);
	CHECK(!value || value == mark, "frame %lu holds %#lx", gfn, value);
	error = child_write(domain, gfn * PAGE_SIZE + 8 * random_below(512), &mark, 8);
	CHECK(error == 0 || error == -ENOENT || error == -ESRCH, "write: %ld", error);
}

static void memory_work(void *argument)
{
	(void)argument;
	while (!atomic_load(&stop)) {
		uint64_t gfn = SPARE_GFN + random_below(SPARE_COUNT);
		bool give = random_below(2);
		int64_t result = give_or_take(atomic_load(&shared), give, gfn);

		CHECK(result == 1 || result == -EEXIST || result == -ENOENT || result == -ESRCH ||
			      result == -ENOSPC,
		      "%s: %ld", give ? "give" : "take", result);
		look(atomic_load(&shared), gfn);
	}
}

/* Its number may be one that the others still use: so it has room for what they give, before all. */
static uint32_t child_new_spare(const char *name)
{
	const struct rf_domain_set set = { .mask = RF_SET_FRAMES_MAX,
					   .frames_max = CHILD_FRAMES + SPARE_COUNT };
	int64_t domain = child_new(name, 2);

	if (domain < 0)
		ERROR("%s: domain_create: %ld", name, domain);
	CHECK_EQ(hv_domain_set((uint64_t)domain, ADDRESS(&set)), 0, "limit");
	return (uint32_t)domain;
}

static void test_memory(void)
{
	atomic_store(&shared, child_new_spare("memory"));
	child_build(shared, CHILD_CALLS, 2);
	CHECK_EQ(child_set_paused(shared, false), 0, "start");
	atomic_store(&stop, 0);
	on_all(memory_work);
	clock_sleep(rounds * 20 * MILLISECOND);
	CHECK(goes_on(), "it does not run");
	atomic_store(&stop, 1);
	wait_all();
	test_audit();
	child_end(shared);
}

/* --- the same while it is made and destroyed --- */

static void test_destroy_while_built(void)
{
	uint32_t i;

	atomic_store(&stop, 0);
	atomic_store(&shared, 999);
	on_all(memory_work);
	for (i = 0; i < rounds / 2; i++) {
		uint32_t domain = child_new_spare("built");

		child_build(domain, CHILD_CALLS, 2);
		atomic_store(&shared, domain);
		if (random_below(2))
			CHECK_EQ(child_set_paused(domain, false), 0, "start");
		clock_sleep(random_below(2 * MILLISECOND));
		child_end(domain);
	}
	atomic_store(&stop, 1);
	wait_all();
	test_audit();
}

void test_main(void)
{
	uint64_t free;

	if (!test_is_control())
		return;
	rounds = test_option("full") ? 250 : 15;
	one_life();
	free = child_free_frames(0);
	test_lives();
	test_pauses(CHILD_SPINS);
	test_pauses(CHILD_CALLS);
	test_memory();
	test_destroy_while_built();
	CHECK_EQ(child_free_frames(free), free, "free frames");
}
