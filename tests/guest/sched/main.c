// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that domains that spin share the CPUs by their weights, that a cap holds, that time lost to
 * others is told, and that a domain whose timer runs keeps its time beside them. Measured by the
 * control domain, mostly asleep, through domain_info. All spin on one CPU. The machine's time is
 * that of its instructions, so that the host's own scheduling is not measured.
 */
/* covers: domain_info, yield */
/* timeout: 150 */
#include "test.h"

#include "abi/time.h"

const char test_title[] = "shares of the CPU";

#define MEASURE	  SECOND
#define HEARTBEAT (20 * MILLISECOND)

static uint64_t run_ns(uint32_t domain)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info");
	return info.run_ns;
}

static void sleep(uint64_t ns)
{
	uint64_t end = clock_ns() + ns;

	while (clock_ns() < end) {
		hv_poll(end);
		interrupts_on();
		interrupts_off();
	}
}

/* --- other domains --- */

static void spin(void)
{
	uint64_t end = clock_ns() + 100 * SECOND;

	while (clock_ns() < end)
		asm volatile("pause");
}

/* Comes up when its timer says; ends by itself when it has counted enough. */
static void heartbeat(void)
{
	uint64_t next = clock_ns() + HEARTBEAT;
	uint64_t worst = 0;
	uint32_t i;

	for (i = 0; i < 70; i++) {
		uint64_t now;

		interrupts_off(); /* or the vector may come before it blocks */
		hv_set_timer(next);
		hv_block();
		interrupts_on();
		now = clock_ns();
		if (now > next && now - next > worst)
			worst = now - next;
		next = now + HEARTBEAT;
	}
	CHECK(this_vcpu()->vectors[RF_VECTOR_TIMER] >= 70, "%u timer vectors",
	      this_vcpu()->vectors[RF_VECTOR_TIMER]);
	printf("heartbeat late by %lu us at most\n", worst / 1000);
	CHECK(worst < 20 * MILLISECOND, "late by %lu us", worst / 1000);
}

/* --- the control domain --- */

static bool is_about(uint64_t actual, uint64_t expected, uint64_t percent)
{
	return actual * 100 >= expected * (100 - percent) &&
	       actual * 100 <= expected * (100 + percent);
}

static void measure(uint32_t a, uint32_t b, uint64_t *a_ns, uint64_t *b_ns)
{
	*a_ns = run_ns(a);
	*b_ns = run_ns(b);
	sleep(MEASURE);
	*a_ns = run_ns(a) - *a_ns;
	*b_ns = run_ns(b) - *b_ns;
}

static void weights(void)
{
	uint64_t light, heavy;

	measure(domain_named("light"), domain_named("heavy"), &light, &heavy);
	printf("weights 1:3 gave %lu ms and %lu ms\n", light / MILLISECOND, heavy / MILLISECOND);
	CHECK(is_about(heavy, 3 * light, 10), "%lu and %lu ms", light / MILLISECOND,
	      heavy / MILLISECOND);
	CHECK(light + heavy > MEASURE / 2, "%lu ms in all", (light + heavy) / MILLISECOND);
	CHECK_EQ(hv_domain_destroy(domain_named("light")), 0, "destroy");
	CHECK_EQ(hv_domain_destroy(domain_named("heavy")), 0, "destroy");
}

/* The capped one is alone with one that is not. */
static void cap(void)
{
	uint32_t capped = domain_named("capped");
	uint64_t capped_ns, control_ns;

	measure(capped, 0, &capped_ns, &control_ns);
	printf("cap 20%% of one CPU gave %lu ms in %lu\n", capped_ns / MILLISECOND,
	       MEASURE / MILLISECOND);
	CHECK(is_about(capped_ns, MEASURE / 5, 10), "%lu ms", capped_ns / MILLISECOND);
	CHECK_EQ(hv_domain_destroy(capped), 0, "destroy");
}

static void steal_of(void *argument)
{
	uint64_t *stolen = argument;
	uint64_t before = this_page()->steal_ns;

	clock_spin(500 * MILLISECOND);
	hv_poll(clock_ns() + MILLISECOND);
	*stolen = this_page()->steal_ns - before;
}

/* More vCPUs that spin than CPUs: each is told that it waited. Four of them, on one to four CPUs. */
static void steal(void)
{
	static uint64_t stolen[RF_MAX_VCPUS];
	uint64_t sum = 0;
	uint32_t id;

	for (id = 1; id < start_info->vcpus; id++)
		vcpu_start(id, steal_of, &stolen[id]);
	steal_of(&stolen[0]);
	for (id = 1; id < start_info->vcpus; id++)
		vcpu_wait(id);
	for (id = 0; id < start_info->vcpus; id++)
		sum += stolen[id];
	printf("%lu ms stolen\n", sum / MILLISECOND);
	if (test_number("cpus", 1) < start_info->vcpus)
		CHECK(sum > 100 * MILLISECOND, "%lu us stolen", sum / 1000);
}

/* Asleep: in a machine whose time is its instructions', who spins has it for himself. */
static void wait_for_heartbeat(void)
{
	uint32_t domain = domain_named("heartbeat");
	struct rf_domain_info info = { .state = RF_DOMAIN_RUNNING };
	uint32_t i;

	for (i = 0; i < 100 && info.state == RF_DOMAIN_RUNNING; i++) {
		sleep(100 * MILLISECOND);
		CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "heartbeat");
	}
	CHECK_EQ(info.state, RF_DOMAIN_SHUTDOWN, "heartbeat");
}

void test_main(void)
{
	if (test_option("spin"))
		spin();
	else if (test_option("heartbeat"))
		heartbeat();
	if (!test_is_control())
		return;
	sleep(200 * MILLISECOND);
	weights();
	wait_for_heartbeat();
	cap();
	steal();
	test_audit();
}
