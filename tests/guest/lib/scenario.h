/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tests in which domains come to a bad end. Each scenario runs in a domain of its own (24 MiB, two
 * vCPUs) that the machine file asks for with a line `scenarios: NAME NAME ...`; the control domain,
 * which runs the same image, waits for each and checks how it ended.
 *
 *	static const struct scenario scenarios[] = {
 *		{ "bad_stack", bad_stack, SCENARIO_CRASHES },
 *		{ "good_stack", good_stack, SCENARIO_ENDS },
 *	};
 *
 *	void test_main(void)
 *	{
 *		scenarios_run(scenarios, 2);
 *	}
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdint.h>

enum scenario_end {
	SCENARIO_ENDS,	  /* it returns, and its own checks hold */
	SCENARIO_CRASHES, /* it is ended by the hypervisor; returning is a failure */
	SCENARIO_REMAINS, /* it never ends: the control domain destroys it, last of all */
};

struct scenario {
	const char *name;
	void (*run)(void);
	enum scenario_end end;
};

/* All of it in the control domain; the one scenario of this domain elsewhere. */
void scenarios_run(const struct scenario *scenarios, uint32_t count);

/* Control domain: the number of the domain of that name; ends the test when there is none. */
uint32_t domain_named(const char *name);

#endif
