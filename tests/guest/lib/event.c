// SPDX-License-Identifier: BSD-2-Clause
/* Event ports; see event.h. No locks: bits of the page, and counters that change atomically. */
#include "event.h"

#include "test.h"

#define WAIT_SECONDS 10

struct rf_event_page event_page __attribute__((aligned(4096)));
void (*event_hook)(uint32_t port);

static uint32_t counts[RF_EVENT_PORTS];
static uint8_t targets[RF_EVENT_PORTS];
static uint8_t takers[RF_EVENT_PORTS];

static uint64_t bit_of(uint32_t port)
{
	return 1UL << port % 64;
}

static void take_port(uint32_t port)
{
	uint64_t before =
		__atomic_fetch_and(&event_page.pending[port / 64], ~bit_of(port), __ATOMIC_SEQ_CST);

	if (!(before & bit_of(port)))
		return;
	takers[port] = (uint8_t)this_vcpu()->id;
	atomic_add(&counts[port], 1);
	if (event_hook)
		event_hook(port);
}

static void take_word(uint32_t word)
{
	uint64_t bits = atomic_load(&event_page.pending[word]) &
			~atomic_load(&event_page.mask[word]);

	for (; bits; bits &= bits - 1) {
		uint32_t port = word * 64 + (uint32_t)__builtin_ctzl(bits);

		if (atomic_load(&targets[port]) == this_vcpu()->id)
			take_port(port);
	}
}

static bool take_events(struct trap_frame *frame)
{
	uint64_t words = atomic_swap(&event_page.selector[this_vcpu()->id], 0);

	(void)frame;
	for (; words; words &= words - 1)
		take_word((uint32_t)__builtin_ctzl(words));
	return true;
}

void event_init(void)
{
	int64_t result = hv_event_register_page(physical_of(&event_page) / PAGE_SIZE);

	if (result)
		ERROR("event_register_page: %ld", result);
	trap_set_handler(RF_VECTOR_EVENT, take_events);
}

uint32_t event_count(uint32_t port)
{
	return atomic_load(&counts[port]);
}

uint32_t event_taker(uint32_t port)
{
	return takers[port];
}

void event_reset(uint32_t port)
{
	atomic_store(&counts[port], 0);
}

void event_mask(uint32_t port)
{
	__atomic_fetch_or(&event_page.mask[port / 64], bit_of(port), __ATOMIC_SEQ_CST);
}

bool event_is_pending(uint32_t port)
{
	return atomic_load(&event_page.pending[port / 64]) & bit_of(port);
}

void event_unmask(uint32_t port)
{
	uint32_t target = atomic_load(&targets[port]);

	__atomic_fetch_and(&event_page.mask[port / 64], ~bit_of(port), __ATOMIC_SEQ_CST);
	if (!event_is_pending(port))
		return;
	__atomic_fetch_or(&event_page.selector[target], 1UL << port / 64, __ATOMIC_SEQ_CST);
	hv_send_ipi(RF_VECTOR_EVENT, 1UL << target);
}

/* The new one must take it before it is told. */
int64_t event_target(uint32_t port, uint32_t vcpu)
{
	atomic_store(&targets[port], (uint8_t)vcpu);
	return hv_event_set_vcpu(port, vcpu);
}

bool event_wait_least(uint32_t port, uint32_t count)
{
	uint64_t end = clock_ns() + WAIT_SECONDS * SECOND;
	bool on = interrupts_on();

	while (event_count(port) < count && clock_ns() < end)
		relax();
	if (!on)
		interrupts_off();
	return CHECK(event_count(port) >= count, "port %u: %u of %u", port, event_count(port),
		     count);
}

bool event_wait(uint32_t port, uint32_t count)
{
	event_wait_least(port, count);
	return CHECK_EQ(event_count(port), count, "port %u", port);
}
