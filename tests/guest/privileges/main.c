// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves who may call what: calls for the control domain are refused to others whatever their
 * arguments, nobody asks about other domains but the control domain, and user mode makes no
 * hypercall at all.
 */
/* covers: domain_destroy, domain_info, counters, audit, console_read, event_listen */
#include "test.h"

const char test_title[] = "privileges";

USER_ASM(user_call, "1: syscall; jmp 1b");

enum who { ANY, CONTROL };

static const struct {
	const char *name;
	enum who who;
} calls[] = {
#define HYPERCALL(number, name, arguments, who) [number] = { #name, who },
#include "abi/hypercalls.def"
#undef HYPERCALL
};

static void refused(void)
{
	uint64_t n;
	uint32_t i;

	for (n = 0; n < RF_HYPERCALLS; n++) {
		if (calls[n].who != CONTROL)
			continue;
		CHECK_EQ(hv_call(n, 0, 0, 0, 0, 0, 0), -EPERM, "%s", calls[n].name);
		CHECK_EQ(hv_call(n, RF_DOMAIN_SELF, 0, 0, 0, 0, 0), -EPERM, "%s", calls[n].name);
		for (i = 0; i < 50; i++)
			CHECK_EQ(hv_call(n, random_u64(), random_u64(), random_u64(), random_u64(),
					 random_u64(), random_u64()),
				 -EPERM, "%s", calls[n].name);
	}
}

/* Another domain, there or not, is not even to be told from one that is not there. */
static void others(void)
{
	static struct rf_counters counters;
	struct rf_domain_info info;
	uint32_t i;

	CHECK_EQ(hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info)), 0, "self");
	CHECK_EQ(info.domain, start_info->domain, "self");
	CHECK_EQ(hv_domain_info(info.domain, ADDRESS(&info)), 0, "self by number");
	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)), 0, "self");
	for (i = 0; i < 20; i++) {
		if (i == info.domain)
			continue;
		CHECK_EQ(hv_domain_info(i, ADDRESS(&info)), -EPERM, "domain %u", i);
		CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT + i, ADDRESS(&info)), -EPERM, "from %u", i);
		CHECK_EQ(hv_counters(i, 0, ADDRESS(&counters)), -EPERM, "domain %u", i);
		CHECK_EQ(hv_memory_populate(i, 0, 0), -EPERM, "domain %u", i);
		CHECK_EQ(hv_memory_release(i, 0, 0), -EPERM, "domain %u", i);
		CHECK_EQ(hv_console_read(i, 0, 0, 0), -EPERM, "domain %u", i);
	}
	CHECK_EQ(hv_console_read(RF_DOMAIN_HYPERVISOR, 0, 0, 0), -EPERM, "the log");
	CHECK_EQ(hv_event_listen(RF_DOMAIN_HYPERVISOR), -EPERM, "news");
}

static void from_user(void)
{
	struct user user;
	uint64_t n;

	user_prepare(root_boot());
	user_init(&user, user_address(user_call), 0);
	for (n = 0; n < 256; n++) {
		user.frame.rax = n;
		user.frame.rdi = RF_SHUTDOWN_POWEROFF;
		CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "number %lu", n);
		CHECK_EQ(user.frame.rax, n, "number %lu", n);
		CHECK_EQ(user.frame.rdi, RF_SHUTDOWN_POWEROFF, "number %lu", n);
	}
}

static void unprivileged(void)
{
	refused();
	others();
	from_user();
}

static const struct scenario scenarios[] = { { "unprivileged", unprivileged, SCENARIO_ENDS } };

void test_main(void)
{
	struct rf_domain_info info;

	if (test_is_control()) {
		from_user();
		CHECK_EQ(hv_audit(RF_AUDIT_FLUSHED << 1), -EINVAL, "a flag that is none");
		test_audit();
		CHECK_EQ(hv_domain_info(0, ADDRESS(&info)), 0, "domain 0");
		CHECK_EQ(info.control, 1, "domain 0");
		CHECK(!strcmp(info.name, "control"), "domain 0 is %s", info.name);
		CHECK_EQ(hv_domain_destroy(RF_DOMAIN_SELF), -EINVAL, "self");
		CHECK_EQ(hv_domain_destroy(0), -EINVAL, "self by number");
		CHECK_EQ(hv_domain_destroy(1000), -ESRCH, "none");
		CHECK_EQ(hv_domain_destroy(~0UL), -ESRCH, "none");
		CHECK_EQ(hv_domain_info(1000, ADDRESS(&info)), -ESRCH, "none");
		CHECK_EQ(hv_domain_info(0x10000, ADDRESS(&info)), -ESRCH, "none");
	}
	scenarios_run(scenarios, 1);
}
