// SPDX-License-Identifier: BSD-2-Clause
/*
 * Interrupts of devices: binding one to an event port, and what happens when it comes.
 *
 * Interface: device_interrupt.h. What a machine has to route and mask is behind arch_line_* of
 * arch.h.
 * Locks: taken_lock covers which numbers are in use. An interrupt's own lock covers the rest of it;
 * it is taken where interrupts arrive, and nothing but a controller's lock inside it.
 * Odd: closing waits (quiesce.h) until every CPU has let in what was on its way, so no vector and no
 * number has a new owner while one may still come for the old.
 */
#include "device_interrupt.h"

#include "arch.h"
#include "assert.h"
#include "bitmap.h"
#include "domain.h"
#include "event.h"
#include "guest_access.h"
#include "index.h"
#include "quiesce.h"
#include "spinlock.h"
#include "vcpu.h"
#include "abi/errno.h"
#include "abi/interrupt.h"

struct device_interrupt {
	struct spinlock lock;
	struct domain *domain; /* NULL: not bound */
	uint32_t port;
	bool level;
	bool masked; /* level: came, and has not been ended */
	uint64_t count;
	struct arch_line line;
};

static struct device_interrupt interrupts[DEVICE_INTERRUPTS];
static uint64_t taken[BITMAP_WORDS(DEVICE_INTERRUPTS)];
static struct spinlock taken_lock;

static struct device_interrupt *interrupt_of(uint32_t number)
{
	return &interrupts[index_clamp(number, DEVICE_INTERRUPTS)];
}

static int take_number(void)
{
	size_t number;

	spin_lock(&taken_lock);
	number = bitmap_find_next_clear(taken, DEVICE_INTERRUPTS, 0);
	if (number < DEVICE_INTERRUPTS)
		bitmap_set(taken, number);
	spin_unlock(&taken_lock);
	return number < DEVICE_INTERRUPTS ? (int)number : -ENOSPC;
}

static void give_number_back(uint32_t number)
{
	spin_lock(&taken_lock);
	bitmap_clear(taken, number);
	spin_unlock(&taken_lock);
}

/* --- Arriving and ending --- */

void device_interrupt_arrive(uint32_t number)
{
	struct device_interrupt *i = interrupt_of(number);
	struct vcpu *told = NULL;

	spin_lock(&i->lock);
	if (i->domain) {
		i->count++;
		if (i->level)
			arch_line_mask(&i->line);
		i->masked = i->level;
		told = event_raise(i->domain, i->port);
	}
	spin_unlock(&i->lock);
	event_post(told);
}

int64_t do_interrupt_end(uint64_t port)
{
	int64_t number = event_interrupt(port);
	struct device_interrupt *i;

	if (number < 0)
		return number;
	i = interrupt_of((uint32_t)number);
	spin_lock(&i->lock);
	/* It may have been closed since, and bound to another port. */
	if (i->domain == domain_current() && i->port == port && i->masked) {
		i->masked = false;
		arch_line_unmask(&i->line);
	}
	spin_unlock(&i->lock);
	return 0;
}

/* --- Binding and closing --- */

static int open_line(uint32_t number, uint32_t port, const struct rf_interrupt *what)
{
	struct device_interrupt *i = interrupt_of(number);
	struct domain *d = domain_current();
	const struct cpu *near =
		__atomic_load_n(&d->vcpus[what->vcpu]->sched.cpu, __ATOMIC_RELAXED);
	int error;

	spin_lock(&i->lock);
	/* Before it can come. */
	i->domain = d;
	i->port = port;
	i->level = what->flags & RF_INTERRUPT_LEVEL;
	i->masked = false;
	i->count = 0;
	error = arch_line_open(&i->line, number, what, near);
	if (error)
		i->domain = NULL;
	spin_unlock(&i->lock);
	return error;
}

void device_interrupt_close(uint32_t number)
{
	struct device_interrupt *i = interrupt_of(number);

	spin_lock(&i->lock);
	BUG_ON(!i->domain);
	arch_line_close(&i->line);
	i->domain = NULL;
	spin_unlock(&i->lock);
	quiesce_wait();
	arch_line_free(&i->line);
	give_number_back(number);
}

static int bind_line(uint32_t number, uint32_t port, struct rf_interrupt *what, uint64_t to)
{
	int error = open_line(number, port, what);

	if (error) {
		give_number_back(number);
		return error;
	}
	arch_line_message(&interrupt_of(number)->line, &what->msi_address, &what->msi_data);
	if (copy_to_guest(to, what, sizeof(*what)) == 0) {
		event_bind(domain_current(), port, number);
		return 0;
	}
	device_interrupt_close(number);
	return -EFAULT;
}

/* Nobody else can close the port or end the interrupt until all is done. */
static int64_t bind(struct rf_interrupt *what, uint64_t to)
{
	int port = event_reserve(domain_current(), what->vcpu);
	int number, error;

	if (port < 0)
		return port;
	number = take_number();
	error = number < 0 ? number : bind_line((uint32_t)number, (uint32_t)port, what, to);
	if (!error)
		return port;
	event_unreserve(domain_current(), (uint32_t)port);
	return error;
}

static bool is_valid(const struct rf_interrupt *what)
{
	if (what->reserved || what->vcpu >= domain_current()->vcpu_count)
		return false;
	if (what->kind == RF_INTERRUPT_MSI)
		return !what->gsi && !what->flags;
	return what->kind == RF_INTERRUPT_GSI &&
	       !(what->flags & ~(uint32_t)(RF_INTERRUPT_LEVEL | RF_INTERRUPT_LOW));
}

int64_t do_interrupt_bind(uint64_t interrupt)
{
	struct rf_interrupt what;

	if (copy_from_guest(&what, interrupt, sizeof(what)))
		return -EFAULT;
	if (!is_valid(&what))
		return -EINVAL;
	what.vcpu = (uint32_t)index_clamp(what.vcpu, domain_current()->vcpu_count);
	return bind(&what, interrupt);
}

/* --- Looking --- */

uint64_t device_interrupt_count(uint32_t number)
{
	return interrupt_of(number)->count;
}

bool device_interrupt_is_bound(uint32_t number, const struct domain *d, uint32_t port)
{
	return number < DEVICE_INTERRUPTS && bitmap_test(taken, number) &&
	       interrupts[number].domain == d && interrupts[number].port == port;
}

const char *device_interrupt_audit(void)
{
	for (uint32_t i = 0; i < DEVICE_INTERRUPTS; i++) {
		const struct domain *d = interrupts[i].domain;
		const struct event_port *p = d ? &d->event.ports[interrupts[i].port] : NULL;

		if (d && !bitmap_test(taken, i))
			return "I10: an interrupt is bound and free";
		if (d && (p->kind != EVENT_INTERRUPT || p->interrupt != i))
			return "I10: an interrupt has an event port that does not have it";
	}
	return NULL;
}
