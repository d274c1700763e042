// SPDX-License-Identifier: BSD-2-Clause
/*
 * Event channels: who is connected to whom, and raising a port.
 *
 * Interface: event.h, abi/event.h.
 * Locks: event_lock covers which ports of all domains are taken, and by what; it is held for a few
 * ports at most. A domain's event.lock covers the same of its own ports, for those who only send:
 * changing needs both, reading one. So a port seen CONNECTED under its domain's lock has a peer
 * whose port, page and vCPUs are there; the vCPU to tell is posted to without a lock, since nothing
 * is freed before this CPU has left the hypervisor (quiesce.h). The bits in the guest's page are
 * under no lock: each operation on them is atomic, and a full barrier.
 * Odd: when one end closes, or its domain ends, the other is raised, and listens again for the same
 * domain. That is known by a serial number, which unlike its number no later domain will have.
 */
#include "event.h"

#include "assert.h"
#include "bitmap.h"
#include "device_interrupt.h"
#include "domain.h"
#include "index.h"
#include "interrupt.h"
#include "vcpu.h"
#include "abi/errno.h"

_Static_assert(RF_MAX_VCPUS <= 64, "a vCPU has a selector");

static struct spinlock event_lock;

/* --- Raising --- */

/* The port is pending: read the vCPU after that, as do_event_set_vcpu() does the reverse. */
static struct vcpu *select_vcpu(struct domain *d, uint32_t port)
{
	struct vcpu *v = d->vcpus[__atomic_load_n(&d->event.ports[port].vcpu, __ATOMIC_SEQ_CST)];

	bitmap_atomic_set(&d->event.page->selector[v->id], port / 64);
	return v;
}

struct vcpu *event_raise(struct domain *d, uint32_t port)
{
	struct rf_event_page *page = d->event.page;

	if (bitmap_atomic_test_and_set(page->pending, port) || bitmap_atomic_test(page->mask, port))
		return NULL;
	return select_vcpu(d, port);
}

void event_post(struct vcpu *v)
{
	if (v)
		interrupt_post(v, RF_VECTOR_EVENT);
}

void event_news(void)
{
	struct domain *d = domain_find(0);
	struct vcpu *told = NULL;

	if (!d)
		return;
	spin_lock(&d->event.lock);
	if (d->event.news)
		told = event_raise(d, d->event.news);
	spin_unlock(&d->event.lock);
	event_post(told);
	domain_put(d);
}

/* --- Ports --- */

/* A number of a guest, as an index; port 0, which is never taken, if it is none. */
static uint32_t port_index(uint64_t port)
{
	return port < RF_EVENT_PORTS ? (uint32_t)index_clamp(port, RF_EVENT_PORTS) : 0;
}

/* With event_lock: a port that is BUSY, masked and not pending. */
static int take_port(struct domain *d, uint32_t vcpu)
{
	struct event_table *e = &d->event;
	uint32_t port = (uint32_t)bitmap_find_next_clear(e->used, RF_EVENT_PORTS, 1);

	if (!e->page)
		return -EINVAL;
	if (port == RF_EVENT_PORTS)
		return -ENOSPC;
	bitmap_set(e->used, port);
	bitmap_atomic_set(e->page->mask, port);
	bitmap_atomic_clear(e->page->pending, port);
	spin_lock(&e->lock);
	e->ports[port] = (struct event_port){ .kind = EVENT_BUSY, .vcpu = (uint8_t)vcpu };
	spin_unlock(&e->lock);
	return (int)port;
}

/* These are called with event_lock. */

static void free_port(struct domain *d, uint32_t port)
{
	spin_lock(&d->event.lock);
	d->event.ports[port].kind = EVENT_FREE;
	spin_unlock(&d->event.lock);
	bitmap_clear(d->event.used, port);
}

static void set_listening(struct domain *d, uint32_t port, const struct domain *other)
{
	struct event_port *p = &d->event.ports[port];

	spin_lock(&d->event.lock);
	p->kind = EVENT_LISTENING;
	p->serial = other->serial;
	spin_unlock(&d->event.lock);
}

static void set_connected(struct domain *d, uint32_t port, struct domain *peer, uint32_t peer_port)
{
	struct event_port *p = &d->event.ports[port];

	spin_lock(&d->event.lock);
	p->kind = EVENT_CONNECTED;
	p->peer = peer;
	p->peer_port = (uint16_t)peer_port;
	spin_unlock(&d->event.lock);
}

/* 0: none any more. */
static void set_news(struct domain *d, uint32_t port)
{
	spin_lock(&d->event.lock);
	d->event.news = port;
	if (port)
		d->event.ports[port].kind = EVENT_NEWS;
	spin_unlock(&d->event.lock);
}

static void set_interrupt(struct domain *d, uint32_t port, enum event_kind kind, uint32_t interrupt)
{
	struct event_port *p = &d->event.ports[port];

	spin_lock(&d->event.lock);
	p->kind = (uint8_t)kind;
	p->interrupt = interrupt;
	spin_unlock(&d->event.lock);
}

