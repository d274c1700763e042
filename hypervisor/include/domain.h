/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains: creating, finding, ending (domain.c). A domain that ends is taken apart in bounded
 * steps by idle CPUs, or between slices when none idles.
 */
#ifndef HYPERVISOR_DOMAIN_H
#define HYPERVISOR_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/domain.h"
#include "abi/vcpu.h"
#include "console_input.h"
#include "console_output.h"
#include "event.h"
#include "grant.h"
#include "grant_map.h"
#include "log.h"
#include "list.h"
#include "memory.h"
#include "shadow.h"
#include "spinlock.h"

struct vcpu;

#define DOMAIN_MAX 1024 /* numbers are below this; 0 is the control domain */

/* Where an exception, a vector or an `int n` enters the guest; see abi/vcpu.h. */
struct domain_trap {
	uint64_t rip; /* 0: none */
	uint8_t flags;
};

struct domain {
	struct list_node link;
	uint16_t id;
	bool control;
	uint64_t serial;     /* unlike its number, no other domain's ever */
	uint32_t references; /* 1 while it is in the list */
	struct spinlock lock;
	uint32_t state;	  /* RF_DOMAIN_*; changes under the lock */
	uint32_t reason;  /* RF_SHUTDOWN_* */
	bool started;	  /* vCPU 0 was brought up */
	uint32_t request; /* see rf_domain_info */
	uint32_t requests;
	char name[RF_DOMAIN_NAME_SIZE];

	uint32_t vcpu_count;
	struct vcpu *vcpus[RF_MAX_VCPUS];

	struct list_node reap_link; /* among the dying */
	uint32_t reap_step;	    /* how far it is taken apart: see domain.c */

	struct memory memory;
	struct shadow shadow;
	struct event_table event;
	struct grant_table grant;   /* what it lets others use */
	struct grant_map grant_map; /* what others let it use */
	struct domain_trap traps[256];
	struct spinlock console_lock; /* for console and output */
	struct log_guest console;
	struct console_output output;
	struct console_input input;
	bool on_serial; /* what it prints goes to the serial line */
};

/* Machine frame of a guest frame, FRAME_NONE when the domain has none there. */
static inline uint64_t memory_lookup(const struct domain *d, uint64_t gfn)
{
	return memory_find(&d->memory, d->id, gfn);
}

/* The same for 512 contiguous frames at an aligned gfn: FRAME_NONE unless it owns all. */
static inline uint64_t memory_lookup_2m(const struct domain *d, uint64_t gfn)
{
	return memory_find_2m(&d->memory, d->id, gfn);
}

/* One more holder of the frame behind a gfn of the domain, or FRAME_NONE. */
static inline uint64_t memory_hold(const struct domain *d, uint64_t gfn)
{
	uint64_t mfn = memory_lookup(d, gfn);

	return mfn != FRAME_NONE && frame_get(mfn, d->id) ? mfn : FRAME_NONE;
}

/*
 * The machine frame of another domain that this one sees at a gfn, FRAME_NONE if there is none:
 * only shadows ask. See grant_map.h.
 */
static inline uint64_t grant_lookup(const struct domain *d, uint64_t gfn, bool *write)
{
	return grant_map_find(&d->grant_map, gfn, write);
}

struct domain_config {
	char name[RF_DOMAIN_NAME_SIZE];
	bool control;
	bool paused;	/* until domain_unpause() */
	bool on_serial; /* what it prints goes to the serial line */
	uint32_t vcpus;
	uint64_t frames;
	uint64_t shadow_frames; /* see domain_shadow_default() */
	uint32_t weight;	/* 0: the default */
	uint32_t cap;
	uint64_t affinity; /* 0: any CPU */
};

/* The frames for its shadows that a domain gets unless it is told: 1/64 of its memory, or 2 MiB. */
uint64_t domain_shadow_default(uint64_t frames);

/* NULL when something was not to be had: then *error says what. vCPUs are down. */
struct domain *domain_create(const struct domain_config *config, const char **error);

/* The number that was given last. Nobody but tests sets it, to see one given again. */
extern size_t domain_last_number;

/* A reference, or NULL. RF_DOMAIN_SELF is the caller's. */
struct domain *domain_find(uint64_t id);
/* The first that has that number, or a higher one; a reference, or NULL. */
struct domain *domain_find_next(uint64_t number);
void domain_put(struct domain *d);
struct domain *domain_current(void);

/* Everything of it may run: vCPU 0 goes up. */
void domain_start(struct domain *d);
/*
 * It may not run, or may again; a pause does not wait until it has left its CPUs. Starts a domain that
 * has not been, which needs a context for vCPU 0. Nothing to one that has ended.
 */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
/* Not being taken apart, as long as this CPU does not leave the hypervisor or wait in it. */
bool domain_is_there(const struct domain *d);
/*
 * It stops running, keeps its memory, and can be looked at. When the control domain ends, so does
 * the machine.
 */
void domain_shutdown(struct domain *d, uint32_t reason);
/*
 * A guest's mistake ends that guest, with a message. Natural use: return domain_crash(d, "why
 * ..."). Returns -EINVAL.
 */
int domain_crash(struct domain *d, const char *format, ...)
	__attribute__((format(printf, 2, 3), warn_unused_result));
/* Its memory is given back, its number is free again. */
int domain_destroy(struct domain *d);
/*
 * One bounded step of taking apart what is dying; true when there is more to do. The caller uses
 * nothing that others may unlink (quiesce.h), and holds no lock.
 */
bool domain_reap(void);
bool domain_reap_waits(void);

/* Walks the list under its lock; stops when visit returns true. */
void domain_for_each(bool (*visit)(struct domain *d, void *context), void *context);

int64_t do_shutdown(uint64_t reason);

#endif
