/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three domains that grant each other memory, for the tests of that: a control domain, whose guest
 * frames are machine frames, and two others. Each has FRAMES frames from its base on: tables, the
 * page of operations, and a page of grants among them.
 */
#ifndef UNIT_GRANT_UNIT_H
#define UNIT_GRANT_UNIT_H

#include "unit.h"

#include "abi/errno.h"
#include "abi/grant.h"
#include "audit.h"
#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "fake_memory.h"
#include "frame.h"
#include "grant.h"
#include "grant_map.h"
#include "memory.h"
#include "pte.h"
#include "vcpu.h"
#include "walk.h"

#define RAM_FRAMES     8192
#define CPUS	       4
#define FRAMES	       128
#define CONTROL_BASE   1024
/* Frames after a domain's base: level 4 to level 1 of its tables, then these. */
#define TABLES	       4
#define OPERATIONS     4 /* one for each CPU */
#define GRANT_PAGE     8
#define DATA	       16
/* Guest-virtual, by the offset of the frame. */
#define ADDRESS(frame) ((uint64_t)(frame) << FRAME_SHIFT)
#define FREE_GFN       FOREIGN
#define FOREIGN	       512 /* guest frames of a that are nobody's, and the page that maps the first */

enum { CONTROL, A, B, DOMAINS };

static struct domain *domains[DOMAINS];
static uint64_t free_before;

static inline uint64_t base_of(const struct domain *d)
{
	return d->control ? CONTROL_BASE : 0;
}

static inline void *frame_at(struct domain *d, uint64_t offset)
{
	return arch_frame_pointer(memory_lookup(d, base_of(d) + offset));
}

/* Page i is frame base + i, up to 255; page 256 + i is what is at FOREIGN + i. */
static inline void make_tables(struct domain *d)
{
	const uint64_t bits = PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED;
	uint64_t *level1 = frame_at(d, 3), base = base_of(d);

	for (uint64_t level = 0; level < 3; level++)
		*(uint64_t *)frame_at(d, level) = (base + level + 1) << FRAME_SHIFT | bits;
	for (uint64_t i = 0; i < 256; i++) {
		level1[i] = (base + i) << FRAME_SHIFT | bits | PTE_DIRTY;
		level1[256 + i] = (FOREIGN + i) << FRAME_SHIFT | bits | PTE_DIRTY;
	}
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		d->vcpus[i]->root_gfn = base;
}

static inline struct domain *make_domain(const char *name, bool control)
{
	struct domain_config config = { .control = control,
					.vcpus = CPUS,
					.frames = FRAMES,
					.shadow_frames = 1 };
	const char *error;
	struct domain *d;

	snprintf(config.name, sizeof(config.name), "%s", name);
	d = domain_create(&config, &error);
	assert_non_null(d);
	assert_int_equal(memory_fill(d, base_of(d), FRAMES), 0);
	make_tables(d);
	return d;
}

/* Hypercalls are those of this CPU's vCPU of the domain from now on; NULL: nobody's. */
static inline void run(struct domain *d)
{
	struct vcpu *previous = this_cpu()->current;
	struct vcpu *next = d ? d->vcpus[this_cpu()->id] : NULL;

	if (next == previous)
		return;
	shadow_vcpu_enter(next);
	arch_vcpu_switch(previous, next);
	this_cpu()->current = next;
	shadow_vcpu_leave(previous, next);
	if (next)
		next->sched.cpu = this_cpu();
}

static inline void *operations(struct domain *d)
{
	return frame_at(d, OPERATIONS + this_cpu()->id);
}

static inline uint64_t operations_address(void)
{
	return ADDRESS(OPERATIONS + this_cpu()->id);
}

static inline struct rf_grant_entry *entry_of(struct domain *d, uint32_t number)
{
	return &((struct rf_grant_entry *)frame_at(d, GRANT_PAGE))[number];
}

static inline uint64_t grant_word(const struct domain *to, uint64_t gfn, uint64_t count,
				  uint64_t flags)
{
	return (uint64_t)to->id << RF_GRANT_DOMAIN_SHIFT | gfn << FRAME_SHIFT |
	       (count - 1) << RF_GRANT_COUNT_SHIFT | flags;
}

/* A frame of the granter, by its offset. */
static inline void grant(struct domain *d, uint32_t number, const struct domain *to,
			 uint64_t offset, uint64_t count, uint64_t flags)
{
	__atomic_store_n(&entry_of(d, number)->grant,
			 grant_word(to, base_of(d) + offset, count, flags | RF_GRANT_VALID),
			 __ATOMIC_SEQ_CST);
}

