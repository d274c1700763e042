// SPDX-License-Identifier: BSD-2-Clause
/*
 * Recounts what the hypervisor believes, and names the first thing that is not so.
 *
 * Interface: audit.h. The names of the rules:
 *   I1  every frame of RAM is counted once, every domain has as many as its counters say
 *   I2  every frame is in exactly one state, with the owner and holders of that state
 *   I3  every shadow entry maps a frame of its domain (shadow_audit.c)
 *   I4  every frame has as many references as there are holders, and is mapped at one place
 *   I6  every grant is in use as often as it is mapped (grant_audit.c)
 *   I8  free frames hold what was written when they were freed; guard pages are absent
 *   I9  who runs, who waits and which roots are loaded is the same wherever it is noted
 *   I10 every event port is taken by one thing, and that by it (event.c)
 * Locks: takes none, since every other CPU waits in audit_wait(), where it holds none: on its way
 * out to a guest, asleep, or about to audit itself. One CPU audits at a time.
 * Odd: frames of domains are marked in their tags on the way, and unmarked at the end.
 */
#include "audit.h"

#include "bitmap.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "domain.h"
#include "grant_audit.h"
#include "log.h"
#include "quiesce.h"
#include "string.h"
#include "vcpu.h"
#include "abi/domain.h"
#include "abi/errno.h"

#define TAG_MAPPED 0x100

uint32_t audit_running; /* the ticket of the audit, 0: none */

static uint32_t held[CONFIG_MAX_CPUS]; /* the audit that a CPU waits for */
static uint32_t last_ticket;
static uint64_t counted[DOMAIN_MAX]; /* frames of each domain */
static uint64_t pooled[DOMAIN_MAX];  /* frames of each shadow pool */

/* --- Holding the other CPUs --- */

void audit_wait(void)
{
	uint32_t *mine = &held[this_cpu()->id], ticket;

	while ((ticket = __atomic_load_n(&audit_running, __ATOMIC_ACQUIRE))) {
		__atomic_store_n(mine, ticket, __ATOMIC_RELEASE);
		quiesce_here();
	}
}

/* A request to flush keeps a CPU from the quick ways out, which do not look for audits. */
static void hold(struct cpu *cpu, uint32_t ticket)
{
	while (__atomic_load_n(&held[cpu->id], __ATOMIC_ACQUIRE) != ticket &&
	       !__atomic_load_n(&cpu->idle, __ATOMIC_ACQUIRE)) {
		if (__atomic_load_n(&cpu->in_guest, __ATOMIC_ACQUIRE) &&
		    !__atomic_exchange_n(&cpu->flush_request, 1, __ATOMIC_SEQ_CST))
			arch_cpu_interrupt(cpu);
		quiesce_here();
	}
}

