// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that an event reaches the vCPU of the port it was sent to, once for each time the port was
 * not pending, within a domain and between domains; that none is lost while ports move between
 * vCPUs; that whoever closes or dies leaves the other end listening and tells it; and that nobody
 * reaches a port that is not for him.
 */
/* covers: event_register_page, event_listen, event_connect, event_send, event_close, event_set_vcpu */
/* timeout: 200 */
/* status: 1 */
#include "test.h"

const char test_title[] = "event channels";

#define CONTROL	    0
#define FIRST_PORT  1
#define ECHOES	    (test_option("full") ? 20000U : 200U)
#define MOVES	    (test_option("full") ? 20000U : 400U)
#define RACE_ROUNDS (test_option("full") ? 50000U : 2000U)
#define NOT_THERE   3000 /* no domain, no port in use */

/* --- alone --- */

static void bad_port(uint64_t port)
{
	CHECK_EQ(hv_event_send(port), -ENOENT, "send %lx", port);
	CHECK_EQ(hv_event_close(port), -ENOENT, "close %lx", port);
	CHECK_EQ(hv_event_set_vcpu(port, 0), -ENOENT, "set_vcpu %lx", port);
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, port), -ENOENT, "connect %lx", port);
}

/* Each that there can be, none of which is in use yet, and some more. */
static void every_port(void)
{
	uint32_t port;

	for (port = 0; port < RF_EVENT_PORTS + 64; port++)
		bad_port(port);
}

static void before_the_page(void)
{
	uint64_t first, end;

	memory_untouched(&first, &end);
	every_port();
	CHECK_EQ(hv_event_listen(RF_DOMAIN_SELF), -EINVAL, "listen without a page");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, 1), -ENOENT, "connect without a page");
	CHECK_EQ(hv_event_register_page(~0UL), -EINVAL, "page -1");
	CHECK_EQ(hv_event_register_page(1UL << 40), -EINVAL, "page 2^40");
	event_init();
	CHECK_EQ(hv_event_register_page(first), -EBUSY, "a second page");
	CHECK_EQ(hv_event_register_page(physical_of(&event_page) / PAGE_SIZE), -EBUSY, "again");
}

static void bad_numbers(void)
{
	uint32_t i;

	every_port();
	for (i = 0; i < 64; i++)
		bad_port(1UL << i);
	bad_port(0);
	bad_port(~0UL);
	bad_port(RF_EVENT_PORTS - 1);
	bad_port((1UL << 32) + 1);
	CHECK_EQ(hv_event_listen(NOT_THERE), -ESRCH, "listen for nobody");
	CHECK_EQ(hv_event_listen(1UL << 32), -ESRCH, "listen for 2^32");
	CHECK_EQ(hv_event_connect(NOT_THERE, 1), -ESRCH, "connect to nobody");
	CHECK_EQ(hv_event_connect(1UL << 63, 1), -ESRCH, "connect to 2^63");
}

/* A channel within this domain: *near is where events come that are sent on the result. */
static uint32_t loop(uint32_t *near)
{
	int64_t listening = hv_event_listen(RF_DOMAIN_SELF);
	int64_t connected;

	if (listening <= 0)
		ERROR("listen: %ld", listening);
	connected = hv_event_connect(RF_DOMAIN_SELF, (uint64_t)listening);
	if (connected <= 0)
		ERROR("connect: %ld", connected);
	*near = (uint32_t)listening;
	return (uint32_t)connected;
}

