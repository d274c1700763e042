// SPDX-License-Identifier: BSD-2-Clause
/* Proves that each reason to shut down is told apart, and that other reasons are refused. */
/* status: 1 */
/* covers: shutdown, domain_info, domain_destroy */
#include "test.h"

const char test_title[] = "shutdown";

static const char *const names[] = { "poweroff", "reboot", "crash" };

static void bad_reasons(void)
{
	uint32_t i;

	CHECK_EQ(hv_shutdown(RF_SHUTDOWN_REASONS), -EINVAL, "first bad one");
	for (i = 2; i < 64; i++)
		CHECK_EQ(hv_shutdown(1UL << i), -EINVAL, "bit %u", i);
	CHECK_EQ(hv_shutdown(~0UL), -EINVAL, "all bits");
}

static void watch(uint32_t reason)
{
	uint32_t domain = domain_named(names[reason]);
	struct rf_domain_info info = {};
	uint32_t state = domain_wait_end(domain, 30, &info);

	CHECK_EQ(state, reason == RF_SHUTDOWN_CRASH ? RF_DOMAIN_CRASHED : RF_DOMAIN_SHUTDOWN, "%s",
		 names[reason]);
	CHECK_EQ(info.reason, reason, "%s", names[reason]);
	CHECK_EQ(info.domain, domain, "%s", names[reason]);
	CHECK_EQ(info.control, 0, "%s", names[reason]);
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", names[reason]);
}

void test_main(void)
{
	uint32_t i;

	bad_reasons();
	for (i = 0; i < RF_SHUTDOWN_REASONS; i++) {
		if (test_is_control())
			watch(i);
		else if (test_option_is("scenario", names[i]) && !test_failures())
			hv_shutdown(i);
	}
	if (!test_is_control())
		CHECK(false, "survived");
}