static void hold_others(void)
{
	uint32_t none = 0, ticket;

	for (;;) {
		ticket = __atomic_add_fetch(&last_ticket, 1, __ATOMIC_RELAXED);
		if (ticket && __atomic_compare_exchange_n(&audit_running, &none, ticket, false,
							  __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			break;
		none = 0;
		audit_wait();
	}
	arch_memory_barrier();
	for (uint32_t i = 0; i < cpu_count; i++)
		if (&cpus[i] != this_cpu() && cpus[i].online)
			hold(&cpus[i], ticket);
}

static void let_go(void)
{
	__atomic_store_n(&audit_running, 0, __ATOMIC_RELEASE);
}

/* --- Frames --- */

static const char *audit_state(const struct frame *f)
{
	bool owned = f->owner != FRAME_OWNER_NONE;

	switch (f->state) {
	case FRAME_INVALID:
		return f->word ? "I2: a frame that is no RAM is in use" : NULL;
	case FRAME_FREE:
		return f->references || owned ? "I2: a free frame has an owner" : NULL;
	case FRAME_HYPERVISOR:
		return f->references != 1 || owned ? "I2: a frame of the hypervisor has an owner"
						   : NULL;
	case FRAME_SHADOW:
		return f->references != 1 || f->owner >= DOMAIN_MAX
			       ? "I2: a shadow's frame has no domain, or holders"
			       : NULL;
	case FRAME_DOMAIN:
	case FRAME_LIMBO:
		return f->references == 0 || f->owner >= DOMAIN_MAX
			       ? "I2: a domain's frame has no domain, or no reference"
			       : NULL;
	default:
		return "I2: a frame is in no state";
	}
}

static const char *audit_frames(void)
{
	uint64_t total = 0;

	memset(counted, 0, sizeof(counted));
	memset(pooled, 0, sizeof(pooled));
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++) {
		const struct frame *f = frame_of(mfn);
		const char *wrong = audit_state(f);

		if (wrong)
			return wrong;
		total += f->state != FRAME_INVALID;
		counted[f->owner % DOMAIN_MAX] += f->state == FRAME_DOMAIN;
		pooled[f->owner % DOMAIN_MAX] += f->state == FRAME_SHADOW;
	}
	return total == frame_total ? NULL : "I1: the sum of all frames is not the RAM there is";
}

/* --- Domains --- */

static const char *mark_mapped(const struct domain *d, uint64_t mfn)
{
	if (!frame_owned_by(mfn, d->id))
		return "I4: a domain's map leads to a frame that is not its own";
	if (frame_of(mfn)->tag & TAG_MAPPED)
		return "I4: a frame is at two places of its domain's map";
	frame_of(mfn)->tag |= TAG_MAPPED;
	return NULL;
}

static const char *audit_map(struct domain *d)
{
	const struct memory *m = &d->memory;
	const char *wrong = NULL;
	uint64_t mapped = 0;

	if (!m->slots)
		return NULL;
	for (uint64_t gfn = 0; gfn < m->slot_count << FRAME_ORDER_2M && !wrong; gfn++) {
		uint64_t mfn = memory_lookup(d, gfn);

		if (mfn == FRAME_NONE)
			continue;
		wrong = mark_mapped(d, mfn);
		mapped++;
	}
	if (!wrong && mapped != m->frames)
		wrong = "I1: a domain's map has not all of its frames";
	return wrong;
}

static void clear_marks(void)
{
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		if (frame_of(mfn)->state == FRAME_DOMAIN)
			frame_of(mfn)->tag &= ~(uint64_t)TAG_MAPPED;
}

struct holders {
	uint64_t mfn;
	uint32_t count;
};

static bool count_holders(struct domain *d, void *context)
{
	struct holders *holders = context;

	for (uint32_t i = 0; i < d->vcpu_count; i++)
		holders->count += d->vcpus[i]->page_mfn == holders->mfn;
	if (d->event.page)
		holders->count += arch_pointer_frame(d->event.page) == holders->mfn;
	for (uint32_t i = 0; i < d->grant.page_count; i++)
		holders->count += arch_pointer_frame(d->grant.pages[i].entries) == holders->mfn;
	return false;
}

/* The frames that somebody holds beside their owner: few, so that each may be looked up. */
static const char *compare_holders(void)
{
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++) {
		const struct frame *f = frame_of(mfn);
		struct holders holders = { .mfn = mfn };

		if (f->state != FRAME_LIMBO && f->state != FRAME_DOMAIN)
			continue;
		holders.count = grant_audit_holders(mfn) + (f->state == FRAME_DOMAIN);
		if (f->references != holders.count)
			domain_for_each(count_holders, &holders);
		if (f->references != holders.count)
			return "I4: a frame has more or fewer references than holders";
	}
	return NULL;
}

static const char *audit_holders(void)
{
	const char *wrong = grant_audit_begin();

	if (!wrong)
		wrong = compare_holders();
	grant_audit_end();
	return wrong;
}

static const char *audit_vcpu(struct vcpu *v)
{
	const struct frame *f;

	if (v->page_mfn != FRAME_NONE) {
		f = frame_of(v->page_mfn);
		if (f->owner != v->domain->id ||
		    (f->state != FRAME_DOMAIN && f->state != FRAME_LIMBO))
			return "I4: a vCPU's page is not its domain's";
		if ((void *)v->page != arch_frame_pointer(v->page_mfn))
			return "I4: a vCPU uses another page than it registered";
	}
	if (v->sched.state == SCHED_RUNNING && v->sched.cpu->current != v)
		return "I9: a vCPU runs on a CPU that runs another";
	return NULL;
}

