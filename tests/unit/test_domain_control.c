// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the control domain does with others: made, set, copied to, triggered; and the ring of what they
 * print. Who may call is not looked at here: an ordinary domain stands for the control domain, since its
 * memory can be anywhere.
 */
#include "audited.h"

#include "abi/console.h"
#include "abi/errno.h"
#include "console_output.h"
#include "console_read.h"
#include "cpu.h"
#include "domain.h"
#include "domain_control.h"
#include "domain_copy.h"
#include "fake_arch.h"
#include "fake_memory.h"
#include "vcpu.h"

#define RAM_FRAMES 8192
#define ARGUMENT   0x2000UL
#define BUFFER	   0x10000UL
#define FRAMES	   64

static struct domain *caller;

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, 1);
	caller = fake_domain_create(false, 1024);
	fake_domain_map(caller);
	fake_domain_run(caller);
	return 0;
}

static int64_t create(uint32_t vcpus, uint64_t frames)
{
	struct rf_domain_config *config = fake_domain_pointer(caller, ARGUMENT);

	*config = (struct rf_domain_config){ .name = "made", .vcpus = vcpus, .frames_max = frames };
	return do_domain_create(ARGUMENT);
}

static struct domain *made(uint32_t vcpus)
{
	int64_t id = create(vcpus, FRAMES);
	struct domain *d;

	assert_true(id > 0);
	d = domain_find((uint64_t)id);
	domain_put(d);
	return d;
}

static int64_t set(const struct domain *d, struct rf_domain_set what)
{
	*(struct rf_domain_set *)fake_domain_pointer(caller, ARGUMENT) = what;
	return do_domain_set(d->id, ARGUMENT);
}

#define SET(d, ...) set(d, (struct rf_domain_set){ __VA_ARGS__ })

static void start(struct domain *d)
{
	assert_int_equal(memory_fill(d, 0, FRAMES), 0);
	assert_int_equal(SET(d, .mask = RF_SET_START | RF_SET_PAUSED, .entry = 0x1000,
			     .root = 0x2000, .argument = 7),
			 0);
}

static void test_create(void **state)
{
	struct domain *d = made(3);

	(void)state;
	assert_string_equal(d->name, "made");
	assert_int_equal(d->state, RF_DOMAIN_PAUSED);
	assert_int_equal(d->vcpu_count, 3);
	assert_int_equal(d->memory.frames, 0);
	assert_int_equal(d->memory.frames_max, FRAMES);
	assert_int_equal(d->shadow.pool.frames, 512);
	assert_false(d->on_serial);
	for (unsigned i = 0; i < 3; i++)
		assert_true(d->vcpus[i]->sched.pause);
	assert_int_equal(create(0, FRAMES), -EINVAL);
	assert_int_equal(create(1, 0), -EINVAL);
	assert_int_equal(create(65, FRAMES), -EINVAL);
	assert_int_equal(create(1, RF_CREATE_FRAMES_MAX + 1), -EINVAL);
	assert_int_equal(do_domain_create(0xffff800000000000), -EFAULT);
}

/* With each number of free frames that is too small. */
static void test_create_without_memory(void **state)
{
	uint64_t left;
	int64_t id;

	(void)state;
	for (left = 0;; left += 7) {
		fake_memory_starve(left);
		id = create(2, FRAMES);
		if (id > 0)
			break;
		assert_int_equal(id, -ENOMEM);
		assert_int_equal(frame_free_count(), left);
		fake_memory_feed();
		assert_audit();
	}
	fake_memory_feed();
	assert_true(left > 500);
}

