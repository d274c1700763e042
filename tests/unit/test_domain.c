// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains: made with too little memory at every point, ended in every way, found, and taken apart
 * without a trace.
 */
#include "audited.h"

#include "abi/errno.h"
#include "cpu.h"
#include "domain.h"
#include "domain_control.h"
#include "fake_arch.h"
#include "fake_memory.h"
#include "vcpu.h"

#define RAM_FRAMES 8192

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, 1);
	return 0;
}

static struct domain_config small(void)
{
	return (struct domain_config){
		.name = "small",
		.vcpus = 3,
		.frames = 1024,
		.shadow_frames = 1,
		.weight = 77,
		.cap = 50,
		.affinity = 1,
	};
}

static void test_create(void **state)
{
	struct domain_config config = small();
	const char *error = "?";
	struct domain *d = domain_create(&config, &error);

	(void)state;
	assert_null(error);
	assert_int_equal(d->id, 1);
	assert_int_equal(d->state, RF_DOMAIN_RUNNING);
	assert_int_equal(d->vcpus[2]->sched.weight, 77);
	assert_int_equal(d->vcpus[2]->sched.cap, 50);
	assert_int_equal(d->vcpus[2]->sched.affinity, 1);
	assert_int_equal(domain_shadow_default(1), 512);
	assert_int_equal(domain_shadow_default(1 << 20), 1 << 14);
}

/* With each number of free frames that is too small: nothing is left behind, and a reason is given. */
static void test_create_fails(void **state)
{
	struct domain_config config = small();
	uint64_t all = frame_free_count();
	const char *error;
	unsigned reasons = 0;
	const char *last = NULL;

	(void)state;
	for (uint64_t left = 0;; left++) {
		struct domain *d;

		fake_memory_starve(left);
		d = domain_create(&config, &error);
		if (d) {
			fake_memory_feed();
			/* It was tried at every point of its needs. */
			assert_true(left > 64 && reasons >= 3);
			break;
		}
		assert_non_null(error);
		reasons += !last || strcmp(last, error) != 0;
		last = error;
		assert_int_equal(frame_free_count(), left);
		assert_audit();
		fake_memory_feed();
		assert_int_equal(frame_free_count(), all);
	}
}

static void test_numbers(void **state)
{
	struct domain *control = fake_domain_create(true, 16);
	struct domain *first = fake_domain_create(false, 16);
	struct domain *second = fake_domain_create(false, 16);
	struct domain *found;

	(void)state;
	assert_int_equal(control->id, 0);
	assert_int_equal(first->id, 1);
	assert_int_equal(second->id, 2);
	assert_ptr_equal(domain_find(2), second);
	assert_int_equal(second->references, 2);
	domain_put(second);
	assert_null(domain_find(3));
	assert_null(domain_find(DOMAIN_MAX));
	assert_null(domain_find(UINT64_MAX));
	assert_ptr_equal(domain_find_next(0), control);
	assert_ptr_equal(domain_find_next(1), first);
	assert_ptr_equal(domain_find_next(2), second);
	assert_int_equal(second->references, 2);
	domain_put(control);
	domain_put(first);
	domain_put(second);
	for (unsigned bit = 2; bit < 64; bit++)
		assert_null(domain_find_next((1UL << bit) - 1));
	assert_null(domain_find_next(UINT64_MAX));
	/* A number is not used again while something of its domain is left. */
	found = domain_find(1);
	assert_int_equal(domain_destroy(first), 0);
	assert_int_equal(domain_destroy(first), -EBUSY);
	for (unsigned i = 0; i < 100; i++)
		assert_true(domain_reap());
	assert_int_equal(fake_domain_create(false, 16)->id, 3);
	assert_null(domain_find(1));
	/* Nor is what is in use, and no domain's any more, in the way of the next. */
	assert_ptr_equal(domain_find_next(1), second);
	domain_put(second);
	assert_audit();
	domain_put(found);
	while (domain_reap())
		;
	assert_int_equal(fake_domain_create(false, 16)->id, 4);
}

static void make_and_end(uint16_t number)
{
	struct domain *d = fake_domain_create(false, 16);

	assert_int_equal(d->id, number);
	assert_int_equal(domain_destroy(d), 0);
	while (domain_reap())
		;
}

/* The one that was free for longest, so that who still knows a number seldom means another domain by it. */
static void test_numbers_in_turn(void **state)
{
	struct domain *stays;

	(void)state;
	fake_domain_create(true, 16);
	make_and_end(1);
	stays = fake_domain_create(false, 16);
	assert_int_equal(stays->id, 2);
	for (uint16_t number = 3; number < DOMAIN_MAX; number++)
		make_and_end(number);
	make_and_end(1);
	make_and_end(3);
	assert_audit();
}