/* --- Closing --- */

/* The peer first: while it could still send, the port must not be another's. */
static struct vcpu *disconnect(struct domain *d, uint32_t port)
{
	struct domain *peer = d->event.ports[port].peer;
	uint32_t peer_port = d->event.ports[port].peer_port;

	set_listening(peer, peer_port, d);
	return event_raise(peer, peer_port);
}

/* Waiting until no interrupt is on its way needs the locks to be free, and keeps the port taken. */
static void close_interrupt(struct domain *d, uint32_t port, uint32_t interrupt)
{
	device_interrupt_close(interrupt);
	spin_lock(&event_lock);
	free_port(d, port);
	spin_unlock(&event_lock);
}

static int close_port(struct domain *d, uint32_t port)
{
	const struct event_port *p = &d->event.ports[port];
	struct vcpu *told = NULL;
	enum event_kind kind;
	uint32_t interrupt;

	spin_lock(&event_lock);
	kind = p->kind;
	interrupt = p->interrupt;
	if (kind == EVENT_CONNECTED)
		told = disconnect(d, port);
	if (kind == EVENT_NEWS)
		set_news(d, 0);
	if (kind == EVENT_CONNECTED || kind == EVENT_LISTENING || kind == EVENT_NEWS)
		free_port(d, port);
	if (kind == EVENT_INTERRUPT)
		set_interrupt(d, port, EVENT_BUSY, interrupt);
	spin_unlock(&event_lock);
	event_post(told);
	if (kind == EVENT_INTERRUPT)
		close_interrupt(d, port, interrupt);
	return kind == EVENT_FREE || kind == EVENT_BUSY ? -ENOENT : 0;
}

/* --- A domain begins and ends --- */

int event_create(struct domain *d)
{
	d->event.ports = frame_alloc_pointer(EVENT_TABLE_SIZE);
	return d->event.ports ? 0 : -ENOMEM;
}

static void begin_teardown(struct domain *d)
{
	spin_lock(&event_lock);
	d->event.closed = true;
	spin_unlock(&event_lock);
}

/* No port is left, so nobody raises one. */
static void drop_page(struct domain *d)
{
	if (d->event.page)
		frame_put(arch_pointer_frame(d->event.page));
	d->event.page = NULL;
}

bool event_teardown(struct domain *d, uint32_t budget)
{
	begin_teardown(d);
	for (; budget > 0; budget--) {
		uint32_t port = (uint32_t)bitmap_find_first(d->event.used, RF_EVENT_PORTS);

		if (port == RF_EVENT_PORTS) {
			drop_page(d);
			return true;
		}
		/* Its own vCPUs have stopped: nothing is in the middle of something. */
		BUG_ON(close_port(d, port));
	}
	return false;
}

void event_destroy(struct domain *d)
{
	BUG_ON(d->event.page);
	if (d->event.ports)
		frame_free_pointer(d->event.ports, EVENT_TABLE_SIZE);
	d->event.ports = NULL;
}

/* --- Interrupts of devices --- */

int event_reserve(struct domain *d, uint32_t vcpu)
{
	int port;

	spin_lock(&event_lock);
	port = take_port(d, vcpu);
	spin_unlock(&event_lock);
	return port;
}

void event_bind(struct domain *d, uint32_t port, uint32_t interrupt)
{
	spin_lock(&event_lock);
	set_interrupt(d, port, EVENT_INTERRUPT, interrupt);
	spin_unlock(&event_lock);
}

void event_unreserve(struct domain *d, uint32_t port)
{
	spin_lock(&event_lock);
	free_port(d, port);
	spin_unlock(&event_lock);
}

int64_t event_interrupt(uint64_t port)
{
	struct domain *d = domain_current();
	const struct event_port *p = &d->event.ports[port_index(port)];
	int64_t interrupt = -ENOENT;

	spin_lock(&d->event.lock);
	if (p->kind == EVENT_INTERRUPT)
		interrupt = p->interrupt;
	spin_unlock(&d->event.lock);
	return interrupt;
}

/* --- Audit --- */

static const char *audit_connected(const struct domain *d, uint32_t port)
{
	const struct event_port *p = &d->event.ports[port],
				*back = &p->peer->event.ports[p->peer_port];

	if (back->kind != EVENT_CONNECTED || back->peer != d || back->peer_port != port)
		return "I10: an event port is connected to one that is not connected to it";
	return NULL;
}

static const char *audit_port(struct domain *d, uint32_t port)
{
	const struct event_port *p = &d->event.ports[port];

	if (bitmap_test(d->event.used, port) != (p->kind != EVENT_FREE))
		return "I10: an event port is taken and free";
	if (p->kind == EVENT_FREE)
		return NULL;
	if (port == 0 || !d->event.page || p->vcpu >= d->vcpu_count)
		return "I10: an event port has no number, no page or no vCPU";
	if (p->kind == EVENT_CONNECTED)
		return audit_connected(d, port);
	if ((p->kind == EVENT_NEWS) != (d->event.news == port))
		return "I10: the event port for news is not the one that is noted";
	if (p->kind == EVENT_INTERRUPT && !device_interrupt_is_bound(p->interrupt, d, port))
		return "I10: an event port has an interrupt that does not have it";
	return NULL;
}

