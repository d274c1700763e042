// SPDX-License-Identifier: BSD-2-Clause
/*
 * Event channels: every call well and badly, who is told of what, what is left when an end closes
 * or its domain dies, at every step of that, and everything at once from several CPUs.
 */
#include "unit.h"

#include <pthread.h>

#include "abi/errno.h"
#include "audit.h"
#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "event.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "interrupt.h"
#include "vcpu.h"

#define RAM_FRAMES 8192
#define CPUS	   4
#define VCPUS	   3
#define PAGE_GFN   5
#define NOBODY	   77

static struct domain *a, *b;

static struct domain *create(const char *name)
{
	struct domain_config config = { .vcpus = VCPUS, .frames = 64, .shadow_frames = 1 };
	const char *error;
	struct domain *d;

	snprintf(config.name, sizeof(config.name), "%s", name);
	d = domain_create(&config, &error);
	assert_non_null(d);
	assert_int_equal(memory_fill(d, 0, 64), 0);
	return d;
}

/* Hypercalls are those of this vCPU from now on. */
static void run(struct domain *d, uint32_t vcpu)
{
	this_cpu()->current = d->vcpus[vcpu];
}

static void create_with_page(struct domain **d, const char *name)
{
	*d = create(name);
	run(*d, 0);
	assert_int_equal(do_event_register_page(PAGE_GFN), 0);
}

static void assert_audit(void)
{
	const char *wrong;

	this_cpu()->current = NULL;
	wrong = audit_run();
	if (wrong)
		fail_msg("audit: %s", wrong);
}

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, CPUS);
	create_with_page(&a, "a");
	create_with_page(&b, "b");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_set_cpu(0);
	assert_audit();
	fake_domain_end_all();
	assert_int_equal(frame_free_count(), RAM_FRAMES - 256);
	return 0;
}

/* --- Looking --- */

static bool is_pending(const struct domain *d, uint32_t port)
{
	return bitmap_test(d->event.page->pending, port);
}

static void unmask(struct domain *d, uint32_t port)
{
	bitmap_clear(d->event.page->mask, port);
}

static bool was_posted(const struct domain *d, uint32_t vcpu)
{
	return bitmap_test(d->vcpus[vcpu]->interrupt.vectors, RF_VECTOR_EVENT);
}

/* What the guest does: nothing waits any more. */
static void forget(struct domain *d)
{
	memset(d->event.page->pending, 0, sizeof(d->event.page->pending));
	memset(d->event.page->selector, 0, sizeof(d->event.page->selector));
	for (uint32_t i = 0; i < VCPUS; i++)
		interrupt_reset(d->vcpus[i]);
}

/* Exactly this vCPU was told, of exactly this port. */
static void assert_told(struct domain *d, uint32_t port, uint32_t vcpu)
{
	assert_true(is_pending(d, port));
	for (uint32_t i = 0; i < VCPUS; i++) {
		assert_int_equal(was_posted(d, i), i == vcpu);
		assert_int_equal(d->event.page->selector[i],
				 i == vcpu ? bitmap_mask(port / 64) : 0);
	}
	forget(d);
}

static void assert_nobody_told(const struct domain *d)
{
	for (uint32_t i = 0; i < VCPUS; i++) {
		assert_false(was_posted(d, i));
		assert_int_equal(d->event.page->selector[i], 0);
	}
}

/* A listens at port *near, b is connected at *far; both unmasked. */
static void connect_ab(uint32_t *near, uint32_t *far)
{
	int64_t port;

	run(a, 0);
	port = do_event_listen(b->id);
	assert_true(port > 0);
	*near = (uint32_t)port;
	run(b, 1);
	port = do_event_connect(a->id, *near);
	assert_true(port > 0);
	*far = (uint32_t)port;
	unmask(a, *near);
	unmask(b, *far);
	assert_true(is_pending(a, *near));
	assert_nobody_told(a);
	assert_false(is_pending(b, *far));
	forget(a);
}

/* --- Tests --- */

