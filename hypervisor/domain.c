// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains: how they begin, are found, and end.
 *
 * Interface: domain.h.
 * Locks: domain_list_lock covers the list, the table of numbers and the list of the dying; it is
 * held for a few instructions, or for one walk of the list. domain->lock covers its state. One CPU
 * at a time takes dying domains apart, with no lock held.
 * Odd: a domain keeps its number until nothing of it is left, so that no frame can be taken for a
 * later domain's. It can be found until then, and reads as dying.
 */
#include "domain.h"

#include "arch.h"
#include "assert.h"
#include "audit.h"
#include "bitmap.h"
#include "cpu.h"
#include "exit_status.h"
#include "printf.h"
#include "quiesce.h"
#include "string.h"
#include "vcpu.h"
#include "abi/errno.h"

#define REAP_FRAMES	    256 /* a step */
#define REAP_PORTS	    32
#define SHADOW_FRAMES_LEAST 512

/* What is done next to a dying domain. */
enum reap_step {
	REAP_STOP, /* its vCPUs leave their CPUs */
	REAP_EVENTS,
	REAP_SHADOW,
	REAP_GRANTS,
	REAP_MEMORY,
	REAP_HIDE,
	REAP_FREE, /* nobody has a reference */
};

static struct spinlock domain_list_lock;
static struct list_node domain_list = LIST_INIT(domain_list);
static struct list_node dying = LIST_INIT(dying);
static uint64_t numbers[BITMAP_WORDS(DOMAIN_MAX)]; /* in use */
static struct domain *domains[DOMAIN_MAX];	   /* those in the list */
static uint64_t last_serial;
static bool reaping;
static bool any_crashed;

size_t domain_last_number;

/* --- Beginning --- */

uint64_t domain_shadow_default(uint64_t frames)
{
	return frames / 64 > SHADOW_FRAMES_LEAST ? frames / 64 : SHADOW_FRAMES_LEAST;
}

/*
 * In turn, so that a number means the same domain for as long as can be. Number 0 is the control domain's.
 * With the lock.
 */
static size_t next_number(const struct domain *d)
{
	size_t number;

	if (d->control)
		return bitmap_find_next_clear(numbers, DOMAIN_MAX, 0);
	number = bitmap_find_next_clear(numbers, DOMAIN_MAX, domain_last_number + 1);
	return number < DOMAIN_MAX ? number : bitmap_find_next_clear(numbers, DOMAIN_MAX, 1);
}

static bool take_number(struct domain *d)
{
	size_t number;

	spin_lock(&domain_list_lock);
	number = next_number(d);
	if (number < DOMAIN_MAX) {
		bitmap_set(numbers, number);
		domain_last_number = number;
	}
	spin_unlock(&domain_list_lock);
	d->id = (uint16_t)number;
	return number < DOMAIN_MAX;
}

static void give_number_back(struct domain *d)
{
	spin_lock(&domain_list_lock);
	bitmap_clear(numbers, d->id);
	spin_unlock(&domain_list_lock);
}

static void list_domain(struct domain *d)
{
	spin_lock(&domain_list_lock);
	domains[d->id] = d;
	list_add_last(&domain_list, &d->link);
	spin_unlock(&domain_list_lock);
}

static const char *create_vcpus(struct domain *d, const struct domain_config *config)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		struct vcpu *v = vcpu_create(d, i);

		if (!v)
			return "no memory for its vCPUs";
		d->vcpus[i] = v;
		if (config->weight)
			v->sched.weight = config->weight;
		v->sched.cap = config->cap;
		if (config->affinity)
			v->sched.affinity = config->affinity;
		v->sched.pause = config->paused;
	}
	return NULL;
}

static void free_vcpus(struct domain *d)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		if (d->vcpus[i])
			vcpu_stop(d->vcpus[i]);
	quiesce_wait();
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		if (d->vcpus[i])
			vcpu_destroy(d->vcpus[i]);
		d->vcpus[i] = NULL;
	}
}

/* All that it has is its structure, its number and its maps. */
static void free_domain(struct domain *d)
{
	free_vcpus(d);
	grant_map_destroy(d);
	console_output_destroy(&d->output);
	event_destroy(d);
	memory_destroy(d);
	give_number_back(d);
	frame_free_pointer(d, sizeof(*d));
}

static const char *create_parts(struct domain *d, const struct domain_config *config)
{
	uint64_t shadow_frames = config->shadow_frames;
	const char *error = NULL;

	if (memory_create(d, config->frames, config->control))
		return "no memory for the map of its memory";
	if (!shadow_frames)
		shadow_frames = domain_shadow_default(config->frames);
	if (shadow_create(d, shadow_frames))
		error = "no memory for its shadow page tables";
	if (!error && event_create(d))
		error = "no memory for its event ports";
	if (!error && !d->control && console_output_create(&d->output))
		error = "no memory for its console";
	if (!error)
		error = create_vcpus(d, config);
	if (error) {
		free_vcpus(d);
		console_output_destroy(&d->output);
		event_destroy(d);
		shadow_destroy(d);
		memory_destroy(d);
	}
	return error;
}

