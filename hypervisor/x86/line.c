// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts of devices: a vector of some CPU for each, and how it gets there.
 *
 * Interface: line.h, arch_line.h, and arch_line_* of arch.h.
 * Locks: vector_lock covers which vectors are taken. Who has a vector is read without it where one
 * comes in. What an arriving CPU counts is its own.
 * Odd: a CPU takes so many in a window of time; what comes after that waits in its controller, which
 * keeps one of each vector, so nothing is lost and nobody has to be masked. The search for a free
 * vector goes on behind the last one given, so that one is idle for long before it is used again.
 */
#include "line.h"

#include "apic.h"
#include "arch.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "ioapic.h"
#include "log.h"
#include "quiesce.h"
#include "spinlock.h"
#include "abi/errno.h"
#include "abi/interrupt.h"

#define VECTORS		(LINE_VECTOR_LAST - LINE_VECTOR_FIRST + 1)
#define NOBODY		0
#define CLOSED		0xffff /* taken, but what comes is late */

/* Eight bits, of which all ones are everybody. */
#define APIC_ID_LIMIT	255

#define MESSAGE_ADDRESS 0xfee00000U
#define MESSAGE_TARGET	12

#define WINDOW_NS	1000000ULL
#define WINDOW_MOST	128 /* interrupts a window: at most about a quarter of a CPU's time */
#define REPORTS_MAX	4

_Static_assert(DEVICE_INTERRUPTS < CLOSED - 1, "a number fits");

struct vectors {
	uint16_t owner[VECTORS]; /* the number plus 1, NOBODY or CLOSED; read without the lock */
	uint32_t next;		 /* where the search goes on */
	uint32_t count;		 /* in this window */
	uint64_t window;	 /* its start */
	struct timer release;
};

static struct vectors vectors[CONFIG_MAX_CPUS];
static struct spinlock vector_lock;
static uint32_t reports;

/* --- Arriving --- */

static void release(struct timer *timer)
{
	(void)timer;
	apic_hold_devices(false);
}

static void hold(struct vectors *mine, uint8_t vector)
{
	apic_hold_devices(true);
	timer_start(&mine->release, mine->window + WINDOW_NS);
	if (__atomic_fetch_add(&reports, 1, __ATOMIC_RELAXED) < REPORTS_MAX)
		log_warning(
			"line: more than %u interrupts in %llu us on CPU %u, the last by vector "
			"%#x: they wait",
			WINDOW_MOST, WINDOW_NS / 1000, this_cpu()->id, vector);
}

static void limit(struct vectors *mine, uint8_t vector)
{
	uint64_t now = arch_time_ns();

	if (now - mine->window >= WINDOW_NS) {
		mine->window = now;
		mine->count = 0;
	}
	if (++mine->count >= WINDOW_MOST)
		hold(mine, vector);
}

bool line_interrupt(uint8_t vector)
{
	struct vectors *mine = &vectors[this_cpu()->id];
	uint16_t owner;

	/* From here on this CPU uses what others may unlink. */
	quiesce_idle_end();
	limit(mine, vector);
	owner = __atomic_load_n(&mine->owner[vector - LINE_VECTOR_FIRST], __ATOMIC_ACQUIRE);
	if (owner == NOBODY)
		return false;
	if (owner != CLOSED)
		device_interrupt_arrive(owner - 1U);
	return true;
}

/* --- Vectors --- */

static void set_owner(const struct arch_line *line, uint32_t owner)
{
	__atomic_store_n(&vectors[line->cpu].owner[line->vector - LINE_VECTOR_FIRST],
			 (uint16_t)owner, __ATOMIC_RELEASE);
}

/* With vector_lock. */
static bool take_vector_of(uint32_t cpu, struct arch_line *line)
{
	struct vectors *its = &vectors[cpu];

	if (cpus[cpu].arch.apic_id >= APIC_ID_LIMIT)
		return false;
	for (uint32_t i = 0; i < VECTORS; i++) {
		uint32_t at = (its->next + i) % VECTORS;

		if (its->owner[at] != NOBODY)
			continue;
		its->next = at + 1;
		line->cpu = cpu;
		line->vector = (uint8_t)(LINE_VECTOR_FIRST + at);
		return true;
	}
	return false;
}

static bool take_vector(struct arch_line *line, uint32_t number, const struct cpu *near)
{
	bool found;

	spin_lock(&vector_lock);
	found = take_vector_of(near->id, line);
	for (uint32_t cpu = 0; cpu < cpu_count && !found; cpu++)
		found = take_vector_of(cpu, line);
	if (found)
		set_owner(line, number + 1);
	spin_unlock(&vector_lock);
	return found;
}

/* --- Lines --- */

static uint32_t target(const struct arch_line *line)
{
	return cpus[line->cpu].arch.apic_id;
}

static void route(struct arch_line *line, uint32_t flags)
{
	line->entry = line->vector;
	if (flags & RF_INTERRUPT_LEVEL)
		line->entry |= IOAPIC_LEVEL;
	if (flags & RF_INTERRUPT_LOW)
		line->entry |= IOAPIC_LOW;
	ioapic_set_target(line->gsi, target(line));
	ioapic_set(line->gsi, line->entry);
}

int arch_line_open(struct arch_line *line, uint32_t number, const struct rf_interrupt *what,
		   const struct cpu *near)
{
	int error = 0;

	*line = (struct arch_line){ .message = what->kind == RF_INTERRUPT_MSI, .gsi = what->gsi };
	if (!line->message)
		error = ioapic_take(line->gsi);
	if (error)
		return error;
	if (!take_vector(line, number, near)) {
		if (!line->message)
			ioapic_give_back(line->gsi);
		return -ENOSPC;
	}
	if (!line->message)
		route(line, what->flags);
	return 0;
}

void arch_line_mask(const struct arch_line *line)
{
	ioapic_set(line->gsi, line->entry | IOAPIC_MASKED);
}

void arch_line_unmask(const struct arch_line *line)
{
	ioapic_set(line->gsi, line->entry);
}

/* Nobody but the control domain can stop the messages of its device. */
void arch_line_close(const struct arch_line *line)
{
	if (!line->message)
		arch_line_mask(line);
	set_owner(line, CLOSED);
}

void arch_line_free(const struct arch_line *line)
{
	set_owner(line, NOBODY);
	if (!line->message)
		ioapic_give_back(line->gsi);
}

void arch_line_message(const struct arch_line *line, uint64_t *address, uint32_t *data)
{
	*address = line->message ? MESSAGE_ADDRESS | target(line) << MESSAGE_TARGET : 0;
	*data = line->message ? line->vector : 0;
}

void line_init(void)
{
	for (uint32_t i = 0; i < CONFIG_MAX_CPUS; i++)
		timer_init(&vectors[i].release, release);
}