static void test_reap_is_bounded(void **state)
{
	struct domain *d = fake_domain_create(false, 3072);
	uint64_t free = frame_free_count();
	unsigned steps = 0;

	(void)state;
	assert_false(domain_reap());
	assert_int_equal(domain_destroy(d), 0);
	while (domain_reap()) {
		uint64_t now = frame_free_count();

		assert_audit();
		assert_true(now - free <= 600);
		free = now;
		steps++;
	}
	assert_true(steps >= 6);
}

/* While a vCPU is on a CPU nothing is taken away from it. */
static void test_reap_waits_for_cpus(void **state)
{
	struct domain *d = fake_domain_create(false, 512);
	struct domain *other = fake_domain_create(false, 512);
	uint64_t free = frame_free_count();

	(void)state;
	d->vcpus[0]->sched.on_cpu = true;
	assert_int_equal(domain_destroy(d), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_true(domain_reap());
	assert_int_equal(frame_free_count(), free);
	/* Another is not held up by it. */
	assert_int_equal(domain_destroy(other), 0);
	for (unsigned i = 0; i < 20; i++)
		assert_true(domain_reap());
	assert_true(frame_free_count() > free + 512);
	assert_null(domain_find(2));
	d->vcpus[0]->sched.on_cpu = false;
	while (domain_reap())
		;
}

static void test_shutdown(void **state)
{
	struct domain *d = fake_domain_create(false, 512);

	(void)state;
	fake_domain_map(d);
	fake_domain_run(d);
	assert_int_equal(do_shutdown(RF_SHUTDOWN_REASONS), -EINVAL);
	assert_int_equal(do_shutdown(UINT64_MAX), -EINVAL);
	assert_int_equal(d->state, RF_DOMAIN_RUNNING);
	assert_int_equal(do_shutdown(RF_SHUTDOWN_REBOOT), 0);
	assert_int_equal(d->state, RF_DOMAIN_SHUTDOWN);
	assert_int_equal(d->reason, RF_SHUTDOWN_REBOOT);
	assert_non_null(strstr(fake_serial_output, "(fake) domain 1 rebooted: it asked for it"));
	assert_true(d->vcpus[0]->sched.pause);
	/* It ends once. */
	fake_serial_clear();
	assert_int_equal(domain_crash(d, "again"), -EINVAL);
	assert_int_equal(d->state, RF_DOMAIN_SHUTDOWN);
	assert_int_equal(fake_serial_length, 0);
}

static void test_crash(void **state)
{
	struct domain *d = fake_domain_create(false, 512);

	(void)state;
	fake_domain_map(d);
	fake_domain_run(d);
	assert_int_equal(domain_crash(d, "frame %u is %s", 7, "bad"), -EINVAL);
	assert_int_equal(d->state, RF_DOMAIN_CRASHED);
	assert_non_null(strstr(fake_serial_output, "fake registers"));
	assert_non_null(strstr(fake_serial_output, "(fake) domain 1 crashed: frame 7 is bad"));
}

static void end_control(uint32_t reason, const char *how)
{
	struct domain *control = fake_domain_create(true, 512);

	if (!FAKE_ENDS()) {
		domain_shutdown(control, reason);
		fake_end_missed();
	}
	assert_string_equal(fake_end_text, how);
	fake_domain_end_all();
}

/* Runs before a domain has crashed in this program, and after. */
static void test_machine_ends(void **state)
{
	(void)state;
	end_control(RF_SHUTDOWN_POWEROFF, "exit 16");
	end_control(RF_SHUTDOWN_REBOOT, "reboot");
	end_control(RF_SHUTDOWN_CRASH, "exit 17");
	end_control(RF_SHUTDOWN_POWEROFF, "exit 17");
}

static void test_info(void **state)
{
	struct domain *control = fake_domain_create(true, 3000);
	struct domain *d = fake_domain_create(false, 1024);
	const struct rf_domain_info *info = fake_domain_pointer(d, 0x2000);

	(void)state;
	fake_domain_map(d);
	fake_domain_run(d);
	assert_int_equal(do_domain_info(RF_DOMAIN_SELF, 0x2000), 0);
	assert_int_equal(info->domain, 1);
	assert_int_equal(info->state, RF_DOMAIN_RUNNING);
	assert_int_equal(info->vcpus, 1);
	assert_int_equal(info->vcpus_up, 0);
	assert_int_equal(info->control, 0);
	assert_int_equal(info->frames, 1024);
	assert_int_equal(info->frames_max, 1024);
	assert_int_equal(info->shadow_frames, d->shadow.pool.frames);
	assert_string_equal(info->name, "fake");
	assert_int_equal(do_domain_info(1, 0x2000), 0);
	assert_int_equal(do_domain_info(0, 0x2000), -EPERM);
	assert_int_equal(do_domain_info(5, 0x2000), -EPERM);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + 1, 0x2000), -EPERM);
	assert_int_equal(do_domain_info(1, 0xffff800000000000), -EFAULT);
	assert_int_equal(d->references, 1);
	assert_int_equal(control->references, 1);
}

