// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts of devices: every request that is refused leaves nothing behind; levels, edges and
 * messages; closing at every time; the end of the domain; several CPUs at once.
 */
#include "unit.h"

#include <pthread.h>

#include "abi/errno.h"
#include "abi/interrupt.h"
#include "audit.h"
#include "bitmap.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "fake_line.h"
#include "interrupt.h"
#include "quiesce.h"
#include "vcpu.h"

#define RAM_FRAMES 8192
#define CPUS	   4
#define FIRST	   1024 /* frame of the domain */
#define PAGE_GFN   (FIRST + 20)
#define BUFFER	   0x4000ULL
#define READ_ONLY  0x9000ULL
#define NOT_THERE  0x7fff0000ULL
#define GSI	   11

static struct domain *d;

static uint64_t *table(uint64_t i)
{
	return arch_frame_pointer(FIRST + i);
}

/* Page i of the user half is frame FIRST + 4 + i, one of them read-only. */
static void map(void)
{
	const uint64_t bits = 0x27;

	for (uint64_t level = 0; level < 3; level++)
		table(level)[0] = (FIRST + level + 1) << FRAME_SHIFT | bits;
	for (uint64_t i = 0; i < 32; i++)
		table(3)[i] = (FIRST + 4 + i) << FRAME_SHIFT | bits | 0x40;
	table(3)[READ_ONLY >> FRAME_SHIFT] &= ~2ULL;
	d->vcpus[0]->root_gfn = FIRST;
	d->vcpus[1]->root_gfn = FIRST;
}

static struct rf_interrupt *buffer(void)
{
	return arch_frame_pointer(FIRST + 4 + (BUFFER >> FRAME_SHIFT));
}

static int setup(void **state)
{
	struct domain_config config = { .control = true,
					.vcpus = 2,
					.frames = 64,
					.shadow_frames = 1 };
	const char *error;

	(void)state;
	fake_domain_init(RAM_FRAMES, CPUS);
	fake_line_init();
	d = domain_create(&config, &error);
	assert_non_null(d);
	assert_int_equal(memory_fill(d, FIRST, 64), 0);
	map();
	this_cpu()->current = d->vcpus[0];
	return 0;
}

static void assert_audit(void)
{
	struct vcpu *current = this_cpu()->current;
	const char *wrong;

	this_cpu()->current = NULL;
	wrong = audit_run();
	if (wrong)
		fail_msg("audit: %s", wrong);
	this_cpu()->current = current;
}

static int teardown(void **state)
{
	(void)state;
	fake_set_cpu(0);
	assert_audit();
	this_cpu()->current = NULL;
	fake_domain_end_all();
	assert_int_equal(fake_lines_open, 0);
	assert_int_equal(fake_lines_used, 0);
	assert_int_equal(frame_free_count(), RAM_FRAMES - 256);
	return 0;
}

static int setup_with_page(void **state)
{
	setup(state);
	return do_event_register_page(PAGE_GFN) != 0;
}

static int64_t bind(struct rf_interrupt what)
{
	*buffer() = what;
	return do_interrupt_bind(BUFFER);
}

static uint32_t bind_gsi(uint32_t flags)
{
	int64_t port = bind((struct rf_interrupt){ .gsi = GSI, .flags = flags, .vcpu = 1 });

	assert_true(port > 0);
	assert_int_equal(buffer()->msi_address, 0);
	bitmap_clear(d->event.page->mask, (size_t)port);
	return (uint32_t)port;
}

static bool take(uint32_t port)
{
	bool was_told = bitmap_test(d->vcpus[1]->interrupt.vectors, RF_VECTOR_EVENT);
	bool was_pending = bitmap_test(d->event.page->pending, port);

	assert_int_equal(was_told, was_pending);
	assert_int_equal(d->event.page->selector[1], was_told ? bitmap_mask(port / 64) : 0);
	interrupt_reset(d->vcpus[1]);
	d->event.page->selector[1] = 0;
	bitmap_clear(d->event.page->pending, port);
	return was_told;
}

/* --- Refused --- */

static void test_without_page(void **state)
{
	(void)state;
	assert_int_equal(bind((struct rf_interrupt){ .gsi = GSI }), -EINVAL);
	assert_false(fake_gsis[GSI].taken);
}