static void test_page(void **state)
{
	struct domain *d = create("d");
	uint64_t mfn = memory_lookup(d, PAGE_GFN);

	(void)state;
	run(d, 0);
	assert_int_equal(do_event_listen(a->id), -EINVAL);
	assert_int_equal(do_event_listen(NOBODY), -ESRCH);
	assert_int_equal(do_event_connect(a->id, 1), -ENOENT);
	assert_int_equal(do_event_register_page(64), -EINVAL);
	assert_int_equal(do_event_register_page(~0ULL), -EINVAL);
	assert_int_equal(frame_of(mfn)->references, 1);
	assert_int_equal(do_event_register_page(PAGE_GFN), 0);
	assert_int_equal(frame_of(mfn)->references, 2);
	assert_int_equal(do_event_register_page(PAGE_GFN), -EBUSY);
	assert_int_equal(do_event_register_page(PAGE_GFN + 1), -EBUSY);
	assert_int_equal(frame_of(mfn)->references, 2);
	assert_int_equal(frame_of(memory_lookup(d, PAGE_GFN + 1))->references, 1);
}

static void assert_no_port(uint64_t port)
{
	assert_int_equal(do_event_send(port), -ENOENT);
	assert_int_equal(do_event_close(port), -ENOENT);
	assert_int_equal(do_event_set_vcpu(port, 0), -ENOENT);
	assert_int_equal(do_event_connect(RF_DOMAIN_SELF, port), -ENOENT);
	assert_int_equal(event_interrupt(port), -ENOENT);
}

static void test_bad_numbers(void **state)
{
	(void)state;
	run(a, 0);
	assert_no_port(0);
	for (unsigned i = 0; i < 64; i++) {
		assert_no_port(1ULL << i);
		if (1ULL << i > b->id)
			assert_int_equal(do_event_listen(1ULL << i), -ESRCH);
		assert_int_equal(do_event_connect(NOBODY, 1ULL << i), -ESRCH);
	}
	assert_no_port(RF_EVENT_PORTS - 1);
	assert_no_port(RF_EVENT_PORTS);
	assert_no_port(~0ULL);
	assert_int_equal(do_event_set_vcpu(1, VCPUS), -EINVAL);
	assert_int_equal(do_event_set_vcpu(1, ~0ULL), -EINVAL);
}

static void test_send(void **state)
{
	uint32_t near, far;

	(void)state;
	connect_ab(&near, &far);
	run(b, 0);
	assert_int_equal(do_event_send(far), 0);
	assert_true(is_pending(a, near));
	/* Again before it is taken: nobody is told twice. */
	interrupt_reset(a->vcpus[0]);
	assert_int_equal(do_event_send(far), 0);
	assert_false(was_posted(a, 0));
	interrupt_post(a->vcpus[0], RF_VECTOR_EVENT);
	assert_told(a, near, 0);
	/* Masked: only pending. */
	bitmap_set(a->event.page->mask, near);
	assert_int_equal(do_event_send(far), 0);
	assert_true(is_pending(a, near));
	assert_nobody_told(a);
	forget(a);
	unmask(a, near);
	/* The other way, and nothing of it here. */
	run(a, 2);
	assert_int_equal(do_event_send(near), 0);
	assert_told(b, far, 0);
	assert_nobody_told(a);
}

static void test_vcpu(void **state)
{
	uint32_t near, far;

	(void)state;
	connect_ab(&near, &far);
	for (uint32_t i = VCPUS; i-- > 0;) {
		run(a, 0);
		assert_int_equal(do_event_set_vcpu(near, i), 0);
		assert_nobody_told(a);
		run(b, 0);
		assert_int_equal(do_event_send(far), 0);
		assert_told(a, near, i);
	}
	/* What is pending is told to the new one, unless it is masked. */
	run(b, 0);
	assert_int_equal(do_event_send(far), 0);
	interrupt_reset(a->vcpus[0]);
	a->event.page->selector[0] = 0;
	run(a, 0);
	assert_int_equal(do_event_set_vcpu(near, 1), 0);
	assert_told(a, near, 1);
	bitmap_set(a->event.page->mask, near);
	bitmap_set(a->event.page->pending, near);
	assert_int_equal(do_event_set_vcpu(near, 2), 0);
	assert_nobody_told(a);
}

