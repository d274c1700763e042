// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains for unit tests, made as the hypervisor makes them.
 *
 * Interface: fake_domain.h. Locks: none.
 */
#include "fake_domain.h"

#include <stdlib.h>

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_memory.h"
#include "frame.h"
#include "memory.h"
#include "pte.h"
#include "sched.h"
#include "vcpu.h"

#define FIRST_PAGE 4

void fake_domain_init(uint64_t ram_frames, uint32_t cpu_number)
{
	fake_memory_init(ram_frames, cpu_number);
	for (uint32_t i = 0; i < cpu_number; i++) {
		sched_init_cpu(&cpus[i]);
		cpus[i].idle = i > 0;
	}
}

struct domain *fake_domain_create(bool control, uint64_t frames)
{
	struct domain_config config = {
		.name = "fake",
		.control = control,
		.vcpus = 1,
		.frames = frames,
	};
	const char *error;
	struct domain *d = domain_create(&config, &error);

	if (!d || (!control && memory_fill(d, 0, frames)))
		abort();
	return d;
}

void fake_domain_run(struct domain *d)
{
	struct vcpu *previous = this_cpu()->current, *next = d ? d->vcpus[0] : NULL;

	shadow_vcpu_enter(next);
	arch_vcpu_switch(previous, next);
	this_cpu()->current = next;
	shadow_vcpu_leave(previous, next);
	if (next)
		next->sched.cpu = this_cpu();
}

static bool find_alive(struct domain *d, void *context)
{
	if (d->state == RF_DOMAIN_DYING)
		return false;
	*(struct domain **)context = d;
	return true;
}

void fake_domain_end_all(void)
{
	struct domain *d;

	fake_domain_run(NULL);
	do {
		d = NULL;
		domain_for_each(find_alive, &d);
		if (d)
			domain_destroy(d);
	} while (d);
	while (domain_reap())
		;
	domain_last_number = 0;
}

static uint64_t *table(struct domain *d, uint64_t gfn)
{
	return arch_frame_pointer(memory_lookup(d, gfn));
}

void fake_domain_map(struct domain *d)
{
	const uint64_t bits = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;

	for (uint64_t level = 0; level < 3; level++)
		table(d, level)[0] = (level + 1) << FRAME_SHIFT | bits;
	for (uint64_t i = 0; i < PTE_ENTRIES; i++)
		table(d, 3)[i] = (i + FIRST_PAGE) << FRAME_SHIFT | bits | PTE_DIRTY;
	d->vcpus[0]->root_gfn = 0;
}

void *fake_domain_pointer(struct domain *d, uint64_t address)
{
	return (char *)table(d, (address >> FRAME_SHIFT) + FIRST_PAGE) + address % FRAME_SIZE;
}
