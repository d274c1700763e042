// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that how long a vCPU ran and waited is read as one moment while it changes: what is read only
 * grows, and both together never by more than the time between two readings. Two domains share
 * CPUs meanwhile, and another vCPU moves, caps, pauses and unpauses them as fast as it can.
 */
/* covers: counters, domain_info, domain_set */
/* timeout: 200 */
/* cpus: 2 4 */
#include "child.h"
#include "test.h"

const char test_title[] = "run state, read while it changes";

#define READINGS (test_option("full") ? 200000U : 10000U)

static uint32_t children[2];
static volatile bool stop;
static volatile uint32_t changes;

struct reading {
	uint64_t run_ns, steal_ns;
	uint64_t before, after; /* the reading was made between */
};

static void set(uint32_t domain, struct rf_domain_set what)
{
	CHECK_EQ(hv_domain_set(domain, ADDRESS(&what)), 0, "set %u", domain);
}

static void change_all(void *argument)
{
	(void)argument;
	while (!stop) {
		uint32_t domain = children[random_below(2)];

		set(domain,
		    (struct rf_domain_set){ .mask = RF_SET_AFFINITY | RF_SET_CAP | RF_SET_PAUSED,
					    .vcpu = RF_SET_EVERY_VCPU,
					    .affinity = 1 + random_below(3),
					    .cap = random_below(4) * 25,
					    .paused = random_below(4) == 0 });
		changes++;
	}
}

static struct reading take(uint32_t domain)
{
	static struct rf_counters counters;
	struct reading reading = { .before = clock_ns() };

	CHECK_EQ(hv_counters(domain, 0, ADDRESS(&counters)), 0, "counters");
	reading.after = clock_ns();
	reading.run_ns = counters.run_ns;
	reading.steal_ns = counters.steal_ns;
	return reading;
}

static void compare(const struct reading *last, const struct reading *now)
{
	uint64_t grown = now->run_ns + now->steal_ns - last->run_ns - last->steal_ns;

	CHECK(now->run_ns >= last->run_ns, "ran %lu ns, then %lu", last->run_ns, now->run_ns);
	CHECK(now->steal_ns >= last->steal_ns, "waited %lu ns, then %lu", last->steal_ns,
	      now->steal_ns);
	CHECK(grown <= now->after - last->before, "%lu ns more in %lu", grown,
	      now->after - last->before);
}

/* domain_info has the same sum; it is read after one, and before the next. */
static void check_info(uint32_t domain, const struct reading *last)
{
	struct rf_domain_info info = {};
	struct reading next;

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info");
	next = take(domain);
	CHECK(info.run_ns >= last->run_ns && info.run_ns <= next.run_ns,
	      "%lu ns between %lu and %lu", info.run_ns, last->run_ns, next.run_ns);
}

static void read_all(void)
{
	struct reading last[2] = { take(children[0]), take(children[1]) };
	uint64_t ran = last[0].run_ns + last[1].run_ns;
	uint32_t i;

	for (i = 0; i < READINGS && !test_failures(); i++) {
		struct reading now = take(children[i & 1]);

		compare(&last[i & 1], &now);
		last[i & 1] = now;
		if (i % 16 == 0)
			check_info(children[0], &last[0]);
	}
	ran = last[0].run_ns + last[1].run_ns - ran;
	printf("%u readings, %u changes; they ran %lu ms meanwhile\n", i, changes,
	       ran / MILLISECOND);
	CHECK(ran > 0 && changes > 0, "nothing has changed");
}

void test_main(void)
{
	if (!test_is_control())
		return;
	children[0] = child_create("one", CHILD_SPINS, 1);
	children[1] = child_create("other", CHILD_SPINS, 1);
	set(children[0], (struct rf_domain_set){ .mask = RF_SET_PAUSED });
	set(children[1], (struct rf_domain_set){ .mask = RF_SET_PAUSED });
	vcpu_start(1, change_all, NULL);
	read_all();
	stop = true;
	vcpu_wait(1);
	child_end(children[0]);
	child_end(children[1]);
	test_audit();
}