struct domain_audit {
	const char *wrong;
	uint64_t owned;
	uint64_t pool;
};

static bool audit_domain(struct domain *d, void *context)
{
	struct domain_audit *audit = context;

	if (d->memory.frames != counted[d->id])
		audit->wrong = "I1: a domain owns more or fewer frames than it counts";
	else if (d->shadow.pool.frames != pooled[d->id])
		audit->wrong = "I1: a shadow pool has more or fewer frames than it counts";
	else
		audit->wrong = audit_map(d);
	/* A dying domain has lost its shadows first. */
	if (!audit->wrong && d->shadow.pool.frames)
		audit->wrong = shadow_audit(d, false);
	for (uint32_t i = 0; i < d->vcpu_count && !audit->wrong; i++)
		audit->wrong = audit_vcpu(d->vcpus[i]);
	if (!audit->wrong)
		audit->wrong = event_audit(d);
	audit->owned += counted[d->id];
	audit->pool += pooled[d->id];
	return audit->wrong != NULL;
}

static const char *audit_domains(void)
{
	struct domain_audit audit = { .wrong = NULL };
	uint64_t owned = 0, pool = 0;

	domain_for_each(audit_domain, &audit);
	clear_marks();
	for (uint32_t i = 0; i < DOMAIN_MAX; i++) {
		owned += counted[i];
		pool += pooled[i];
	}
	if (!audit.wrong && (owned != audit.owned || pool != audit.pool))
		audit.wrong = "I1: frames are owned by a domain that is not there";
	return audit.wrong;
}

/* --- CPUs --- */

static const char *audit_queue(struct cpu *cpu)
{
	const struct list_node *node;
	uint32_t length = 0;

	if (spin_is_locked(&cpu->queue.lock))
		return "I9: the lock of a run queue is held";
	list_for_each(node, &cpu->queue.head) {
		const struct sched_entity *s = list_entry(node, struct sched_entity, link);

		if (s->state != SCHED_RUNNABLE || s->pause || s->parked)
			return "I9: a vCPU waits in a run queue that may not run";
		if (s->cpu != cpu)
			return "I9: a vCPU waits in the run queue of another CPU";
		length++;
	}
	return length == cpu->queue.length ? NULL : "I9: the length of a run queue is wrong";
}

static const char *audit_current(const struct cpu *cpu)
{
	const struct vcpu *v = cpu->current;
	uint64_t bit = bitmap_mask(cpu->id);

	if (!v)
		return NULL;
	if (v->sched.cpu != cpu)
		return "I9: a CPU runs a vCPU that is on another";
	if (v->root && !(v->root->loaded & bit))
		return "I9: a root is loaded on a CPU and does not say so";
	if (!(v->domain->shadow.cpus & bit))
		return "I9: a CPU runs a domain that does not know it";
	return NULL;
}

static const char *audit_cpus(void)
{
	const char *wrong = NULL;

	for (uint32_t i = 0; i < cpu_count && !wrong; i++) {
		wrong = audit_queue(&cpus[i]);
		if (!wrong)
			wrong = audit_current(&cpus[i]);
	}
	return wrong;
}

/* --- All of it --- */

const char *audit_run(void)
{
	static const char *(*const parts[])(void) = {
		frame_audit, audit_frames, audit_holders, audit_domains, device_interrupt_audit,
		audit_cpus,  arch_audit,
	};
	const char *wrong = NULL;

	hold_others();
	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]) && !wrong; i++)
		wrong = parts[i]();
	let_go();
	return wrong;
}

const char *audit_flushed(struct domain *d)
{
	const char *wrong;

	hold_others();
	wrong = shadow_audit(d, true);
	let_go();
	return wrong;
}

int64_t do_audit(uint64_t flags)
{
	const char *wrong;

	if (flags & ~(uint64_t)RF_AUDIT_FLUSHED)
		return -EINVAL;
	if (!CONFIG_DEBUG)
		return -EOPNOTSUPP;
	wrong = audit_run();
	if (!wrong && (flags & RF_AUDIT_FLUSHED))
		wrong = audit_flushed(domain_current());
	if (!wrong)
		return 0;
	log_error("audit: %s", wrong);
	return -ENODATA;
}