static void test_refused(void **state)
{
	(void)state;
	assert_int_equal(do_interrupt_bind(NOT_THERE), -EFAULT);
	for (unsigned i = 0; i < 32; i++) {
		if (i > 0)
			assert_int_equal(bind((struct rf_interrupt){ .kind = 1U << i }), -EINVAL);
		if (i > 1)
			assert_int_equal(bind((struct rf_interrupt){ .flags = 1U << i }), -EINVAL);
		if (i > 0)
			assert_int_equal(bind((struct rf_interrupt){ .vcpu = 1U << i }), -EINVAL);
		assert_int_equal(bind((struct rf_interrupt){ .reserved = 1U << i }), -EINVAL);
		assert_int_equal(
			bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI, .gsi = 1U << i }),
			-EINVAL);
		assert_int_equal(
			bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI, .flags = 1U << i }),
			-EINVAL);
	}
	assert_int_equal(bind((struct rf_interrupt){ .gsi = FAKE_GSIS }), -EINVAL);
	assert_int_equal(bind((struct rf_interrupt){ .gsi = FAKE_GSI_OWN }), -EBUSY);
	assert_int_equal(do_interrupt_end(0), -ENOENT);
	assert_int_equal(do_interrupt_end(1), -ENOENT);
	assert_int_equal(do_interrupt_end(RF_EVENT_PORTS), -ENOENT);
	assert_int_equal(do_interrupt_end(~0ULL), -ENOENT);
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), 1);
	assert_int_equal(do_interrupt_end(1), -ENOENT);
	assert_int_equal(do_event_close(1), 0);
	/* Nothing is left of any of them. */
	assert_int_equal(fake_lines_used, 0);
	assert_audit();
	assert_int_equal(bind_gsi(0), 1);
	assert_int_equal(bind((struct rf_interrupt){ .gsi = GSI }), -EBUSY);
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), 2);
}

/* The structure can be read and not be written: found out when all is done, and undone. */
static void test_cannot_answer(void **state)
{
	struct rf_interrupt *what = arch_frame_pointer(FIRST + 4 + (READ_ONLY >> FRAME_SHIFT));

	(void)state;
	*what = (struct rf_interrupt){ .gsi = GSI };
	assert_int_equal(do_interrupt_bind(READ_ONLY), -EFAULT);
	assert_false(fake_gsis[GSI].taken);
	assert_int_equal(fake_lines_used, 0);
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), 1);
}

static void test_all_taken(void **state)
{
	int64_t port = 0;
	uint32_t count;

	(void)state;
	for (count = 0; port >= 0; count++)
		port = bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI });
	assert_int_equal(port, -ENOSPC);
	assert_int_equal(count, FAKE_LINES_MOST + 1);
	assert_audit();
	assert_int_equal(do_event_close(7), 0);
	assert_int_equal(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI }), 7);
	/* No port. */
	while (do_event_listen(RF_DOMAIN_SELF) > 0)
		;
	assert_int_equal(do_event_close(8), 0);
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), 8);
	assert_int_equal(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI }), -ENOSPC);
	assert_int_equal(fake_lines_used, FAKE_LINES_MOST - 1);
}

/* --- Good --- */

static void test_edge(void **state)
{
	uint32_t port = bind_gsi(RF_INTERRUPT_LOW);
	struct fake_gsi *gsi = &fake_gsis[GSI];

	(void)state;
	assert_int_equal(gsi->flags, RF_INTERRUPT_LOW);
	assert_false(take(port));
	device_interrupt_arrive(gsi->number);
	assert_true(take(port));
	device_interrupt_arrive(gsi->number);
	device_interrupt_arrive(gsi->number);
	assert_true(take(port));
	assert_false(take(port));
	assert_int_equal(do_interrupt_end(port), 0);
	assert_int_equal(gsi->masks + gsi->unmasks, 0);
	assert_int_equal(do_event_send(port), -EINVAL);
	assert_int_equal(do_event_connect(RF_DOMAIN_SELF, port), -ENOENT);
}

static void test_level(void **state)
{
	uint32_t port = bind_gsi(RF_INTERRUPT_LEVEL);
	struct fake_gsi *gsi = &fake_gsis[GSI];

	(void)state;
	assert_int_equal(do_interrupt_end(port), 0);
	assert_int_equal(gsi->unmasks, 0);
	for (uint32_t i = 1; i < 4; i++) {
		device_interrupt_arrive(gsi->number);
		assert_true(gsi->masked);
		assert_true(take(port));
		assert_int_equal(do_interrupt_end(port), 0);
		assert_false(gsi->masked);
		assert_int_equal(do_interrupt_end(port), 0);
		assert_int_equal(gsi->masks, i);
		assert_int_equal(gsi->unmasks, i);
	}
	/* The port being masked does not keep the input from being. */
	bitmap_set(d->event.page->mask, port);
	device_interrupt_arrive(gsi->number);
	assert_true(gsi->masked);
	assert_true(bitmap_test(d->event.page->pending, port));
	assert_false(bitmap_test(d->vcpus[1]->interrupt.vectors, RF_VECTOR_EVENT));
}