static void test_new_port(void **state)
{
	int64_t port;

	(void)state;
	memset(a->event.page, 0xff, sizeof(*a->event.page));
	bitmap_clear(a->event.page->mask, 1);
	run(a, 0);
	port = do_event_listen(RF_DOMAIN_SELF);
	assert_int_equal(port, 1);
	assert_false(is_pending(a, 1));
	assert_true(bitmap_test(a->event.page->mask, 1));
	assert_int_equal(a->event.ports[1].vcpu, 0);
	/* Nothing else was touched. */
	assert_int_equal(a->event.page->pending[0], ~2ULL);
	assert_int_equal(a->event.page->pending[1], ~0ULL);
	assert_int_equal(a->event.page->mask[0], ~0ULL);
}

static void test_who_may_connect(void **state)
{
	struct domain *c;
	int64_t port;

	(void)state;
	create_with_page(&c, "c");
	run(a, 0);
	port = do_event_listen(b->id);
	assert_int_equal(do_event_send((uint64_t)port), -ENOTCONN);
	assert_int_equal(do_event_connect(RF_DOMAIN_SELF, (uint64_t)port), -ENOENT);
	run(c, 0);
	assert_int_equal(do_event_connect(a->id, (uint64_t)port), -ENOENT);
	run(b, 0);
	assert_int_equal(do_event_connect(a->id, (uint64_t)port + 1), -ENOENT);
	assert_int_equal(do_event_connect(a->id, (uint64_t)port | 1ULL << 32), -ENOENT);
	assert_int_equal(do_event_connect(a->id, (uint64_t)port), 1);
	assert_int_equal(do_event_connect(a->id, (uint64_t)port), -ENOENT);
	run(a, 0);
	assert_int_equal(do_event_connect(b->id, 1), -ENOENT);
}

static void test_close(void **state)
{
	uint32_t near, far;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		connect_ab(&near, &far);
		/* Either end. */
		run(i ? a : b, 0);
		assert_int_equal(do_event_close(i ? near : far), 0);
		assert_no_port(i ? near : far);
		assert_nobody_told(i ? a : b);
		assert_told(i ? b : a, i ? far : near, 0);
		run(i ? b : a, 0);
		assert_int_equal(do_event_send(i ? far : near), -ENOTCONN);
		/* It listens for the same domain. */
		run(i ? a : b, 0);
		assert_int_equal(do_event_connect(i ? b->id : a->id, i ? far : near), 1);
		assert_audit();
		run(a, 0);
		assert_int_equal(do_event_close(near), 0);
		run(b, 0);
		assert_int_equal(do_event_close(far), 0);
		assert_audit();
		forget(a);
		forget(b);
	}
	/* One that only listens. */
	run(a, 0);
	assert_int_equal(do_event_listen(b->id), 1);
	assert_int_equal(do_event_close(1), 0);
	run(b, 0);
	assert_int_equal(do_event_connect(a->id, 1), -ENOENT);
}

static void test_loop(void **state)
{
	(void)state;
	run(a, 0);
	assert_int_equal(do_event_listen(RF_DOMAIN_SELF), 1);
	assert_int_equal(do_event_connect(a->id, 1), 2);
	unmask(a, 1);
	unmask(a, 2);
	forget(a);
	assert_int_equal(do_event_send(1), 0);
	assert_told(a, 2, 0);
	assert_int_equal(do_event_send(2), 0);
	assert_told(a, 1, 0);
	assert_audit();
	run(a, 0);
	assert_int_equal(do_event_close(1), 0);
	assert_told(a, 2, 0);
	assert_int_equal(do_event_send(2), -ENOTCONN);
	assert_int_equal(do_event_close(2), 0);
}

