// SPDX-License-Identifier: BSD-2-Clause
/*
 * Debug keys: what the hypervisor believes, for a person to read.
 *
 * Interface: debug_key.h; called from a timer of CPU 0, with no lock held. To add a key, add a
 * line to `keys`.
 * Locks: the list of domains while it is walked, so nobody in it goes away; a run queue's, or that
 * of a domain's event ports, while it is copied. The rest is read as it is: what is printed is not of one moment.
 */
#include "debug_key.h"

#include <stddef.h>

#include "arch.h"
#include "bitmap.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "domain.h"
#include "exit_status.h"
#include "frame.h"
#include "log.h"
#include "vcpu.h"

#define NS_PER_MS      1000000
#define QUEUE_SHOWN    8
#define PORTS_SHOWN    64
#define FRAMES_PER_MIB 256

static const char *state_name(const struct vcpu *v)
{
	static const char *const names[] = {
		[SCHED_DOWN] = "down",
		[SCHED_BLOCKED] = "blocked",
		[SCHED_RUNNABLE] = "runnable",
		[SCHED_RUNNING] = "running",
	};

	return names[v->sched.state];
}

static void print_vcpu(const struct vcpu *v)
{
	const struct sched_entity *s = &v->sched;

	log_plain(
		"  vCPU %u: %s%s%s cpu %u, affinity %#lx, weight %u, cap %u, ran %lu ms, waited %lu ms, "
		"work %#x, vectors %#lx %#lx %#lx %#lx, root %#lx",
		v->id, state_name(v), s->pause ? " paused" : "", s->parked ? " parked" : "",
		s->cpu->id, s->affinity, s->weight, s->cap, s->run_ns / NS_PER_MS,
		s->steal_ns / NS_PER_MS, v->work, v->interrupt.vectors[0], v->interrupt.vectors[1],
		v->interrupt.vectors[2], v->interrupt.vectors[3], v->root_gfn << FRAME_SHIFT);
}

static bool print_domain(struct domain *d, void *context)
{
	static const char *const names[] = {
		[0] = "new",
		[RF_DOMAIN_RUNNING] = "running",
		[RF_DOMAIN_SHUTDOWN] = "shut down",
		[RF_DOMAIN_CRASHED] = "crashed",
		[RF_DOMAIN_DYING] = "dying",
		[RF_DOMAIN_PAUSED] = "paused",
	};

	(void)context;
	log_plain("domain %u '%s'%s: %s, reason %u, %u vCPUs", d->id, d->name,
		  d->control ? " (control)" : "", names[d->state], d->reason, d->vcpu_count);
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		print_vcpu(d->vcpus[i]);
	return false;
}

static void show_domains(void)
{
	domain_for_each(print_domain, NULL);
}

static bool print_registers(struct domain *d, void *context)
{
	(void)context;
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		const struct vcpu *v = d->vcpus[i];

		if (!sched_is_off_cpu(v) && v != vcpu_current())
			log_plain("domain %u vCPU %u is on CPU %u", d->id, i, v->sched.cpu->id);
		else if (v->initialized)
			arch_vcpu_dump(v);
	}
	return false;
}

static void show_registers(void)
{
	domain_for_each(print_registers, NULL);
}

/* A vCPU as it was while the lock was held. */
struct who {
	uint32_t domain;
	uint32_t vcpu;
	uint64_t virtual_time;
};

static struct who who_is(const struct vcpu *v)
{
	return (struct who){ v->domain->id, v->id, v->sched.virtual_time };
}

static void print_queue(struct cpu *cpu)
{
	struct who waiting[QUEUE_SHOWN], running = { 0 };
	struct list_node *node;
	bool idle, need_schedule;
	uint64_t virtual_time;
	uint32_t count = 0;

	spin_lock(&cpu->queue.lock);
	idle = !cpu->current;
	need_schedule = cpu->need_schedule;
	virtual_time = cpu->queue.virtual_time;
	if (!idle)
		running = who_is(cpu->current);
	list_for_each(node, &cpu->queue.head) {
		if (count < QUEUE_SHOWN)
			waiting[count] = who_is(list_entry(node, struct vcpu, sched.link));
		count++;
	}
	spin_unlock(&cpu->queue.lock);

	log_plain("CPU %u: %s%s, %u waiting, virtual time %lu", cpu->id, idle ? "idle" : "busy",
		  need_schedule ? " (to choose again)" : "", count, virtual_time);
	if (!idle)
		log_plain("  runs %u.%u at %lu", running.domain, running.vcpu,
			  running.virtual_time);
	for (uint32_t i = 0; i < count && i < QUEUE_SHOWN; i++)
		log_plain("  then %u.%u at %lu", waiting[i].domain, waiting[i].vcpu,
			  waiting[i].virtual_time);
}

