// SPDX-License-Identifier: BSD-2-Clause
/*
 * Domains for unit tests: made without a scheduler, run by nobody.
 *
 * Interface: fake_guest.h. Locks: none.
 */
#include "fake_guest.h"

#include <stdlib.h>

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "frame.h"
#include "memory.h"
#include "pte.h"
#include "shadow.h"
#include "vcpu.h"

#define CHUNK	      512ULL
#define IDENTITY_BASE (3 * CHUNK)

static void must(bool good)
{
	if (!good)
		abort();
}

static void fill(struct domain *d, uint64_t chunk)
{
	uint64_t gfn = fake_guest_base(d) + chunk * CHUNK;

	if (chunk % 3 != 2) {
		must(memory_fill(d, gfn, CHUNK) == 0);
		return;
	}
	/* From the end, so that neighbours in one space are none in the other. */
	for (uint64_t i = CHUNK; i-- > 0;)
		must(memory_fill(d, gfn + i, 1) == 0);
}

static struct vcpu *create_vcpu(struct domain *d, uint32_t id)
{
	struct vcpu *v = calloc(1, sizeof(*v));

	must(v);
	v->id = id;
	v->domain = d;
	v->page_mfn = FRAME_NONE;
	v->spare_page = calloc(1, sizeof(*v->spare_page));
	must(v->spare_page);
	v->page = v->spare_page;
	v->root_gfn = fake_guest_base(d);
	return v;
}

struct domain *fake_guest_create(const struct fake_guest_config *config)
{
	struct domain *d = calloc(1, sizeof(*d));

	must(d);
	d->id = config->identity ? 0 : 1;
	d->control = config->identity;
	d->references = 1;
	d->vcpu_count = config->vcpus;
	list_init(&d->link);
	must(memory_create(d, config->chunks * CHUNK, config->identity) == 0);
	for (uint64_t i = 0; i < config->chunks; i++)
		fill(d, i);
	for (uint32_t i = 0; i < config->vcpus; i++)
		d->vcpus[i] = create_vcpu(d, i);
	must(shadow_create(d, config->pool_frames) == 0);
	return d;
}

void fake_guest_destroy(struct domain *d)
{
	shadow_destroy(d);
	while (!memory_teardown(d, CHUNK))
		;
	memory_destroy(d);
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		free(d->vcpus[i]->spare_page);
		free(d->vcpus[i]);
	}
	free(d);
}

uint64_t fake_guest_base(const struct domain *d)
{
	return d->control ? IDENTITY_BASE : 0;
}

void fake_guest_switch(struct vcpu *next)
{
	struct vcpu *previous = this_cpu()->current;

	shadow_vcpu_enter(next);
	arch_vcpu_switch(previous, next);
	this_cpu()->current = next;
	shadow_vcpu_leave(previous, next);
}

uint64_t *fake_guest_frame(const struct domain *d, uint64_t gfn)
{
	uint64_t mfn = memory_lookup(d, gfn);

	must(mfn != FRAME_NONE);
	return arch_frame_pointer(mfn);
}

void fake_guest_map(const struct domain *d, uint64_t root_gfn, uint64_t address, unsigned level,
		    uint64_t entry, uint64_t *next_table)
{
	uint64_t *table = fake_guest_frame(d, root_gfn);

	for (unsigned at = 4; at > level; at--) {
		uint64_t *slot = &table[pte_index(address, at)];

		if (!*slot)
			*slot = (*next_table)++ << FRAME_SHIFT | PTE_PRESENT | PTE_WRITE |
				PTE_USER | PTE_ACCESSED;
		table = fake_guest_frame(d, (*slot & PTE_ADDRESS) >> FRAME_SHIFT);
	}
	table[pte_index(address, level)] = entry;
}