static void one_channel(void)
{
	uint32_t near, far, before;

	interrupts_off();
	far = loop(&near);
	CHECK(event_is_pending(near), "told that somebody connected");
	CHECK(!event_is_pending(far), "nothing there yet");
	CHECK(!this_page()->pending, "a new port is masked");
	before = event_count(near);
	event_unmask(near);
	event_unmask(far);
	event_wait(near, before + 1);
	/* Several while it is pending are one. */
	CHECK_EQ(hv_event_send(far), 0, "send");
	CHECK_EQ(hv_event_send(far), 0, "send");
	CHECK_EQ(event_count(near), before + 1, "interrupts are off");
	event_wait(near, before + 2);
	event_mask(near);
	CHECK_EQ(hv_event_send(far), 0, "send");
	interrupts_on();
	interrupts_off();
	CHECK_EQ(event_count(near), before + 2, "masked");
	CHECK_EQ(event_page.selector[0], 0, "masked");
	event_unmask(near);
	event_wait(near, before + 3);
	/* The other way. */
	before = event_count(far);
	CHECK_EQ(hv_event_send(near), 0, "send");
	event_wait(far, before + 1);
	CHECK_EQ(hv_event_set_vcpu(far, start_info->vcpus), -EINVAL, "no such vCPU");
	CHECK_EQ(hv_event_set_vcpu(far, ~0UL), -EINVAL, "no such vCPU");
	CHECK_EQ(hv_event_close(far), 0, "close");
	bad_port(far);
	event_wait(near, event_count(near) + 1);
	CHECK_EQ(hv_event_send(near), -ENOTCONN, "send to nobody");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, near), far, "listens again");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, near), -ENOENT, "connected already");
	CHECK_EQ(hv_event_close(near), 0, "close");
	CHECK_EQ(hv_event_close(far), 0, "close");
	CHECK_EQ(hv_event_close(far), -ENOENT, "close twice");
	interrupts_on();
	interrupts_off();
}

static void all_ports(void)
{
	uint32_t port;

	for (port = 1; port < RF_EVENT_PORTS; port++)
		CHECK_EQ(hv_event_listen(RF_DOMAIN_SELF), port, "listen");
	CHECK_EQ(hv_event_listen(RF_DOMAIN_SELF), -ENOSPC, "one more");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, 77), -ENOSPC, "one more");
	CHECK_EQ(hv_event_close(1), 0, "close");
	CHECK_EQ(hv_event_connect(RF_DOMAIN_SELF, RF_EVENT_PORTS - 1), 1, "the one that is free");
	event_unmask(RF_EVENT_PORTS - 1);
	event_wait(RF_EVENT_PORTS - 1, 1);
	if (test_is_control())
		test_audit();
	for (port = 1; port < RF_EVENT_PORTS; port++)
		CHECK_EQ(hv_event_close(port), 0, "close %u", port);
}

/* --- several vCPUs --- */

static volatile bool stop;
static uint32_t near_port, far_port;

static void takes_events(void *argument)
{
	(void)argument;
	interrupts_on();
	while (!stop)
		hv_block();
	interrupts_off();
}

static void start_all(uint32_t first, void (*function)(void *))
{
	uint32_t id;

	stop = false;
	for (id = first; id < start_info->vcpus; id++)
		vcpu_start(id, function, NULL);
}

static void stop_all(uint32_t first)
{
	uint32_t id;

	stop = true;
	for (id = first; id < start_info->vcpus; id++)
		hv_kick(id);
	for (id = first; id < start_info->vcpus; id++)
		vcpu_wait(id);
}

/* Sent once for each time it was taken, wherever it goes meanwhile: none may be lost. */
static void moving(void)
{
	uint32_t i;

	far_port = loop(&near_port);
	event_unmask(near_port);
	start_all(1, takes_events);
	event_wait(near_port, event_count(near_port) + event_is_pending(near_port));
	for (i = 0; i < MOVES && !test_failures(); i++) {
		uint32_t vcpu = i % start_info->vcpus, before = event_count(near_port);

		if (i % 3 == 0)
			CHECK_EQ(event_target(near_port, vcpu), 0, "set_vcpu");
		CHECK_EQ(hv_event_send(far_port), 0, "send");
		if (i % 3 == 1)
			CHECK_EQ(event_target(near_port, vcpu), 0, "set_vcpu");
		event_wait(near_port, before + 1);
	}
	stop_all(1);
	CHECK_EQ(event_target(near_port, 0), 0, "set_vcpu");
}

/* Each vCPU in turn is told, and it alone. */
static void each_vcpu(void)
{
	uint32_t id, before;

	start_all(1, takes_events);
	for (id = 0; id < start_info->vcpus; id++) {
		before = event_count(near_port);
		CHECK_EQ(event_target(near_port, id), 0, "set_vcpu %u", id);
		CHECK_EQ(hv_event_send(far_port), 0, "send");
		event_wait(near_port, before + 1);
		CHECK_EQ(event_taker(near_port), id, "taken by");
	}
	stop_all(1);
	CHECK_EQ(event_target(near_port, 0), 0, "set_vcpu");
}

