// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything that three domains can do with few ports, against a model: every operation in every state that the model
 * can come to (states.h). Domain a has two ports, b and c one each; a port that is not theirs to have is not asked for.
 * Numbers of domains are given again at once, which is the hardest case. After each operation its result,
 * what every port is, which are pending and who was told must be as the model says.
 */
#include "unit.h"

#include "abi/errno.h"
#include "audit.h"
#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "event.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "interrupt.h"
#include "states.h"
#include "vcpu.h"

#define RAM_FRAMES  8192
#define PAGE_GFN    5
#define DOMAINS	    3
#define PORTS	    2
#define AUDIT_EVERY 256

static const uint32_t ports_of[DOMAINS] = { 2, 1, 1 };
static struct domain *domains[DOMAINS]; /* NULL: dead */

struct port {
	uint8_t kind;	   /* FREE, LISTENING, CONNECTED */
	uint8_t other;	   /* for whom, or to whom */
	uint8_t stale;	   /* listening for one that is no more: then other is 0 */
	uint8_t peer_port; /* connected */
	uint8_t pending;
};

static struct {
	uint8_t dead[DOMAINS];
	struct port port[DOMAINS][PORTS]; /* number n is at n - 1 */
} now;

static bool told[DOMAINS]; /* by this operation */

/* --- Operations --- */

enum kind { LISTEN, CONNECT, CLOSE, SEND, TAKE, DESTROY, CREATE };

static struct operation {
	enum kind kind;
	uint32_t who, other, port;
} all[STATES_OPERATIONS];
static unsigned operation_count;

static void add(enum kind kind, uint32_t who, uint32_t other, uint32_t port)
{
	assert_true(operation_count < STATES_OPERATIONS);
	all[operation_count++] = (struct operation){ kind, who, other, port };
}

static void list_operations(void)
{
	for (uint32_t who = 0; who < DOMAINS; who++) {
		for (uint32_t other = 0; other < DOMAINS; other++) {
			if (other == who)
				continue;
			add(LISTEN, who, other, 0);
			for (uint32_t port = 1; port <= ports_of[other]; port++)
				add(CONNECT, who, other, port);
		}
		for (uint32_t port = 1; port <= ports_of[who]; port++) {
			add(CLOSE, who, 0, port);
			add(SEND, who, 0, port);
		}
		add(TAKE, who, 0, 0);
		add(DESTROY, who, 0, 0);
		add(CREATE, who, 0, 0);
	}
}

/* --- The model --- */

static struct port *port_of(uint32_t who, uint32_t number)
{
	return &now.port[who][number - 1];
}

/* 0: there is none. */
static uint32_t free_port(uint32_t who)
{
	for (uint32_t number = 1; number <= ports_of[who]; number++)
		if (port_of(who, number)->kind == EVENT_FREE)
			return number;
	return 0;
}

/* A port that is pending is not raised twice. */
static void model_raise(uint32_t who, uint32_t number)
{
	struct port *p = port_of(who, number);

	told[who] = told[who] || !p->pending;
	p->pending = 1;
}

static int64_t model_listen(const struct operation *op)
{
	uint32_t number = free_port(op->who);

	if (now.dead[op->other])
		return -ESRCH;
	*port_of(op->who, number) =
		(struct port){ .kind = EVENT_LISTENING, .other = (uint8_t)op->other };
	return number;
}

static int64_t model_connect_error(const struct operation *op)
{
	const struct port *p = port_of(op->other, op->port);

	if (now.dead[op->other])
		return -ESRCH;
	return p->kind == EVENT_LISTENING && !p->stale && p->other == op->who ? 0 : -ENOENT;
}

static int64_t model_connect(const struct operation *op)
{
	int64_t error = model_connect_error(op);
	uint32_t number = free_port(op->who);
	struct port *theirs = port_of(op->other, op->port);

	if (error)
		return error;
	*port_of(op->who, number) = (struct port){ .kind = EVENT_CONNECTED,
						   .other = (uint8_t)op->other,
						   .peer_port = (uint8_t)op->port };
	theirs->kind = EVENT_CONNECTED;
	theirs->peer_port = (uint8_t)number;
	model_raise(op->other, op->port);
	return number;
}

static int64_t model_close(uint32_t who, uint32_t number)
{
	struct port closed = *port_of(who, number);

	if (closed.kind == EVENT_FREE)
		return -ENOENT;
	if (closed.kind == EVENT_CONNECTED) {
		port_of(closed.other, closed.peer_port)->kind = EVENT_LISTENING;
		port_of(closed.other, closed.peer_port)->peer_port = 0;
		model_raise(closed.other, closed.peer_port);
	}
	memset(port_of(who, number), 0, sizeof(struct port));
	return 0;
}

static int64_t model_send(const struct operation *op)
{
	const struct port *p = port_of(op->who, op->port);

	if (p->kind == EVENT_FREE)
		return -ENOENT;
	if (p->kind == EVENT_LISTENING)
		return -ENOTCONN;
	model_raise(p->other, p->peer_port);
	return 0;
}

static void make_stale(uint32_t who)
{
	for (uint32_t other = 0; other < DOMAINS; other++)
		for (uint32_t number = 1; number <= ports_of[other]; number++) {
			struct port *p = port_of(other, number);

			if (p->kind != EVENT_LISTENING || p->stale || p->other != who)
				continue;
			p->stale = 1;
			p->other = 0;
		}
}

static void model_destroy(uint32_t who)
{
	for (uint32_t number = 1; number <= ports_of[who]; number++)
		model_close(who, number);
	make_stale(who);
	now.dead[who] = 1;
}