/* It runs when it is let, not before, and not when it has ended. */
static void test_life(void **state)
{
	struct domain *d = made(2);

	(void)state;
	assert_int_equal(SET(d, .mask = RF_SET_PAUSED, .paused = 0), -EINVAL);
	assert_int_equal(d->state, RF_DOMAIN_PAUSED);
	start(d);
	assert_int_equal(d->state, RF_DOMAIN_RUNNING);
	assert_int_equal(d->vcpus[0]->sched.state, SCHED_RUNNABLE);
	assert_true(list_linked(&d->vcpus[0]->sched.link));
	assert_int_equal(d->vcpus[1]->sched.state, SCHED_DOWN);
	assert_int_equal(d->shadow.kernel_half.guest_root, 2);
	assert_int_equal(SET(d, .mask = RF_SET_PAUSED, .paused = 1), 0);
	assert_int_equal(d->state, RF_DOMAIN_PAUSED);
	assert_false(list_linked(&d->vcpus[0]->sched.link));
	assert_int_equal(SET(d, .mask = RF_SET_PAUSED, .paused = 1), 0);
	assert_int_equal(SET(d, .mask = RF_SET_START), -EBUSY);
	/* A vCPU of it was on its way to ask for the end. */
	domain_shutdown(d, RF_SHUTDOWN_REBOOT);
	assert_int_equal(d->state, RF_DOMAIN_SHUTDOWN);
	assert_int_equal(SET(d, .mask = RF_SET_PAUSED, .paused = 0), -EBUSY);
	assert_false(list_linked(&d->vcpus[0]->sched.link));
	domain_unpause(d);
	assert_int_equal(d->state, RF_DOMAIN_SHUTDOWN);
	assert_int_equal(do_domain_destroy(d->id), 0);
	assert_int_equal(SET(d, .mask = 0), -ESRCH);
}

static void test_set(void **state)
{
	struct domain *d = made(2);

	(void)state;
	assert_int_equal(SET(d, .mask = RF_SET_WEIGHT | RF_SET_CAP | RF_SET_NAME, .weight = 9,
			     .cap = 33, .name = "other"),
			 0);
	assert_string_equal(d->name, "other");
	assert_int_equal(d->vcpus[1]->sched.weight, 9);
	assert_int_equal(d->vcpus[1]->sched.cap, 33);
	assert_int_equal(SET(d, .mask = RF_SET_AFFINITY, .affinity = 3, .vcpu = 1), 0);
	assert_int_equal(d->vcpus[0]->sched.affinity, ~0ULL);
	assert_int_equal(d->vcpus[1]->sched.affinity, 3);
	assert_int_equal(SET(d, .mask = RF_SET_AFFINITY, .affinity = 2, .vcpu = 1), -EINVAL);
	assert_int_equal(SET(d, .mask = RF_SET_FRAMES_MAX, .frames_max = 512), 0);
	assert_int_equal(d->memory.frames_max, 512);
	assert_int_equal(SET(d, .mask = RF_SET_FRAMES_MAX, .frames_max = 513), -EINVAL);
	/* All or nothing. */
	assert_int_equal(SET(d, .mask = RF_SET_WEIGHT | RF_SET_PAUSED, .weight = 5), -EINVAL);
	assert_int_equal(d->vcpus[0]->sched.weight, 9);
}

static int64_t copy(const struct domain *d, uint32_t direction, uint64_t physical, uint32_t size)
{
	struct rf_domain_copy *op = fake_domain_pointer(caller, ARGUMENT);

	*op = (struct rf_domain_copy){ .direction = direction,
				       .size = size,
				       .physical = physical,
				       .address = BUFFER };
	return do_domain_copy(d->id, ARGUMENT, 1);
}

static void test_copy(void **state)
{
	struct domain *d = made(1);
	char *mine = fake_domain_pointer(caller, BUFFER);

	(void)state;
	assert_int_equal(copy(d, RF_COPY_TO, 0, 8), -ENOENT);
	assert_int_equal(memory_fill(d, 0, FRAMES), 0);
	strcpy(mine, "over a border");
	assert_int_equal(copy(d, RF_COPY_TO, 4096 - 5, 14), 1);
	memset(mine, 0, 14);
	assert_int_equal(copy(d, RF_COPY_FROM, 4096 - 5, 14), 1);
	assert_string_equal(mine, "over a border");
	assert_int_equal(copy(d, 2, 0, 8), -EINVAL);
	assert_int_equal(copy(d, RF_COPY_TO, FRAMES * 4096 - 4, 8), -ENOENT);
	assert_int_equal(copy(d, RF_COPY_TO, ~0ULL - 2, 8), -EINVAL);
	assert_int_equal(do_domain_copy(d->id, ARGUMENT, RF_COPY_MAX + 1), -E2BIG);
	/* Nothing is held any more: the audit of the end sees to it. */
	assert_int_equal(do_domain_destroy(d->id), 0);
	assert_int_equal(copy(d, RF_COPY_TO, 0, 8), -ESRCH);
}

