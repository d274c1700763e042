// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that domains can be looked at and destroyed in every state, running on several vCPUs too,
 * that none of their frames is lost, and that nobody destroys the control domain or, not being it,
 * anybody.
 */
/* covers: domain_info, domain_destroy, memory_populate, audit */
/* timeout: 150 */
/* status: 1 */
#include "test.h"

const char test_title[] = "domains destroyed in every state";

#define FRAMES_OF_ALL (6 * (24UL << 20) / PAGE_SIZE)
#define USER_BASE     0x10000000UL
#define TAKE	      256UL

/* --- what the others do --- */

static void spins(void *argument)
{
	(void)argument;
	for (;;)
		asm volatile("pause");
}

/* Keeps the hypervisor busy in its own code. */
static void calls(void *argument)
{
	uint64_t root = root_new();
	uint64_t i;

	(void)argument;
	for (i = 0;; i++) {
		struct rf_memory_extent extent = { .gfn = 0 };

		root_map(root, USER_BASE + i % 64 * PAGE_SIZE, 0, PTE_USER_RW);
		root_load(i & 1 ? root : root_boot());
		mmu_flush_all();
		hv_memory_release(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
		hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1);
		hv_send_ipi(0x80, 3);
		hv_set_timer(clock_ns() + 1000);
	}
}

static void not_allowed(void)
{
	struct rf_domain_info info = {};
	uint32_t i;

	for (i = 0; i < 8; i++) {
		CHECK_EQ(hv_domain_destroy(i), -EPERM, "destroy %u", i);
		if (i != start_info->domain)
			CHECK_EQ(hv_domain_info(i, ADDRESS(&info)), -EPERM, "info %u", i);
	}
	CHECK_EQ(hv_domain_destroy(RF_DOMAIN_SELF), -EPERM, "destroy itself");
	CHECK_EQ(hv_domain_info(start_info->domain, ADDRESS(&info)), 0, "info of itself");
	CHECK_EQ(hv_audit(0), -EPERM, "audit");
}

static void other_domain(void)
{
	not_allowed();
	if (test_failures())
		return;
	if (test_option("crash"))
		asm volatile("syscall"
			     :
			     : "a"(RF_HYPERCALL_shutdown), "D"(RF_SHUTDOWN_CRASH)
			     : "rcx", "r11", "memory");
	if (test_option("triple")) {
		uint32_t i;

		for (i = 0; i < 256; i++)
			trap_register(i, 0, 0);
		asm volatile("ud2");
	}
	if (test_option("block"))
		for (;;)
			hv_block();
	if (test_option("off"))
		return;
	vcpu_start(1, test_option("spin") ? spins : calls, NULL);
	if (test_option("spin"))
		spins(NULL);
	calls(NULL);
}

/* --- the control domain --- */

static void check_info(uint32_t domain, const char *name)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "%s", name);
	CHECK_EQ(info.domain, domain, "%s", name);
	CHECK_EQ(info.vcpus, 2, "%s", name);
	CHECK_EQ(info.control, 0, "%s", name);
	CHECK(info.vcpus_up <= 2, "%s: %u vCPUs up", name, info.vcpus_up);
	CHECK(info.frames <= info.frames_max, "%s: %lu frames of %lu", name, info.frames,
	      info.frames_max);
	CHECK(info.frames_max <= (24UL << 20) / PAGE_SIZE, "%s: %lu frames", name, info.frames_max);
	CHECK(info.shadow_frames_used <= info.shadow_frames, "%s: %lu of %lu shadow frames", name,
	      info.shadow_frames_used, info.shadow_frames);
}

static void wait_gone(uint32_t domain, const char *name)
{
	uint64_t end = clock_ns() + 20 * SECOND;
	struct rf_domain_info info = {};
	int64_t result;

	while (!(result = hv_domain_info(domain, ADDRESS(&info))) && clock_ns() < end) {
		CHECK_EQ(info.state, RF_DOMAIN_DYING, "%s", name);
		hv_poll(clock_ns() + MILLISECOND);
	}
	CHECK_EQ(result, -ESRCH, "%s: info when it is gone", name);
	CHECK_EQ(hv_domain_destroy(domain), -ESRCH, "%s: destroy when it is gone", name);
}

static void end(const char *name, uint32_t state)
{
	uint32_t domain = domain_named(name);
	struct rf_domain_info info = {};
	int64_t again;

	if (state != RF_DOMAIN_RUNNING)
		CHECK_EQ(domain_wait_end(domain, 20, &info), state, "%s", name);
	check_info(domain, name);
	CHECK_EQ(hv_domain_destroy(domain), 0, "%s", name);
	again = hv_domain_destroy(domain);
	CHECK(again == -EBUSY || again == -ESRCH, "%s: destroyed twice: %ld", name, again);
	test_audit();
	wait_gone(domain, name);
}