static void test_all_ports(void **state)
{
	(void)state;
	run(a, 0);
	for (uint32_t i = 1; i < RF_EVENT_PORTS; i++)
		assert_int_equal(do_event_listen(b->id), i);
	assert_int_equal(do_event_listen(b->id), -ENOSPC);
	assert_int_equal(event_reserve(a, 0), -ENOSPC);
	run(b, 0);
	for (uint32_t i = 1; i < RF_EVENT_PORTS - 1; i++)
		assert_int_equal(do_event_connect(a->id, i), i);
	assert_int_equal(do_event_listen(a->id), RF_EVENT_PORTS - 1);
	assert_int_equal(do_event_connect(a->id, RF_EVENT_PORTS - 1), -ENOSPC);
	assert_audit();
}

/* --- The end of a domain --- */

/* It is taken apart in steps; at each of them all is well, and nobody new gets to it. */
static void test_death(void **state)
{
	uint32_t near[100], far[100];
	uint16_t number = b->id;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		connect_ab(&near[i], &far[i]);
	run(a, 0);
	assert_int_equal(do_event_listen(number), 101);
	run(b, 0);
	assert_int_equal(do_event_listen(a->id), 101);
	this_cpu()->current = NULL;
	assert_int_equal(domain_destroy(b), 0);
	for (unsigned step = 0; domain_reap(); step++) {
		assert_audit();
		run(a, 0);
		for (unsigned i = 0; i < 100; i++) {
			int64_t result = do_event_send(near[i]);

			assert_true(result == 0 || result == -ENOTCONN);
			assert_int_equal(do_event_set_vcpu(near[i], step % VCPUS), 0);
		}
		if (step > 0) {
			assert_int_equal(do_event_listen(number), -ESRCH);
			assert_int_equal(do_event_connect(number, 101), -ESRCH);
		}
		this_cpu()->current = NULL;
	}
	run(a, 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_true(is_pending(a, near[i]));
		assert_int_equal(do_event_send(near[i]), -ENOTCONN);
	}
	/* The next of that number is not who was meant. */
	domain_last_number = number - 1U;
	create_with_page(&b, "again");
	assert_int_equal(b->id, number);
	assert_int_equal(do_event_connect(a->id, near[0]), -ENOENT);
	assert_int_equal(do_event_connect(a->id, 101), -ENOENT);
	run(a, 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(do_event_close(near[i]), 0);
}

/* Both at once. */
static void test_death_of_both(void **state)
{
	uint32_t near, far;

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		connect_ab(&near, &far);
	this_cpu()->current = NULL;
	assert_int_equal(domain_destroy(a), 0);
	assert_int_equal(domain_destroy(b), 0);
	while (domain_reap())
		assert_audit();
}

/* A page that the guest gives back is used on, and is nobody else's. */
static void test_page_released(void **state)
{
	uint32_t near, far;
	uint64_t mfn = memory_lookup(a, PAGE_GFN);

	(void)state;
	connect_ab(&near, &far);
	assert_true(frame_retire(mfn, a->id));
	frame_put(mfn);
	assert_int_equal(frame_of(mfn)->state, FRAME_LIMBO);
	run(b, 0);
	assert_int_equal(do_event_send(far), 0);
	assert_told(a, near, 0);
	/* As it was, for those who count. */
	frame_of(mfn)->word = frame_word(FRAME_DOMAIN, a->id, 2);
	frame_chunks[mfn >> FRAME_ORDER_2M].owned++;
}

/* --- The audit sees what is wrong --- */

static void expect_wrong(void)
{
	const char *wrong;

	this_cpu()->current = NULL;
	wrong = audit_run();
	assert_non_null(wrong);
	assert_memory_equal(wrong, "I10", 3);
}

static void test_audit_sees(void **state)
{
	struct event_port saved;
	uint32_t near, far;

	(void)state;
	connect_ab(&near, &far);
	saved = a->event.ports[near];
	a->event.ports[near].peer_port = (uint16_t)(far + 1);
	expect_wrong();
	a->event.ports[near] = saved;
	a->event.ports[near].kind = EVENT_LISTENING;
	expect_wrong();
	a->event.ports[near] = saved;
	a->event.ports[near].vcpu = VCPUS;
	expect_wrong();
	a->event.ports[near] = saved;
	a->event.ports[near].kind = EVENT_INTERRUPT;
	b->event.ports[far].kind = EVENT_LISTENING;
	expect_wrong();
	b->event.ports[far].kind = EVENT_CONNECTED;
	a->event.ports[near] = saved;
	bitmap_clear(a->event.used, near);
	expect_wrong();
	bitmap_set(a->event.used, near);
	bitmap_set(a->event.used, 99);
	expect_wrong();
	bitmap_clear(a->event.used, 99);
	assert_audit();
}

/* --- Several CPUs --- */

#define ROUNDS 20000
#define FEW    6

/* A CPU of its own, the vCPU of one of two domains: what comes to its mind, on the same few ports. */
static void *play(void *argument)
{
	uint32_t cpu = (uint32_t)(uintptr_t)argument;
	uint64_t random = cpu + 1;
	struct domain *d = cpu & 1 ? b : a, *other = cpu & 1 ? a : b;

	fake_set_cpu(cpu);
	run(d, cpu / 2);
	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t port = 1 + unit_random(&random) % FEW;

		switch (unit_random(&random) % 8) {
		case 0:
			do_event_listen(other->id);
			break;
		case 1:
			do_event_connect(other->id, port);
			break;
		case 2:
			do_event_close(port);
			break;
		case 3:
			do_event_set_vcpu(port, unit_random(&random) % VCPUS);
			break;
		case 4:
			bitmap_atomic_clear(d->event.page->mask, port);
			bitmap_atomic_clear(d->event.page->pending, port);
			break;
		default:
			do_event_send(port);
		}
	}
	this_cpu()->current = NULL;
	return NULL;
}