static void test_trigger(void **state)
{
	struct domain *d = made(1);
	uint64_t bit = 1ULL << (RF_VECTOR_CONSOLE % 64);

	(void)state;
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_REBOOT, 0, 0), 0);
	assert_int_equal(d->request, RF_TRIGGER_REBOOT);
	assert_int_equal(d->requests, 1);
	assert_true(d->vcpus[0]->interrupt.vectors[RF_VECTOR_CONSOLE / 64] & bit);
	strcpy(fake_domain_pointer(caller, ARGUMENT), "typed");
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_INPUT, ARGUMENT, 5), 5);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_SYSRQ, 't', 0), 0);
	assert_memory_equal(d->input.ring, "typed\017t", 7);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_INPUT, ARGUMENT, 248), 248);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_SYSRQ, 't', 0), -EAGAIN);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_INPUT, ARGUMENT, 2), 1);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_INPUT, ARGUMENT, 2), 0);
	/* Its vCPU is down, as it was made. */
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_NMI, 0, 0), -EINVAL);
	sched_up(d->vcpus[0]);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_NMI, 1, 0), -EINVAL);
	assert_int_equal(do_domain_trigger(d->id, RF_TRIGGER_NMI, 0, 0), 0);
	assert_true(d->vcpus[0]->interrupt.vectors[0] & 1 << INTERRUPT_NMI);
}

/* --- what is printed --- */

static char expected(uint64_t position)
{
	return (char)(position * 31 + position / 256);
}

static bool print(struct console_output *output, uint64_t count)
{
	bool told = false;

	for (uint64_t i = 0; i < count; i++) {
		char byte = expected(output->end);

		told |= console_output_put(output, &byte, 1);
	}
	return told;
}

static void test_output_ring(void **state)
{
	struct console_output output = {};
	uint64_t position = 0, seed = 5;

	(void)state;
	assert_int_equal(console_output_create(&output), 0);
	for (unsigned round = 0; round < 2000; round++) {
		char text[600];
		uint64_t before = position, lost, count;

		print(&output, unit_random(&seed) % 400);
		if (round % 500 == 499)
			print(&output, RF_CONSOLE_RING + 100);
		count = console_output_read(&output, &position, text,
					    unit_random(&seed) % sizeof(text));
		lost = position - before - count;
		assert_true(lost == 0 || position - count == output.end - RF_CONSOLE_RING);
		for (uint64_t i = 0; i < count; i++)
			assert_int_equal(text[i], expected(position - count + i));
	}
	console_output_destroy(&output);
}

static void test_output_tells_once(void **state)
{
	struct console_output output = {};
	uint64_t position = 0;
	char text[8];

	(void)state;
	assert_false(print(&output, 1)); /* without a ring there is nothing to read */
	assert_int_equal(console_output_create(&output), 0);
	output.end = 0;
	assert_true(print(&output, 1));
	assert_false(print(&output, RF_CONSOLE_RING * 2));
	console_output_read(&output, &position, text, 1);
	assert_true(print(&output, 1));
	assert_false(print(&output, 1));
	console_output_destroy(&output);
}

static void test_read(void **state)
{
	struct domain *d = made(1);
	uint64_t *position = fake_domain_pointer(caller, ARGUMENT);
	const char *text = fake_domain_pointer(caller, BUFFER);

	(void)state;
	caller->control = true;
	console_output_put(&d->output, "printed", 7);
	*position = 2;
	assert_int_equal(do_console_read(d->id, BUFFER, 100, ARGUMENT), 5);
	assert_memory_equal(text, "inted", 5);
	assert_int_equal(*position, 7);
	assert_int_equal(do_console_read(d->id, BUFFER, 100, ARGUMENT), 0);
	assert_int_equal(do_console_read(999, BUFFER, 100, ARGUMENT), -ESRCH);
	*position = 0;
	assert_int_equal(do_console_read(d->id, 0xffff800000000000, 100, ARGUMENT), -EFAULT);
	assert_int_equal(*position, 0);
	assert_int_equal(do_console_read(d->id, BUFFER, 100, 0xffff800000000000), -EFAULT);
	caller->control = false;
	assert_int_equal(do_console_read(d->id, BUFFER, 100, ARGUMENT), -EPERM);
	assert_int_equal(do_console_read(RF_DOMAIN_SELF, BUFFER, 100, ARGUMENT), -EINVAL);
	assert_int_equal(do_console_read(RF_DOMAIN_SELF, BUFFER, 100, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_without_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_set, setup, teardown),
		cmocka_unit_test_setup_teardown(test_copy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trigger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_output_tells_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