static void test_message(void **state)
{
	int64_t first = bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI, .vcpu = 1 });
	uint32_t data = buffer()->msi_data;

	(void)state;
	assert_int_equal(buffer()->msi_address, 0xfee00000);
	bitmap_clear(d->event.page->mask, (size_t)first);
	assert_true(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI }) > first);
	assert_true(buffer()->msi_data != data);
	device_interrupt_arrive(data - 1);
	assert_true(take((uint32_t)first));
	assert_int_equal(do_interrupt_end((uint64_t)first), 0);
}

/* What comes late is for nobody: not the next who has the number, nor who has the port. */
static void test_close(void **state)
{
	uint32_t port = bind_gsi(RF_INTERRUPT_LEVEL), number = fake_gsis[GSI].number;

	(void)state;
	device_interrupt_arrive(number);
	take(port);
	assert_int_equal(do_event_close(port), 0);
	assert_true(fake_gsis[GSI].masked);
	assert_false(fake_gsis[GSI].taken);
	assert_int_equal(do_event_close(port), -ENOENT);
	assert_int_equal(do_interrupt_end(port), -ENOENT);
	device_interrupt_arrive(number);
	assert_false(take(port));
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), port);
	bitmap_clear(d->event.page->mask, port);
	device_interrupt_arrive(number);
	assert_false(take(port));
	assert_audit();
	/* It begins anew: not masked, nothing to end. */
	assert_int_equal(bind_gsi(RF_INTERRUPT_LEVEL), port + 1);
	assert_int_equal(do_interrupt_end(port + 1), 0);
	assert_int_equal(fake_gsis[GSI].unmasks, 0);
}

/* With interrupts that are masked, and ports that are not. */
static void test_death(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		assert_true(bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI }) > 0);
	bind_gsi(RF_INTERRUPT_LEVEL);
	device_interrupt_arrive(fake_gsis[GSI].number);
	this_cpu()->current = NULL;
	assert_int_equal(domain_destroy(d), 0);
	while (domain_reap())
		assert_audit();
	assert_int_equal(fake_lines_used, 0);
	assert_true(fake_gsis[GSI].masked);
}

static void test_audit_sees(void **state)
{
	uint32_t port = bind_gsi(0);

	(void)state;
	d->event.ports[port].interrupt++;
	assert_non_null(audit_run());
	d->event.ports[port].interrupt--;
	d->event.ports[port].kind = EVENT_BUSY;
	assert_non_null(audit_run());
	d->event.ports[port].kind = EVENT_INTERRUPT;
	assert_audit();
}

/* --- Several CPUs --- */

#define ROUNDS 20000

static bool done;

/* Whatever number: bound or not. */
static void *arrive(void *argument)
{
	uint64_t random = 99;

	fake_set_cpu(2);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE))
		device_interrupt_arrive((uint32_t)(unit_random(&random) % 8));
	return argument;
}

static void *ends(void *argument)
{
	uint64_t random = 7;

	fake_set_cpu(1);
	this_cpu()->current = d->vcpus[1];
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		uint64_t port = 1 + unit_random(&random) % 8;

		do_interrupt_end(port);
		do_event_set_vcpu(port, unit_random(&random) % 2);
		if (unit_random(&random) % 4 == 0)
			do_event_close(port);
	}
	this_cpu()->current = NULL;
	return argument;
}

static void test_all_at_once(void **state)
{
	pthread_t threads[2];
	uint64_t random = 1;

	(void)state;
	done = false;
	assert_int_equal(pthread_create(&threads[0], NULL, arrive, NULL), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, ends, NULL), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t choice = unit_random(&random) % 8;

		if (choice < 2)
			bind((struct rf_interrupt){ .kind = RF_INTERRUPT_MSI });
		else if (choice < 4)
			bind((struct rf_interrupt){ .gsi = 8 + choice,
						    .flags = RF_INTERRUPT_LEVEL });
		else
			do_event_close(choice);
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	/* Who closes one waits for this CPU. */
	quiesce_idle_begin();
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
	quiesce_idle_end();
	assert_audit();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_without_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_cannot_answer, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_all_taken, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_edge, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_level, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_message, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_close, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_death, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_audit_sees, setup_with_page, teardown),
		cmocka_unit_test_setup_teardown(test_all_at_once, setup_with_page, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