static void play_all(void)
{
	pthread_t threads[CPUS];

	for (uintptr_t i = 0; i < CPUS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, play, (void *)i), 0);
	for (unsigned i = 0; i < CPUS; i++)
		pthread_join(threads[i], NULL);
	fake_set_cpu(0);
}

static void test_all_at_once(void **state)
{
	(void)state;
	play_all();
	assert_audit();
}

/* One sends, one moves the port to and fro; each event is seen by whom the port is at that time. */
static uint32_t far_port, near_port, target;
static bool done;

static void *move(void *argument)
{
	uint32_t vcpu = 0;

	fake_set_cpu(1);
	run(a, 1);
	while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&target, ++vcpu % VCPUS, __ATOMIC_SEQ_CST);
		do_event_set_vcpu(near_port, vcpu % VCPUS);
	}
	this_cpu()->current = NULL;
	return argument;
}

static void assert_selected(void)
{
	for (uint64_t tries = 0; tries < 10000000; tries++) {
		uint32_t i = (uint32_t)(tries % VCPUS);
		uint64_t *selector = &a->event.page->selector[i];

		/* A vCPU that it was taken from looks, and leaves it. */
		if (__atomic_exchange_n(selector, 0, __ATOMIC_SEQ_CST) &&
		    __atomic_load_n(&target, __ATOMIC_SEQ_CST) == i)
			return;
	}
	fail_msg("an event was lost");
}

static void test_moved_while_sent(void **state)
{
	pthread_t mover;

	(void)state;
	connect_ab(&near_port, &far_port);
	done = false;
	target = 0;
	assert_int_equal(pthread_create(&mover, NULL, move, NULL), 0);
	run(b, 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		assert_int_equal(do_event_send(far_port), 0);
		assert_selected();
		/* Taken; whoever was told by the move after that looked in vain. */
		bitmap_atomic_clear(a->event.page->pending, near_port);
	}
	__atomic_store_n(&done, true, __ATOMIC_RELEASE);
	pthread_join(mover, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_page, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_numbers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_send, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vcpu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_new_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_may_connect, setup, teardown),
		cmocka_unit_test_setup_teardown(test_close, setup, teardown),
		cmocka_unit_test_setup_teardown(test_loop, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_ports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_death, setup, teardown),
		cmocka_unit_test_setup_teardown(test_death_of_both, setup, teardown),
		cmocka_unit_test_setup_teardown(test_page_released, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit_sees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moved_while_sent, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