struct domain *domain_create(const struct domain_config *config, const char **error)
{
	struct domain *d = frame_alloc_pointer(sizeof(*d));

	BUG_ON(config->vcpus == 0 || config->vcpus > RF_MAX_VCPUS);
	*error = d ? NULL : "no memory for its description";
	if (!d)
		return NULL;
	d->control = config->control;
	d->serial = __atomic_add_fetch(&last_serial, 1, __ATOMIC_RELAXED);
	d->references = 1;
	d->state = config->paused ? RF_DOMAIN_PAUSED : RF_DOMAIN_RUNNING;
	d->on_serial = config->on_serial;
	d->vcpu_count = config->vcpus;
	string_copy(d->name, config->name, sizeof(d->name));
	if (!take_number(d)) {
		*error = "there are too many domains";
	} else {
		*error = create_parts(d, config);
		if (*error)
			give_number_back(d);
	}
	if (*error) {
		frame_free_pointer(d, sizeof(*d));
		return NULL;
	}
	list_domain(d);
	return d;
}

void domain_start(struct domain *d)
{
	d->started = true;
	sched_up(d->vcpus[0]);
}

/* --- Finding --- */

struct domain *domain_current(void)
{
	return vcpu_current()->domain;
}

/* With the lock. */
static struct domain *find_number(size_t number)
{
	struct domain *d = domains[index_clamp(number, DOMAIN_MAX)];

	if (d)
		__atomic_fetch_add(&d->references, 1, __ATOMIC_RELAXED);
	return d;
}

struct domain *domain_find(uint64_t id)
{
	struct domain *d;

	if (id == RF_DOMAIN_SELF)
		id = domain_current()->id;
	if (id >= DOMAIN_MAX)
		return NULL;
	spin_lock(&domain_list_lock);
	d = find_number(id);
	spin_unlock(&domain_list_lock);
	return d;
}

struct domain *domain_find_next(uint64_t number)
{
	struct domain *d = NULL;

	if (number >= DOMAIN_MAX)
		return NULL;
	number = index_clamp(number, DOMAIN_MAX);
	spin_lock(&domain_list_lock);
	/* A number that is in use may be of one that is not yet in the list, or no more. */
	while (!d && (number = bitmap_find_next(numbers, DOMAIN_MAX, number)) < DOMAIN_MAX)
		d = find_number(number++);
	spin_unlock(&domain_list_lock);
	return d;
}

void domain_put(struct domain *d)
{
	BUG_ON(__atomic_fetch_sub(&d->references, 1, __ATOMIC_ACQ_REL) == 0);
}

void domain_for_each(bool (*visit)(struct domain *d, void *context), void *context)
{
	struct list_node *node;

	spin_lock(&domain_list_lock);
	list_for_each(node, &domain_list)
		if (visit(list_entry(node, struct domain, link), context))
			break;
	spin_unlock(&domain_list_lock);
}

/* --- Ending --- */

static void pause_vcpus(struct domain *d)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		sched_pause(d->vcpus[i]);
}

/* With the lock, so that who ends it meanwhile pauses it after this. */
static void start_or_go_on(struct domain *d)
{
	if (!d->started)
		domain_start(d);
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		sched_unpause(d->vcpus[i]);
}

void domain_pause(struct domain *d)
{
	spin_lock(&d->lock);
	if (d->state == RF_DOMAIN_RUNNING) {
		d->state = RF_DOMAIN_PAUSED;
		pause_vcpus(d);
	}
	spin_unlock(&d->lock);
}

void domain_unpause(struct domain *d)
{
	spin_lock(&d->lock);
	if (d->state == RF_DOMAIN_PAUSED) {
		d->state = RF_DOMAIN_RUNNING;
		start_or_go_on(d);
	}
	spin_unlock(&d->lock);
}

bool domain_is_there(const struct domain *d)
{
	return __atomic_load_n(&d->state, __ATOMIC_SEQ_CST) != RF_DOMAIN_DYING;
}

/* True for one caller only: the one who tells. */
static bool leave_running(struct domain *d, uint32_t reason)
{
	bool was_running;

	spin_lock(&d->lock);
	was_running = d->state == RF_DOMAIN_RUNNING || d->state == RF_DOMAIN_PAUSED;
	if (was_running) {
		d->reason = reason;
		d->state = reason == RF_SHUTDOWN_CRASH ? RF_DOMAIN_CRASHED : RF_DOMAIN_SHUTDOWN;
	}
	spin_unlock(&d->lock);
	return was_running;
}

static _Noreturn void end_machine(uint32_t reason)
{
	if (reason == RF_SHUTDOWN_REBOOT)
		arch_machine_reboot();
	if (reason == RF_SHUTDOWN_CRASH || any_crashed)
		arch_machine_exit(EXIT_GUEST_FAILED);
	arch_machine_exit(EXIT_SUCCESS);
}

