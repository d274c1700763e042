// SPDX-License-Identifier: BSD-2-Clause
/* Scenarios, each in a domain of its own; see scenario.h. No locks: vCPU 0 of each domain only. */
#include "scenario.h"

#include "test.h"

#define DOMAINS_MAX  64
#define WAIT_SECONDS 60

uint32_t domain_named(const char *name)
{
	struct rf_domain_info info;
	uint32_t i;

	for (i = 0; i < DOMAINS_MAX; i++) {
		if (!hv_domain_info(i, ADDRESS(&info)) && !strcmp(info.name, name))
			return i;
	}
	ERROR("there is no domain %s", name);
}

static void watch(const struct scenario *s)
{
	struct rf_domain_info info = {};
	uint32_t domain = domain_named(s->name);
	uint32_t state;

	if (s->end == SCENARIO_REMAINS)
		return;
	state = domain_wait_end(domain, WAIT_SECONDS, &info);
	if (s->end == SCENARIO_CRASHES)
		CHECK_EQ(state, RF_DOMAIN_CRASHED, "%s (reason %u)", s->name, info.reason);
	else
		CHECK(state == RF_DOMAIN_SHUTDOWN && info.reason == RF_SHUTDOWN_POWEROFF,
		      "%s: state %u, reason %u", s->name, state, info.reason);
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", s->name);
}

static void destroy(const struct scenario *s)
{
	struct rf_domain_info info = {};
	uint32_t domain;

	if (s->end != SCENARIO_REMAINS)
		return;
	domain = domain_named(s->name);
	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "%s", s->name);
	CHECK_EQ(info.state, RF_DOMAIN_RUNNING, "%s", s->name);
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", s->name);
}

void scenarios_run(const struct scenario *scenarios, uint32_t count)
{
	uint32_t i;

	for (i = 0; !test_is_control() && i < count; i++) {
		if (!test_option_is("scenario", scenarios[i].name))
			continue;
		scenarios[i].run();
		if (scenarios[i].end != SCENARIO_ENDS)
			test_check(false, __FILE__, __LINE__, scenarios[i].name, "survived");
		return;
	}
	if (!test_is_control())
		ERROR("no such scenario: %s", start_info->command_line);
	for (i = 0; i < count; i++)
		watch(&scenarios[i]);
	for (i = 0; i < count; i++)
		destroy(&scenarios[i]);
	test_audit();
}