const char *event_audit(struct domain *d)
{
	const char *wrong = NULL;

	for (uint32_t port = 0; port < RF_EVENT_PORTS && d->event.ports && !wrong; port++)
		wrong = audit_port(d, port);
	return wrong;
}

/* --- Hypercalls --- */

int64_t do_event_register_page(uint64_t gfn)
{
	struct domain *d = domain_current();
	uint64_t mfn = memory_hold(d, gfn);

	if (mfn == FRAME_NONE)
		return -EINVAL;
	spin_lock(&event_lock);
	if (!d->event.page) {
		d->event.page = arch_frame_pointer(mfn);
		mfn = FRAME_NONE;
	}
	spin_unlock(&event_lock);
	if (mfn == FRAME_NONE)
		return 0;
	frame_put(mfn);
	return -EBUSY;
}

static int64_t listen_for_news(struct domain *d)
{
	int64_t port = -EBUSY;

	if (!d->control)
		return -EPERM;
	spin_lock(&event_lock);
	if (!d->event.news)
		port = take_port(d, 0);
	if (port > 0)
		set_news(d, (uint32_t)port);
	spin_unlock(&event_lock);
	return port;
}

int64_t do_event_listen(uint64_t domain)
{
	struct domain *d = domain_current(), *other;
	int64_t port = -ESRCH;

	if (domain == RF_DOMAIN_HYPERVISOR)
		return listen_for_news(d);
	other = domain_find(domain);
	if (!other)
		return -ESRCH;
	spin_lock(&event_lock);
	if (!other->event.closed)
		port = take_port(d, 0);
	if (port > 0)
		set_listening(d, (uint32_t)port, other);
	spin_unlock(&event_lock);
	domain_put(other);
	return port;
}

/* With event_lock. */
static bool listens_for(const struct domain *other, uint32_t port, const struct domain *d)
{
	const struct event_port *p = &other->event.ports[port];

	return p->kind == EVENT_LISTENING && p->serial == d->serial;
}

static int64_t connect_ports(struct domain *d, struct domain *other, uint32_t other_port,
			     struct vcpu **told)
{
	int port;

	if (other->event.closed)
		return -ESRCH;
	if (!listens_for(other, other_port, d))
		return -ENOENT;
	port = take_port(d, 0);
	if (port > 0) {
		set_connected(d, (uint32_t)port, other, other_port);
		set_connected(other, other_port, d, (uint32_t)port);
		*told = event_raise(other, other_port);
	}
	return port;
}

int64_t do_event_connect(uint64_t domain, uint64_t port)
{
	struct domain *other = domain_find(domain);
	struct vcpu *told = NULL;
	int64_t result;

	if (!other)
		return -ESRCH;
	spin_lock(&event_lock);
	result = connect_ports(domain_current(), other, port_index(port), &told);
	spin_unlock(&event_lock);
	event_post(told);
	domain_put(other);
	return result;
}

int64_t do_event_send(uint64_t port)
{
	static const int errors[] = {
		[EVENT_FREE] = -ENOENT,	     [EVENT_LISTENING] = -ENOTCONN, [EVENT_CONNECTED] = 0,
		[EVENT_INTERRUPT] = -EINVAL, [EVENT_NEWS] = -EINVAL,	    [EVENT_BUSY] = -ENOENT,
	};
	struct domain *d = domain_current();
	const struct event_port *p = &d->event.ports[port_index(port)];
	struct vcpu *told = NULL;
	int error;

	spin_lock(&d->event.lock);
	error = errors[p->kind];
	if (!error)
		told = event_raise(p->peer, p->peer_port);
	spin_unlock(&d->event.lock);
	event_post(told);
	return error;
}

int64_t do_event_close(uint64_t port)
{
	return close_port(domain_current(), port_index(port));
}

int64_t do_event_set_vcpu(uint64_t port, uint64_t vcpu)
{
	struct domain *d = domain_current();
	uint32_t index = port_index(port);
	struct event_port *p = &d->event.ports[index];
	struct vcpu *told = NULL;
	bool taken;

	if (vcpu >= d->vcpu_count)
		return -EINVAL;
	spin_lock(&event_lock);
	taken = p->kind != EVENT_FREE && p->kind != EVENT_BUSY;
	if (taken) {
		__atomic_store_n(&p->vcpu, (uint8_t)index_clamp(vcpu, d->vcpu_count),
				 __ATOMIC_SEQ_CST);
		/* Who has raised it for the vCPU before may have been seen by neither. */
		if (bitmap_atomic_test(d->event.page->pending, index) &&
		    !bitmap_atomic_test(d->event.page->mask, index))
			told = select_vcpu(d, index);
	}
	spin_unlock(&event_lock);
	event_post(told);
	return taken ? 0 : -ENOENT;
}
