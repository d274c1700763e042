/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event channels: the ports of a domain, and how they are raised (event.c). See abi/event.h.
 */
#ifndef HYPERVISOR_EVENT_H
#define HYPERVISOR_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/event.h"
#include "spinlock.h"

struct domain;
struct vcpu;

enum event_kind {
	EVENT_FREE,
	EVENT_LISTENING, /* for the domain with that serial number to connect */
	EVENT_CONNECTED, /* to a port of the peer, which is connected to this one */
	EVENT_INTERRUPT, /* of a device */
	EVENT_NEWS,	 /* of the hypervisor */
	EVENT_BUSY,	 /* taken, and being bound to a device's interrupt or freed from it */
};

struct event_port {
	uint8_t kind;	    /* enum event_kind */
	uint8_t vcpu;	    /* who is told; read by others without a lock */
	uint16_t peer_port; /* CONNECTED */
	uint32_t interrupt; /* INTERRUPT: number, see device_interrupt.h */
	union {
		uint64_t serial;     /* LISTENING */
		struct domain *peer; /* CONNECTED */
	};
};

#define EVENT_TABLE_SIZE (RF_EVENT_PORTS * sizeof(struct event_port))

struct event_table {
	struct spinlock lock;	    /* see event.c */
	struct event_port *ports;   /* RF_EVENT_PORTS of them; 0 is never used */
	struct rf_event_page *page; /* NULL: none registered, and no port taken */
	bool closed;		    /* its domain is taken apart: nobody connects any more */
	uint32_t news;		    /* the control domain's: its port that is NEWS; 0: none */
	uint64_t used[RF_EVENT_PORTS / 64]; /* ports that are not FREE */
};

/* The table, with no port taken. -ENOMEM. */
int event_create(struct domain *d);
/*
 * Closes at most `budget` ports; true when none is left and the page is given back. Only for a
 * domain that no longer runs. No lock may be held.
 */
bool event_teardown(struct domain *d, uint32_t budget);
void event_destroy(struct domain *d);

/*
 * For device_interrupt.c. A port that nobody can close yet, told to a vCPU: its number, or an error
 * of do_interrupt_bind(). Then it becomes the port of an interrupt, or is given back.
 */
int event_reserve(struct domain *d, uint32_t vcpu);
void event_bind(struct domain *d, uint32_t port, uint32_t interrupt);
void event_unreserve(struct domain *d, uint32_t port);
/* The number of the interrupt that the current domain's port belongs to, or -ENOENT. */
int64_t event_interrupt(uint64_t port);

/*
 * Raises a port that stays taken meanwhile. Whom to tell, or NULL: event_post() tells it, and needs
 * no lock; before this CPU leaves the hypervisor.
 */
struct vcpu *event_raise(struct domain *d, uint32_t port);
void event_post(struct vcpu *v);

/* Raises the control domain's port for news, if it has one. Below domain->lock. */
void event_news(void);

/* NULL, or what is wrong with the ports of a domain. For audit.c. */
const char *event_audit(struct domain *d);

int64_t do_event_register_page(uint64_t gfn);
int64_t do_event_listen(uint64_t domain);
int64_t do_event_connect(uint64_t domain, uint64_t port);
int64_t do_event_send(uint64_t port);
int64_t do_event_close(uint64_t port);
int64_t do_event_set_vcpu(uint64_t port, uint64_t vcpu);

#endif