static void bad_numbers(void)
{
	struct rf_domain_info info = {};
	uint32_t i;

	CHECK_EQ(hv_domain_destroy(0), -EINVAL, "itself");
	CHECK_EQ(hv_domain_destroy(RF_DOMAIN_SELF), -EINVAL, "itself");
	for (i = 4; i < 64; i++) {
		CHECK_EQ(hv_domain_destroy(1UL << i), -ESRCH, "2^%u", i);
		if (1UL << i != RF_DOMAIN_NEXT)
			CHECK_EQ(hv_domain_info(1UL << i, ADDRESS(&info)), -ESRCH, "2^%u", i);
	}
	CHECK_EQ(hv_domain_destroy(~0UL), -ESRCH, "-1");
	CHECK_EQ(hv_domain_info(0, 0), -EFAULT, "info to 0");
	CHECK_EQ(hv_domain_info(0, HYPERVISOR_START), -EFAULT, "info to the hypervisor");
	CHECK_EQ(hv_domain_info(0, ~0UL - 8), -EFAULT, "info to the end");
}

/* From each number the next that is there, which looking at every number agrees with. */
static void next_numbers(void)
{
	struct rf_domain_info info = {}, same = {};
	uint32_t n, next = 0, found = 0;

	for (n = 0; n < 1024; n++) {
		if (hv_domain_info(n, ADDRESS(&same)))
			continue;
		for (; next <= n; next++) {
			CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT + next, ADDRESS(&info)), 0, "%u",
				 next);
			CHECK_EQ(info.domain, n, "the next from %u on", next);
			CHECK_EQ(info.serial, same.serial, "the next from %u on", next);
		}
		found++;
	}
	CHECK_EQ(found, 7, "this one and six others");
	for (; next < 1024; next++)
		CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT + next, ADDRESS(&info)), -ESRCH, "%u", next);
	CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT + 1024, ADDRESS(&info)), -ESRCH, "too high");
	CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT | 1UL << 32, ADDRESS(&info)), -ESRCH, "too high");
	CHECK_EQ(hv_domain_info(RF_DOMAIN_NEXT, 0), -EFAULT, "next to 0");
}

/* So many frames at once: each call makes all CPUs come by. A call may end early. */
static void give_back(struct rf_memory_extent *extents, uint64_t count)
{
	int64_t done = 0;

	for (; count; extents += done, count -= (uint64_t)done) {
		done = hv_memory_release(RF_DOMAIN_SELF, ADDRESS(extents), count);
		if (!CHECK(done > 0, "a batch ended with %ld", done))
			return;
	}
}

/*
 * The frames that count_free() has to spare, from `own` on. When it takes them back, some may be
 * with the domain that gives back and takes all the time, and may stay there.
 */
static bool mine[TAKE];

static void give_mine(uint64_t own)
{
	static struct rf_memory_extent extents[TAKE];
	uint64_t count = 0, i;

	for (i = 0; i < TAKE; i++)
		if (mine[i])
			extents[count++].gfn = own + i;
	give_back(extents, count);
}

static void take_mine(uint64_t own)
{
	uint64_t i;

	for (i = 0; i < TAKE; i++) {
		struct rf_memory_extent extent = { .gfn = own + i };

		mine[i] = hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extent), 1) == 1;
	}
}

/* Frames the machine has free, by taking and giving back each that is not ours. */
static uint64_t count_free(uint64_t own)
{
	static struct rf_memory_extent extents[TAKE];
	uint64_t gfn, found = 0, end = 320UL << 20 >> 12;

	give_mine(own);
	for (gfn = 256; gfn < end; gfn++) {
		if (gfn >= own && gfn < own + TAKE)
			continue;
		extents[found % TAKE].gfn = gfn;
		if (hv_memory_populate(RF_DOMAIN_SELF, ADDRESS(&extents[found % TAKE]), 1) != 1)
			continue;
		if (++found % TAKE == 0)
			give_back(extents, TAKE);
	}
	give_back(extents, found % TAKE);
	take_mine(own);
	return found;
}

void test_main(void)
{
	uint64_t own, before;

	if (!test_is_control()) {
		other_domain();
		return;
	}
	bad_numbers();
	next_numbers();
	clock_sleep(300 * MILLISECOND);
	own = physical_of(pages_alloc(TAKE, PAGE_SIZE)) / PAGE_SIZE;
	memset(mine, true, sizeof(mine));
	before = count_free(own);
	end("off", RF_DOMAIN_SHUTDOWN);
	end("crash", RF_DOMAIN_CRASHED);
	end("triple", RF_DOMAIN_CRASHED);
	end("block", RF_DOMAIN_RUNNING);
	end("spin", RF_DOMAIN_RUNNING);
	end("call", RF_DOMAIN_RUNNING);
	before = count_free(own) - before;
	printf("%lu frames came back of %lu and what they needed beside\n", before, FRAMES_OF_ALL);
	CHECK(before >= FRAMES_OF_ALL, "%lu frames are lost", FRAMES_OF_ALL - before);
	test_audit();
}