static inline void revoke(struct domain *d, uint32_t number)
{
	__atomic_store_n(&entry_of(d, number)->grant, 0, __ATOMIC_SEQ_CST);
}

static inline uint64_t in_use(struct domain *d, uint32_t number)
{
	return __atomic_load_n(&entry_of(d, number)->in_use, __ATOMIC_SEQ_CST);
}

/* By the current domain; what came of it is in *op. */
static inline int64_t map_op(struct rf_grant_map *op)
{
	struct domain *d = vcpu_current()->domain;
	int64_t result;

	memcpy(operations(d), op, sizeof(*op));
	result = do_grant_map(operations_address(), 1);
	memcpy(op, operations(d), sizeof(*op));
	return result;
}

/* One frame; its handle, or the error. */
static inline int64_t map_frame(const struct domain *granter, uint32_t number, uint64_t gfn,
				uint32_t flags)
{
	struct rf_grant_map op = { .domain = granter->id,
				   .grant = number,
				   .count = 1,
				   .gfn = gfn,
				   .flags = flags };
	int64_t result = map_op(&op);

	return result == 1 ? op.handle : result;
}

static inline int64_t unmap(uint64_t handle)
{
	struct rf_grant_unmap op = { .handle = (uint32_t)handle };

	memcpy(operations(vcpu_current()->domain), &op, sizeof(op));
	return do_grant_unmap(operations_address(), 1);
}

static inline int64_t copy(struct rf_grant_place from, struct rf_grant_place to, uint32_t bytes)
{
	struct rf_grant_copy op = { .from = from, .to = to, .bytes = bytes };

	memcpy(operations(vcpu_current()->domain), &op, sizeof(op));
	return do_grant_copy(operations_address(), 1);
}

/* SHADOW_FILLED or not, for an access of the current vCPU; and what a leaf leads to, 0: there is none. */
static inline enum shadow_result touch(uint64_t address, uint32_t access)
{
	uint32_t error;

	return shadow_fault(vcpu_current(), address, access, &error);
}

static inline uint64_t leaf_at(uint64_t address)
{
	uint64_t table = vcpu_current()->arch.kernel_table;
	uint64_t entry = 0;

	for (unsigned level = 4; level > 0; level--) {
		entry = ((uint64_t *)arch_frame_pointer(table))[pte_index(address, level)];
		if (!(entry & PTE_PRESENT))
			return 0;
		table = (entry & PTE_ADDRESS) >> FRAME_SHIFT;
	}
	return entry;
}

static inline uint64_t granted_frame(const struct domain *d, uint64_t gfn)
{
	bool write;

	return grant_lookup(d, gfn, &write);
}

static inline struct rf_grant_place own(struct domain *d, uint64_t offset, uint64_t byte)
{
	return (struct rf_grant_place){ .domain = RF_DOMAIN_SELF,
					.address = ADDRESS(base_of(d) + offset) + byte };
}

static inline struct rf_grant_place granted(const struct domain *d, uint32_t number,
					    uint64_t address)
{
	return (struct rf_grant_place){ .domain = d->id, .grant = number, .address = address };
}

static inline void assert_audit(void)
{
	struct vcpu *v = this_cpu()->current;
	const char *wrong;

	run(NULL);
	wrong = audit_run();
	if (wrong)
		fail_msg("audit: %s", wrong);
	run(v ? v->domain : NULL);
}

static inline void reap_all(void)
{
	while (domain_reap())
		;
}

/* It ends, and nothing of it is left. */
static inline void destroy(int which)
{
	struct domain *d = domains[which];

	run(NULL);
	assert_int_equal(domain_destroy(d), 0);
	reap_all();
	domains[which] = NULL;
}

static inline void add_grant_page(struct domain *d)
{
	run(d);
	assert_int_equal(do_grant_register(base_of(d) + GRANT_PAGE), 0);
}

static inline int setup(void **state)
{
	(void)state;
	fake_domain_init(RAM_FRAMES, CPUS);
	walk_init(40);
	free_before = frame_free_count();
	domains[CONTROL] = make_domain("control", true);
	domains[A] = make_domain("a", false);
	domains[B] = make_domain("b", false);
	for (int i = 0; i < DOMAINS; i++)
		add_grant_page(domains[i]);
	run(NULL);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	fake_set_cpu(0);
	run(NULL);
	assert_audit();
	fake_domain_end_all();
	assert_int_equal(frame_free_count(), free_before);
	return 0;
}

#endif