static int64_t model_step(const struct operation *op)
{
	switch (op->kind) {
	case LISTEN:
		return model_listen(op);
	case CONNECT:
		return model_connect(op);
	case CLOSE:
		return model_close(op->who, op->port);
	case SEND:
		return model_send(op);
	case TAKE:
		for (uint32_t i = 0; i < PORTS; i++)
			now.port[op->who][i].pending = 0;
		return 0;
	case DESTROY:
		model_destroy(op->who);
		return 0;
	default:
		now.dead[op->who] = 0;
		return 0;
	}
}

/* Not what nobody could do, nor a port more than the model has room for. */
static bool is_possible(unsigned number)
{
	const struct operation *op = &all[number];

	if (op->kind == CREATE)
		return now.dead[op->who];
	if (now.dead[op->who])
		return false;
	if (op->kind == LISTEN)
		return free_port(op->who) || now.dead[op->other];
	return op->kind != CONNECT || model_connect_error(op) || free_port(op->who);
}

/* --- The real thing --- */

static void run(const struct domain *d)
{
	this_cpu()->current = d ? d->vcpus[0] : NULL;
}

static void real_create(uint32_t who)
{
	struct domain_config config = { .name = "model",
					.vcpus = 1,
					.frames = 64,
					.shadow_frames = 1 };
	const char *error;

	domain_last_number = who;
	domains[who] = domain_create(&config, &error);
	assert_non_null(domains[who]);
	assert_int_equal(domains[who]->id, who + 1);
	assert_int_equal(memory_fill(domains[who], 0, 64), 0);
	run(domains[who]);
	assert_int_equal(do_event_register_page(PAGE_GFN), 0);
}

static void real_destroy(uint32_t who)
{
	run(NULL);
	assert_int_equal(domain_destroy(domains[who]), 0);
	while (domain_reap())
		;
	domains[who] = NULL;
}

static int64_t unmasked(uint32_t who, int64_t port)
{
	if (port > 0)
		bitmap_clear(domains[who]->event.page->mask, (uint64_t)port);
	return port;
}

/* What the guest does with its page. */
static void real_take(uint32_t who)
{
	struct rf_event_page *page = domains[who]->event.page;

	memset(page->pending, 0, sizeof(page->pending));
}

static int64_t real_step(const struct operation *op)
{
	if (op->kind != CREATE)
		run(domains[op->who]);
	switch (op->kind) {
	case LISTEN:
		return unmasked(op->who, do_event_listen(op->other + 1));
	case CONNECT:
		return unmasked(op->who, do_event_connect(op->other + 1, op->port));
	case CLOSE:
		return do_event_close(op->port);
	case SEND:
		return do_event_send(op->port);
	case TAKE:
		real_take(op->who);
		return 0;
	case DESTROY:
		real_destroy(op->who);
		return 0;
	default:
		real_create(op->who);
		return 0;
	}
}

/* --- Comparing --- */

static void compare_port(uint32_t who, uint32_t number)
{
	const struct event_port *real = &domains[who]->event.ports[number];
	const struct port *p = port_of(who, number);

	assert_int_equal(real->kind, p->kind);
	if (p->kind == EVENT_FREE)
		return;
	assert_int_equal(bitmap_test(domains[who]->event.page->pending, number), p->pending);
	if (p->kind == EVENT_CONNECTED) {
		assert_ptr_equal(real->peer, domains[p->other]);
		assert_int_equal(real->peer_port, p->peer_port);
	}
	for (uint32_t i = 0; i < DOMAINS && p->kind == EVENT_LISTENING; i++)
		if (domains[i])
			assert_int_equal(real->serial == domains[i]->serial,
					 !p->stale && p->other == i);
}

/* And the next operation tells anew. */
static void compare_told(uint32_t who)
{
	struct vcpu *v = domains[who]->vcpus[0];
	struct rf_event_page *page = domains[who]->event.page;

	assert_int_equal(bitmap_test(v->interrupt.vectors, RF_VECTOR_EVENT), told[who]);
	assert_int_equal(page->selector[0], told[who]);
	page->selector[0] = 0;
	interrupt_reset(v);
}

static void compare(void)
{
	for (uint32_t who = 0; who < DOMAINS; who++) {
		assert_int_equal(!domains[who], now.dead[who]);
		if (!domains[who])
			continue;
		for (uint32_t number = 1; number <= ports_of[who]; number++)
			compare_port(who, number);
		compare_told(who);
	}
}

static void perform(unsigned number)
{
	const struct operation *op = &all[number];
	int64_t result, expected;

	memset(told, 0, sizeof(told));
	result = real_step(op);
	expected = model_step(op);
	if (result != expected)
		fail_msg("operation %u (kind %d by %u): %ld, not %ld", number, op->kind, op->who,
			 result, expected);
	compare();
}

static void audit(void)
{
	const char *wrong;

	run(NULL);
	wrong = audit_run();
	if (wrong)
		fail_msg("audit: %s", wrong);
}

static void test_everything(void **state)
{
	struct states_test test = {
		.model = &now,
		.size = sizeof(now),
		.is_possible = is_possible,
		.perform = perform,
		.audit = audit,
		.audit_every = AUDIT_EVERY,
	};

	(void)state;
	list_operations();
	test.operations = operation_count;
	states_try_all(&test);
}

static int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, 1);
	for (uint32_t who = 0; who < DOMAINS; who++)
		real_create(who);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	audit();
	fake_domain_end_all();
	assert_int_equal(frame_free_count(), RAM_FRAMES - 256);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