static void show_queues(void)
{
	for (uint32_t i = 0; i < cpu_count; i++)
		print_queue(&cpus[i]);
}

static bool print_memory(struct domain *d, void *context)
{
	const struct shadow_pool *pool = &d->shadow.pool;

	(void)context;
	log_plain("domain %u '%s': %lu frames of %lu, shadows %lu of %lu", d->id, d->name,
		  d->memory.frames, d->memory.frames_max, pool->frames - pool->available,
		  pool->frames);
	return false;
}

static void show_memory(void)
{
	uint64_t free = frame_free_count();

	log_plain("frames: %lu free (%lu MiB), table up to %#lx", free, free / FRAMES_PER_MIB,
		  frame_limit << FRAME_SHIFT);
	domain_for_each(print_memory, NULL);
}

static uint64_t sum(const uint64_t *numbers, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += numbers[i];
	return total;
}

static bool print_counters(struct domain *d, void *context)
{
	(void)context;
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		const struct rf_counters *c = &d->vcpus[i]->counters;

		log_plain("%u.%u: %lu entries, %lu hypercalls, %lu fills (+%lu), %lu flushes, "
			  "%lu resynced, %lu shootdowns, %lu faults, %lu exceptions, %lu vectors, "
			  "%lu root loads (%lu missed), %lu switches",
			  d->id, i, sum(c->entries, RF_ENTRY_REASONS),
			  sum(c->hypercalls, RF_HYPERCALL_SLOTS), c->fills, c->window_fills,
			  c->flushes, c->resynced, c->shootdowns, c->faults, c->exceptions,
			  c->vectors, c->root_loads, c->root_misses, c->switches);
	}
	return false;
}

static void show_counters(void)
{
	domain_for_each(print_counters, NULL);
}

static void print_port(const struct domain *d, uint32_t port, const struct event_port *p)
{
	/* NULL: it is taken apart at this moment. */
	const struct rf_event_page *page = __atomic_load_n(&d->event.page, __ATOMIC_RELAXED);
	const char *pending = page && bitmap_test(page->pending, port) ? ", pending" : "";
	const char *masked = page && bitmap_test(page->mask, port) ? ", masked" : "";

	if (p->kind == EVENT_CONNECTED)
		log_plain("  port %u: to vCPU %u, from port %u of domain %u%s%s", port, p->vcpu,
			  p->peer_port, p->peer->id, pending, masked);
	else if (p->kind == EVENT_INTERRUPT)
		log_plain("  port %u: to vCPU %u, from interrupt %u, which came %lu times%s%s",
			  port, p->vcpu, p->interrupt, device_interrupt_count(p->interrupt),
			  pending, masked);
	else
		log_plain("  port %u: to vCPU %u, listens%s%s", port, p->vcpu, pending, masked);
}

static bool print_events(struct domain *d, void *context)
{
	uint32_t shown = 0, port;

	(void)context;
	log_plain("domain %u '%s': %zu event ports", d->id, d->name,
		  bitmap_count(d->event.used, RF_EVENT_PORTS));
	bitmap_for_each(port, d->event.used, RF_EVENT_PORTS) {
		struct event_port copy;

		spin_lock(&d->event.lock);
		copy = d->event.ports[port];
		spin_unlock(&d->event.lock);
		if (copy.kind != EVENT_FREE && copy.kind != EVENT_BUSY && shown++ < PORTS_SHOWN)
			print_port(d, port, &copy);
	}
	return false;
}

static void show_events(void)
{
	domain_for_each(print_events, NULL);
}

static void power_off(void)
{
	log_plain("power off by debug key");
	arch_machine_exit(EXIT_SUCCESS);
}

static void reboot(void)
{
	log_plain("reboot by debug key");
	arch_machine_reboot();
}

static void show_help(void);

static const struct {
	char key;
	void (*press)(void);
	const char *help;
} keys[] = {
	{ 'h', show_help, "this list" },
	{ 'd', show_domains, "domains and vCPUs" },
	{ 'r', show_registers, "registers of the vCPUs that do not run" },
	{ 'q', show_queues, "run queues" },
	{ 'm', show_memory, "memory" },
	{ 'c', show_counters, "counters" },
	{ 'e', show_events, "event ports" },
	{ 'R', reboot, "reboot" },
	{ 'x', power_off, "power off" },
};

#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static void show_help(void)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		log_plain("%c  %s", keys[i].key, keys[i].help);
}

void debug_key_press(int key)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (keys[i].key == key)
			keys[i].press();
}
