// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that vCPUs go up and down and up again, that their state is told right, that one that is
 * up cannot be initialised, and that bad contexts and numbers are refused.
 */
/* covers: vcpu_init, vcpu_up, vcpu_down, vcpu_status, kick */
#include "test.h"

const char test_title[] = "vCPUs up and down";

#define LOOPS 200

extern const char vcpu_entry[];
static uint32_t ran[RF_MAX_VCPUS];
static volatile bool stop;

static struct rf_vcpu_context good_context(uint32_t id)
{
	struct vcpu *v = vcpu_of(id);

	return (struct rf_vcpu_context){ .rip = ADDRESS(vcpu_entry),
					 .rsp = v->stack_top,
					 .rdi = ADDRESS(v),
					 .root = root_boot(),
					 .kernel_gs = ADDRESS(v),
					 .page = physical_of(v->page) / PAGE_SIZE };
}

static void count(void *argument)
{
	(void)argument;
	CHECK_EQ(hv_vcpu_status(this_vcpu()->id), RF_VCPU_RUNNING, "itself");
	ran[this_vcpu()->id]++;
}

static void wait_to_stop(void *argument)
{
	count(argument);
	while (!stop)
		relax();
}

/* One after another, each several times; the last vCPU too. */
static void in_turn(void)
{
	uint32_t id, i;

	for (id = 1; id < start_info->vcpus; id++) {
		CHECK_EQ(hv_vcpu_status(id), RF_VCPU_DOWN, "vCPU %u before", id);
		for (i = 1; i <= 5; i++) {
			vcpu_start(id, count, NULL);
			vcpu_wait(id);
			CHECK_EQ(ran[id], i, "vCPU %u", id);
		}
	}
}

static void together(void)
{
	struct rf_domain_info info = {};
	uint32_t id, i;

	for (i = 0; i < LOOPS; i++) {
		stop = false;
		for (id = 1; id < start_info->vcpus; id++)
			vcpu_start(id, wait_to_stop, NULL);
		if (i == 0) {
			CHECK_EQ(hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info)), 0, "info");
			CHECK_EQ(info.vcpus_up, start_info->vcpus, "all up");
		}
		stop = true;
		for (id = 1; id < start_info->vcpus; id++)
			vcpu_wait(id);
	}
	CHECK_EQ(hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info)), 0, "info");
	CHECK_EQ(info.vcpus_up, 1, "all others down");
	for (id = 1; id < start_info->vcpus; id++)
		CHECK_EQ(ran[id], 5 + LOOPS, "vCPU %u", id);
}

static void while_up(void)
{
	struct rf_vcpu_context context;
	uint32_t i;

	stop = false;
	vcpu_start(1, wait_to_stop, NULL);
	context = good_context(1);
	for (i = 0; i < 100; i++) {
		int64_t result = hv_vcpu_init(1, ADDRESS(&context));

		CHECK_EQ(result, -EBUSY, "init while up");
		CHECK(hv_vcpu_up(1) < 0, "up while up");
		relax();
	}
	CHECK(hv_vcpu_status(1) != RF_VCPU_DOWN, "status");
	stop = true;
	vcpu_wait(1);
	CHECK_EQ(hv_vcpu_status(1), RF_VCPU_DOWN, "status");
}

static void bad_numbers(void)
{
	struct rf_vcpu_context context = good_context(1);
	uint32_t i;

	CHECK(hv_vcpu_init(0, ADDRESS(&context)) < 0, "init of itself");
	CHECK(hv_vcpu_up(0) < 0, "up of itself");
	for (i = 0; i < 64; i++) {
		uint64_t id = 1UL << i;

		if (id < start_info->vcpus)
			continue;
		CHECK(hv_vcpu_init(id, ADDRESS(&context)) < 0, "init %#lx", id);
		CHECK(hv_vcpu_up(id) < 0, "up %#lx", id);
		CHECK(hv_vcpu_status(id) < 0, "status %#lx", id);
		CHECK(hv_kick(id) < 0, "kick %#lx", id);
	}
	CHECK(hv_vcpu_init(1, 0) < 0, "context at 0");
	CHECK_EQ(hv_vcpu_init(1, HYPERVISOR_START), -EFAULT, "context in the hypervisor");
	CHECK_EQ(hv_vcpu_init(1, 0x0000900000000000), -EFAULT, "context not canonical");
	CHECK_EQ(hv_vcpu_init(1, ~0UL), -EFAULT, "context wraps");
}

static void bad_context(struct rf_vcpu_context context, const char *what)
{
	CHECK(hv_vcpu_init(1, ADDRESS(&context)) < 0, "%s", what);
}

static void bad_contexts(void)
{
	struct rf_vcpu_context good = good_context(1);
	struct rf_vcpu_context bad;

	bad = good;
	bad.rip = 0x0000900000000000;
	bad_context(bad, "rip not canonical");
	bad.rip = HYPERVISOR_START;
	bad_context(bad, "rip in the hypervisor");
	bad = good;
	bad.kernel_gs = 0x0000900000000000;
	bad_context(bad, "gs not canonical");
	bad = good;
	bad.root = good.root + 8;
	bad_context(bad, "root not aligned");
	bad.root = ~0xfffUL;
	bad_context(bad, "root beyond everything");
	bad = good;
	bad.page = 1UL << 40;
	bad_context(bad, "page beyond everything");
	bad.page = ~0UL;
	bad_context(bad, "page -1");
	CHECK_EQ(hv_vcpu_init(1, ADDRESS(&good)), 0, "a good one");
	vcpu_start(1, count, NULL);
	vcpu_wait(1);
}

/* vCPUs that start and stop others. */
static void starts_next(void *argument)
{
	uint32_t id = (uint32_t)(uint64_t)argument;

	if (id + 1 < start_info->vcpus) {
		vcpu_start(id + 1, starts_next, (void *)(uint64_t)(id + 1));
		vcpu_wait(id + 1);
	}
}

void test_main(void)
{
	uint32_t i;

	if (start_info->vcpus < 2)
		SKIP("one vCPU");
	CHECK(hv_vcpu_up(1) < 0, "up before init");
	in_turn();
	together();
	while_up();
	bad_numbers();
	bad_contexts();
	for (i = 0; i < 20; i++)
		starts_next((void *)0);
	if (test_is_control())
		test_audit();
}