/* One that is down keeps its bits in the page and looks at them when it comes up. */
static void looks(void *argument)
{
	uint32_t *count = argument;

	hv_send_ipi(RF_VECTOR_EVENT, 1UL << this_vcpu()->id);
	interrupts_on();
	interrupts_off();
	*count = event_count(near_port);
}

static void to_down(void)
{
	uint32_t before = event_count(near_port);
	uint32_t count = 0;

	CHECK_EQ(event_target(near_port, 1), 0, "to one that is down");
	CHECK_EQ(hv_event_send(far_port), 0, "send");
	CHECK_EQ(event_page.selector[1], 1UL << near_port / 64, "it will find it");
	vcpu_start(1, looks, &count);
	vcpu_wait(1);
	CHECK_EQ(count, before + 1, "found");
	CHECK_EQ(event_target(near_port, 0), 0, "set_vcpu");
}

/* Everything at once, on the same few ports. Errors are expected; what is checked is the audit. */
static void races(void *argument)
{
	uint32_t i;

	(void)argument;
	interrupts_on();
	for (i = 0; i < RACE_ROUNDS; i++) {
		uint32_t port = 1 + (uint32_t)random_below(8);

		switch (random_below(6)) {
		case 0:
			hv_event_listen(RF_DOMAIN_SELF);
			break;
		case 1:
			hv_event_connect(RF_DOMAIN_SELF, port);
			break;
		case 2:
			hv_event_close(port);
			break;
		case 3:
			hv_event_set_vcpu(port, random_below(start_info->vcpus));
			break;
		case 4:
			event_unmask(port);
			break;
		default:
			hv_event_send(port);
		}
	}
	interrupts_off();
}

static void race(void)
{
	uint32_t i;

	start_all(1, races);
	races(NULL);
	stop_all(1);
	if (test_is_control())
		test_audit();
	for (i = 1; i < RF_EVENT_PORTS; i++) {
		event_mask(i);
		hv_event_close(i);
	}
	CHECK_EQ(hv_event_listen(RF_DOMAIN_SELF), 1, "all were closed");
	CHECK_EQ(hv_event_close(1), 0, "close");
	interrupts_on();
	interrupts_off();
}

static void alone(void)
{
	before_the_page();
	bad_numbers();
	one_channel();
	all_ports();
	if (start_info->vcpus < 2)
		ERROR("one vCPU");
	moving();
	each_vcpu();
	to_down();
	CHECK_EQ(hv_event_close(near_port), 0, "close");
	CHECK_EQ(hv_event_close(far_port), 0, "close");
	race();
}

/* --- what the others do --- */

static void listen_for_control(void)
{
	event_init();
	CHECK_EQ(hv_event_listen(CONTROL), FIRST_PORT, "listen");
	event_unmask(FIRST_PORT);
}

/* However long the control domain is busy with itself. */
static void wait_for_events(uint32_t count)
{
	interrupts_off();
	while (event_count(FIRST_PORT) < count) {
		hv_block();
		interrupts_off();
	}
}

/* Sends back each event, the first of which says that the control domain has connected. */
static void echo(uint32_t port)
{
	hv_event_send(port);
}

static void echoes(void)
{
	event_hook = echo;
	listen_for_control();
	wait_for_events(ECHOES + 1);
	CHECK_EQ(event_count(FIRST_PORT), ECHOES + 1, "events");
}

static void sends_on(void *argument)
{
	(void)argument;
	for (;;)
		hv_event_send(FIRST_PORT);
}

static void storms(void)
{
	listen_for_control();
	wait_for_events(1);
	vcpu_start(1, sends_on, NULL);
	sends_on(NULL);
}

/* Tries every port of everybody. */
static void strangers(void)
{
	uint32_t port, domain;

	alone();
	for (port = 0; port < RF_EVENT_PORTS; port++) {
		for (domain = 0; domain < 8; domain++) {
			int64_t result = hv_event_connect(domain, port);

			CHECK(result == -ENOENT || result == -ESRCH, "connect %u to %u: %ld", port,
			      domain, result);
		}
	}
	CHECK_EQ(hv_interrupt_bind(ADDRESS(&event_page)), -EPERM, "bind");
	CHECK_EQ(hv_interrupt_end(1), -EPERM, "end");
}

static void crashes(void)
{
	listen_for_control();
	wait_for_events(1);
	hv_shutdown(RF_SHUTDOWN_CRASH);
}