static void test_info_next(void **state)
{
	struct domain *control = fake_domain_create(false, 1024);
	const struct rf_domain_info *info = fake_domain_pointer(control, 0x2000);
	struct domain *d = fake_domain_create(false, 16);

	(void)state;
	control->control = true;
	fake_domain_map(control);
	fake_domain_run(control);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT, 0x2000), 0);
	assert_int_equal(info->domain, 1);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + 2, 0x2000), 0);
	assert_int_equal(info->domain, 2);
	assert_int_equal(info->serial, d->serial);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + 3, 0x2000), -ESRCH);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + DOMAIN_MAX - 1, 0x2000), -ESRCH);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + DOMAIN_MAX, 0x2000), -ESRCH);
	assert_int_equal(do_domain_info(RF_DOMAIN_NEXT + 2, 0xffff800000000000), -EFAULT);
	/* It is for looking only. */
	assert_int_equal(do_domain_destroy(RF_DOMAIN_NEXT + 2), -ESRCH);
	assert_int_equal(d->references, 1);
}

static void test_destroy_hypercall(void **state)
{
	struct domain *control = fake_domain_create(true, 3000);
	struct domain *d = fake_domain_create(false, 1024);

	(void)state;
	assert_int_equal(memory_fill(control, 6000, 1024), 0);
	control->vcpus[0]->root_gfn = 6000;
	fake_domain_run(control);
	assert_int_equal(do_domain_destroy(RF_DOMAIN_SELF), -EINVAL);
	assert_int_equal(do_domain_destroy(0), -EINVAL);
	assert_int_equal(do_domain_destroy(2), -ESRCH);
	assert_int_equal(do_domain_destroy(UINT64_MAX), -ESRCH);
	assert_int_equal(do_domain_destroy(1), 0);
	assert_int_equal(do_domain_destroy(1), -EBUSY);
	assert_int_equal(d->state, RF_DOMAIN_DYING);
	while (domain_reap())
		;
	assert_int_equal(do_domain_destroy(1), -ESRCH);
}

static uint64_t random_below(uint64_t *seed, uint64_t limit)
{
	return (unit_random(seed) >> 16) % limit;
}

/* Some of what a domain does in its life. */
static void live(struct domain *d, uint64_t frames, uint64_t *seed)
{
	struct domain *d_found;

	fake_domain_map(d);
	fake_domain_run(d);
	if (random_below(seed, 2))
		assert_int_equal(do_vcpu_register_page(random_below(seed, frames)), 0);
	if (random_below(seed, 2))
		shadow_flush_all(d);
	d_found = domain_find(RF_DOMAIN_SELF);
	assert_ptr_equal(d_found, d);
	domain_put(d_found);
	if (random_below(seed, 3) == 0)
		domain_shutdown(d, random_below(seed, RF_SHUTDOWN_REASONS));
	fake_domain_run(NULL);
}

/* Ten thousand lives, up to four at a time, ended at any point: not one frame is lost. */
static void test_many_lives(void **state)
{
	uint64_t all = frame_free_count(), seed = 11;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		uint64_t frames = 32 + random_below(&seed, 64);
		struct domain_config config = {
			.name = "brief",
			.vcpus = 1 + (uint32_t)random_below(&seed, 3),
			.frames = frames,
			.shadow_frames = 1,
		};
		const char *error;
		struct domain *d = domain_create(&config, &error);

		assert_non_null(d);
		if (random_below(&seed, 4) > 0) {
			assert_int_equal(memory_fill(d, 0, frames), 0);
			live(d, frames, &seed);
		}
		assert_int_equal(domain_destroy(d), 0);
		for (uint64_t steps = random_below(&seed, 12); steps > 0; steps--)
			domain_reap();
		if (i % 8 == 0)
			while (domain_reap())
				;
		if (i % 1000 == 0)
			assert_audit();
		fake_serial_clear();
	}
	while (domain_reap())
		;
	assert_int_equal(frame_free_count(), all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_machine_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_in_turn, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reap_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reap_waits_for_cpus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_shutdown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_info, setup, teardown),
		cmocka_unit_test_setup_teardown(test_info_next, setup, teardown),
		cmocka_unit_test_setup_teardown(test_destroy_hypercall, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_lives, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