static void end_domain(struct domain *d, uint32_t reason, const char *why)
{
	static const char *const verbs[] = { "powered off", "rebooted", "crashed" };

	pause_vcpus(d);
	spin_lock(&d->console_lock);
	log_guest_flush(d->name, &d->console);
	spin_unlock(&d->console_lock);
	log_write(reason == RF_SHUTDOWN_CRASH ? LOG_ERROR : LOG_INFO, "(%s) domain %u %s: %s",
		  d->name, d->id, verbs[reason], why);
	if (reason == RF_SHUTDOWN_CRASH)
		any_crashed = true;
	if (d->control)
		end_machine(reason);
	event_news();
}

void domain_shutdown(struct domain *d, uint32_t reason)
{
	if (leave_running(d, reason))
		end_domain(d, reason, "it asked for it");
}

int domain_crash(struct domain *d, const char *format, ...)
{
	struct vcpu *v = vcpu_current();
	char why[LOG_LINE_MAX / 2];
	va_list arguments;

	if (!leave_running(d, RF_SHUTDOWN_CRASH))
		return -EINVAL;
	va_start(arguments, format);
	format_string(why, sizeof(why), format, arguments);
	va_end(arguments);
	if (v && v->domain == d)
		arch_vcpu_dump(v);
	end_domain(d, RF_SHUTDOWN_CRASH, why);
	return -EINVAL;
}

int domain_destroy(struct domain *d)
{
	bool first;

	spin_lock(&d->lock);
	first = d->state != RF_DOMAIN_DYING;
	d->state = RF_DOMAIN_DYING;
	spin_unlock(&d->lock);
	if (!first)
		return -EBUSY;
	pause_vcpus(d);
	spin_lock(&domain_list_lock);
	list_add_last(&dying, &d->reap_link);
	spin_unlock(&domain_list_lock);
	sched_request(); /* from now on slices end here, too, when nobody waits for the CPU */
	return 0;
}

/* --- Taking apart --- */

static bool has_stopped(const struct domain *d)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		if (!sched_is_off_cpu(d->vcpus[i]))
			return false;
	return true;
}

/* Walks of the list see it to the end: its vCPUs may still hold pages. */
static void hide(struct domain *d)
{
	spin_lock(&domain_list_lock);
	domains[d->id] = NULL;
	spin_unlock(&domain_list_lock);
	domain_put(d);
}

static void reap_free(struct domain *d)
{
	spin_lock(&domain_list_lock);
	list_remove(&d->reap_link);
	list_remove(&d->link);
	spin_unlock(&domain_list_lock);
	log_info("(%s) domain %u is gone", d->name, d->id);
	free_domain(d);
	event_news();
}

static void reap_one(struct domain *d)
{
	switch (d->reap_step) {
	case REAP_STOP:
		if (!has_stopped(d))
			return;
		/* Whoever found it before it was dying is done with its memory, too. */
		quiesce_wait();
		break;
	case REAP_EVENTS:
		if (!event_teardown(d, REAP_PORTS))
			return;
		break;
	case REAP_SHADOW:
		if (!shadow_teardown(d, REAP_FRAMES))
			return;
		break;
	case REAP_GRANTS:
		if (!grant_map_teardown(d, REAP_FRAMES))
			return;
		grant_destroy(d);
		break;
	case REAP_MEMORY:
		if (!memory_teardown(d, REAP_FRAMES))
			return;
		break;
	case REAP_HIDE:
		hide(d);
		break;
	case REAP_FREE:
		if (__atomic_load_n(&d->references, __ATOMIC_ACQUIRE) == 0)
			reap_free(d);
		return;
	}
	d->reap_step++;
}

/* The next in turn, so that one that has to wait does not hold up the others. */
static struct domain *next_dying(void)
{
	struct list_node *node;

	spin_lock(&domain_list_lock);
	node = list_first(&dying);
	if (node)
		list_move_last(&dying, node);
	spin_unlock(&domain_list_lock);
	return node ? list_entry(node, struct domain, reap_link) : NULL;
}

/* Most of the time there is none: no lock for that. */
bool domain_reap_waits(void)
{
	return __atomic_load_n(&dying.next, __ATOMIC_RELAXED) != &dying;
}

/* Called in loops that do not leave the hypervisor: nobody may wait in vain for this CPU. */
bool domain_reap(void)
{
	struct domain *d;

	/* Most of the time there is none: no lock for that. */
	if (__atomic_load_n(&dying.next, __ATOMIC_RELAXED) == &dying)
		return false;
	audit_hold();
	quiesce_here();
	if (__atomic_exchange_n(&reaping, true, __ATOMIC_ACQUIRE))
		return false;
	d = next_dying();
	if (d)
		reap_one(d);
	__atomic_store_n(&reaping, false, __ATOMIC_RELEASE);
	return __atomic_load_n(&dying.next, __ATOMIC_RELAXED) != &dying;
}

/* --- Hypercalls --- */

int64_t do_shutdown(uint64_t reason)
{
	if (reason >= RF_SHUTDOWN_REASONS)
		return -EINVAL;
	domain_shutdown(domain_current(), (uint32_t)reason);
	return 0;
}