static void other_domain(void)
{
	if (test_option("echo"))
		echoes();
	else if (test_option("storm"))
		storms();
	else if (test_option("stranger"))
		strangers();
	else
		crashes();
}

/* --- the control domain with them --- */

static uint32_t connect_to(const char *name)
{
	uint32_t domain = domain_named(name);
	uint64_t end = clock_ns() + 60 * SECOND;
	int64_t port;

	while ((port = hv_event_connect(domain, FIRST_PORT)) == -ENOENT && clock_ns() < end)
		relax();
	if (port <= 0)
		ERROR("connect to %s: %ld", name, port);
	CHECK_EQ(hv_event_connect(domain, FIRST_PORT), -ENOENT, "%s: only once", name);
	event_reset((uint32_t)port);
	event_unmask((uint32_t)port);
	return (uint32_t)port;
}

/* The other end is gone with its domain: told of it, and nobody is there. */
static void destroy(const char *name, uint32_t port)
{
	uint32_t domain = domain_named(name);
	uint32_t before = event_count(port);
	struct rf_domain_info info;

	interrupts_off();
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", name);
	interrupts_on();
	while (hv_event_send(port) != -ENOTCONN)
		relax();
	interrupts_off();
	event_wait(port, before + 1);
	test_audit();
	while (!hv_domain_info(domain, ADDRESS(&info)))
		hv_poll(clock_ns() + MILLISECOND);
	CHECK_EQ(hv_event_connect(domain, FIRST_PORT), -ESRCH, "%s: gone", name);
	CHECK_EQ(hv_event_close(port), 0, "%s", name);
	test_audit();
}

static void with_echo(void)
{
	uint32_t port = connect_to("echo");
	struct rf_domain_info info;
	uint64_t start;
	uint32_t i;

	event_wait(port, 1);
	start = clock_ns();
	for (i = 0; i < ECHOES && !test_failures(); i++) {
		CHECK_EQ(hv_event_send(port), 0, "send");
		event_wait(port, i + 2);
	}
	printf("%u round trips between domains, %lu us each\n", ECHOES,
	       (clock_ns() - start) / ECHOES / 1000);
	CHECK_EQ(domain_wait_end(domain_named("echo"), 20, &info), RF_DOMAIN_SHUTDOWN, "echo");
	CHECK_EQ(hv_event_send(port), 0, "it has ended, and still has its port");
	destroy("echo", port);
}

static void with_storm(void)
{
	uint32_t port = connect_to("storm");
	uint64_t start = clock_ns();
	uint32_t before, i;

	interrupts_on();
	for (i = 0; i < 300; i++)
		hv_poll(clock_ns() + MILLISECOND);
	before = event_count(port);
	printf("%u events in a storm of %lu ms\n", before, (clock_ns() - start) / MILLISECOND);
	CHECK(before > 10, "%u events", before);
	event_mask(port);
	interrupts_off();
	before = event_count(port);
	interrupts_on();
	for (i = 0; i < 20; i++)
		hv_poll(clock_ns() + MILLISECOND);
	interrupts_off();
	CHECK_EQ(event_count(port), before, "masked");
	CHECK_EQ(event_page.selector[0], 0, "masked");
	/* Pending, and no more of it until it is taken: the end of the domain is one event. */
	event_unmask(port);
	CHECK_EQ(hv_domain_destroy(domain_named("storm")), 0, "storm");
	interrupts_on();
	while (hv_event_send(port) != -ENOTCONN)
		relax();
	interrupts_off();
	CHECK(event_count(port) > before, "%u events", event_count(port));
	CHECK_EQ(hv_event_close(port), 0, "close");
	test_audit();
}

static void with_crash(void)
{
	uint32_t port = connect_to("crash");
	struct rf_domain_info info;

	CHECK_EQ(domain_wait_end(domain_named("crash"), 20, &info), RF_DOMAIN_CRASHED, "crash");
	CHECK_EQ(hv_event_send(port), 0, "it is still there, to be looked at");
	destroy("crash", port);
}

void test_main(void)
{
	struct rf_domain_info info;

	if (!test_is_control()) {
		other_domain();
		return;
	}
	alone();
	with_echo();
	with_crash();
	with_storm();
	CHECK_EQ(domain_wait_end(domain_named("stranger"), 60, &info), RF_DOMAIN_SHUTDOWN,
		 "stranger");
	test_audit();
}
