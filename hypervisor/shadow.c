// SPDX-License-Identifier: BSD-2-Clause
/*
 * The roots of a domain's shadows: which of the guest's level-4 tables have one, and where they are
 * loaded.
 *
 * A root stays after the guest has loaded another, so that switching back finds its tables filled;
 * the least recently used one makes room when a structure or a frame is needed. A root that is
 * loaded on some CPU is never evicted, but its user half may be dropped. The kernel half is one
 * tree for all: a new kernel view copies its level-4 slots, a later one is copied when a fault
 * finds it missing.
 *
 * Locks: shadow.lock for the table of roots; each root's lock for its user half; kernel_lock for
 * the kernel half. To evict, both shadow.lock and the root's are held, so whoever holds either can
 * rely on the root. Order in locks.h. `loaded` is changed atomically, on load under shadow.lock, so
 * a root that is found there unloaded stays so.
 */
#include "shadow.h"

#include "assert.h"
#include "cpu.h"
#include "memory.h"
#include "shadow_table.h"
#include "string.h"
#include "tlb.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/errno.h"

#define ROOT_NONE	 (-1)
#define RECLAIM_ATTEMPTS (SHADOW_ROOTS + 4)

/* --- halves --- */

void shadow_half_shootdown(const struct shadow_half *half)
{
	const uint64_t *mask = half->root ? &half->root->loaded : &half->domain->shadow.cpus;

	/* Who loads the root sets its bit first: either we see it, or it sees what was written. */
	arch_memory_barrier();
	tlb_shootdown(__atomic_load_n(mask, __ATOMIC_RELAXED));
}

void shadow_half_unlink(struct shadow_half *half, unsigned first, unsigned end,
			struct list_node *dropped)
{
	const uint64_t used = *shadow_used(half->table);

	shadow_quick_forget(half);
	for (unsigned slot = shadow_next(used, first); slot < end;
	     slot = shadow_next(used, slot + 1)) {
		uint64_t entry = half->table[slot];

		if (!entry)
			continue;
		shadow_half_set_slot(half, slot, 0);
		shadow_pool_drop(dropped, (entry & PTE_ADDRESS) >> 12, 3);
	}
}

/* --- the table of roots; shadow.lock is held --- */

static unsigned root_hash(uint64_t gfn)
{
	return (gfn ^ (gfn >> 8)) % SHADOW_HASH;
}

static struct shadow_root *root_find(struct shadow *s, uint64_t gfn)
{
	for (int i = s->hash[root_hash(gfn)]; i != ROOT_NONE; i = s->roots[i].hash_next)
		if (s->roots[i].gfn == gfn)
			return &s->roots[i];
	return NULL;
}

static void root_link(struct shadow *s, struct shadow_root *root)
{
	int16_t *head = &s->hash[root_hash(root->gfn)];

	root->hash_next = *head;
	*head = (int16_t)(root - s->roots);
}

static void root_unlink(struct shadow *s, const struct shadow_root *root)
{
	int16_t *at = &s->hash[root_hash(root->gfn)];

	while (*at != root - s->roots)
		at = &s->roots[*at].hash_next;
	*at = root->hash_next;
}

/* Its tables go back to the pool. It is loaded nowhere, so no CPU can have a translation of it. */
static void root_evict(struct domain *d, struct shadow_root *root)
{
	struct list_node dropped = LIST_INIT(dropped);

	spin_lock(&root->lock);
	root_unlink(&d->shadow, root);
	shadow_pool_drop(&dropped, root->user_table, 0);
	shadow_pool_drop(&dropped, root->kernel_table, 4);
	root->gfn = FRAME_NONE;
	spin_unlock(&root->lock);
	shadow_pool_return(d, &dropped);
}

/* The least recently used root that is not loaded, or with any_root of all; NULL: there is none. */
static struct shadow_root *root_oldest(struct shadow *s, bool any_root)
{
	struct shadow_root *oldest = NULL;

	for (unsigned i = 0; i < SHADOW_ROOTS; i++) {
		struct shadow_root *root = &s->roots[i];

		if (root->gfn == FRAME_NONE || (!any_root && root->loaded))
			continue;
		if (!oldest || root->last_used < oldest->last_used)
			oldest = root;
	}
	return oldest;
}

static struct shadow_root *root_free_structure(struct domain *d)
{
	struct shadow *s = &d->shadow;
	struct shadow_root *root;

	for (unsigned i = 0; i < SHADOW_ROOTS; i++)
		if (s->roots[i].gfn == FRAME_NONE)
			return &s->roots[i];
	root = root_oldest(s, false);
	if (root)
		root_evict(d, root);
	return root;
}

/* A new level-4 table has the hypervisor's slots; a kernel view those of the kernel half as well. */
static void view_init(uint64_t *view)
{
	arch_table_init(view);
	*shadow_used(view) |= shadow_groups(SLOT_USER_END, SLOT_KERNEL_FIRST);
}

static void view_copy_kernel_half(uint64_t *view, const uint64_t *master)
{
	const uint64_t used = *shadow_used(master);

	for (unsigned slot = shadow_next(used, SLOT_KERNEL_FIRST); slot < PTE_ENTRIES;
	     slot = shadow_next(used, slot + 1))
		if (master[slot])
			shadow_write(&view[slot], master[slot]);
}

static struct shadow_root *root_create(struct domain *d, uint64_t gfn)
{
	struct shadow *s = &d->shadow;
	struct shadow_root *root = root_free_structure(d);
	uint64_t *user = root ? shadow_pool_alloc(d, 0) : NULL;
	uint64_t *kernel = user ? shadow_pool_alloc(d, 0) : NULL;

	if (!kernel) {
		struct list_node dropped = LIST_INIT(dropped);

		if (user)
			shadow_pool_drop(&dropped, shadow_table_mfn(user), 0);
		shadow_pool_return(d, &dropped);
		return NULL;
	}
	view_init(user);
	view_init(kernel);
	view_copy_kernel_half(kernel, arch_frame_pointer(s->kernel_table));
	root->gfn = gfn;
	root->fresh = true;
	root->user_table = shadow_table_mfn(user);
	root->kernel_table = shadow_table_mfn(kernel);
	root->half.domain = d;
	root->half.root = root;
	root->half.guest_root = gfn;
	root->half.table = kernel;
	root->half.user_table = user;
	root->half.window = (struct shadow_window){ 0 };
	shadow_quick_forget(&root->half);
	root_link(s, root);
	return root;
}

struct shadow_root *shadow_root_lock(struct domain *d, uint64_t gfn)
{
	struct shadow_root *root;

	spin_lock(&d->shadow.lock);
	root = root_find(&d->shadow, gfn);
	if (root)
		spin_lock(&root->lock);
	spin_unlock(&d->shadow.lock);
	return root;
}

/* --- dropping --- */

/* root->lock is held. */
static void drop_user_half(struct domain *d, struct shadow_root *root)
{
	struct list_node dropped = LIST_INIT(dropped);

	shadow_half_unlink(&root->half, 0, SLOT_USER_END, &dropped);
	if (list_empty(&dropped))
		return;
	shadow_half_shootdown(&root->half);
	shadow_pool_return(d, &dropped);
}

/* shadow.lock is held: no root comes or goes while the slots are cleared in every kernel view. */
static void drop_kernel_half(struct domain *d)
{
	struct list_node dropped = LIST_INIT(dropped);
	struct shadow *s = &d->shadow;

	spin_lock(&s->kernel_lock);
	shadow_half_unlink(&s->kernel_half, SLOT_KERNEL_FIRST, PTE_ENTRIES, &dropped);
	for (unsigned i = 0; i < SHADOW_ROOTS; i++)
		if (s->roots[i].gfn != FRAME_NONE)
			memset((uint64_t *)arch_frame_pointer(s->roots[i].kernel_table) +
				       SLOT_KERNEL_FIRST,
			       0, (PTE_ENTRIES - SLOT_KERNEL_FIRST) * sizeof(uint64_t));
	__atomic_fetch_add(&s->kernel_generation, 1, __ATOMIC_SEQ_CST);
	shadow_half_shootdown(&s->kernel_half);
	spin_unlock(&s->kernel_lock);
	shadow_pool_return(d, &dropped);
}

/*
 * Cheapest first: the root used longest ago of those loaded nowhere; the user half of one that is
 * loaded; the kernel half. shadow.lock is held.
 */
static void reclaim(struct vcpu *v)
{
	struct domain *d = v->domain;
	struct shadow *s = &d->shadow;
	struct shadow_root *root = root_oldest(s, false);

	if (root) {
		root_evict(d, root);
	} else {
		uint64_t available = s->pool.available;

		for (unsigned i = 0; i < SHADOW_ROOTS && s->pool.available == available; i++) {
			if (s->roots[i].gfn == FRAME_NONE)
				continue;
			spin_lock(&s->roots[i].lock);
			drop_user_half(d, &s->roots[i]);
			spin_unlock(&s->roots[i].lock);
		}
		if (s->pool.available == available)
			drop_kernel_half(d);
	}
	v->counters.evictions++;
}

void shadow_reclaim(struct vcpu *v)
{
	spin_lock(&v->domain->shadow.lock);
	reclaim(v);
	spin_unlock(&v->domain->shadow.lock);
}

/* --- loading --- */

/*
 * Makes a root, and room for it. As shadow.lock is held, nobody else takes what comes free: others
 * leave the pool a reserve for level-4 tables.
 */
static struct shadow_root *root_make(struct vcpu *v, uint64_t gfn)
{
	struct shadow_root *root;
	unsigned attempts = 0;

	while (!(root = root_create(v->domain, gfn))) {
		BUG_ON(attempts++ > RECLAIM_ATTEMPTS);
		reclaim(v);
	}
	v->counters.root_misses++;
	return root;
}

/* Finds or makes the root, marked loaded on this CPU. */
static struct shadow_root *root_acquire(struct vcpu *v, uint64_t gfn)
{
	struct shadow *s = &v->domain->shadow;
	struct shadow_root *root;

	spin_lock(&s->lock);
	root = root_find(s, gfn);
	if (!root)
		root = root_make(v, gfn);
	root->last_used = ++s->clock;
	__atomic_fetch_or(&root->loaded, 1ULL << this_cpu()->id, __ATOMIC_SEQ_CST);
	spin_unlock(&s->lock);
	return root;
}

static void root_leave(struct shadow_root *root)
{
	__atomic_fetch_and(&root->loaded, ~(1ULL << this_cpu()->id), __ATOMIC_SEQ_CST);
}

static void root_load(struct vcpu *v, uint64_t gfn)
{
	struct shadow_root *root = root_acquire(v, gfn);

	v->counters.root_loads++;
	v->root = root;
	v->root_gfn = gfn;
	arch_vcpu_set_tables(v, root->user_table, root->kernel_table);
}

void shadow_load_root(struct vcpu *v, uint64_t root_gfn)
{
	struct shadow_root *old = v->root;

	if (v->root_gfn == root_gfn)
		return;
	v->page->dropped = 0;
	v->page->prefill = 0;
	root_load(v, root_gfn);
	root_leave(old);
}

void shadow_vcpu_enter(struct vcpu *next)
{
	if (!next)
		return;
	__atomic_fetch_or(&next->domain->shadow.cpus, 1ULL << this_cpu()->id, __ATOMIC_SEQ_CST);
	root_load(next, next->root_gfn);
}

void shadow_vcpu_leave(struct vcpu *previous, const struct vcpu *next)
{
	if (!previous)
		return;
	if (previous->root && !(next && next->root == previous->root))
		root_leave(previous->root);
	previous->root = NULL;
	if (!next || next->domain != previous->domain)
		__atomic_fetch_and(&previous->domain->shadow.cpus, ~(1ULL << this_cpu()->id),
				   __ATOMIC_SEQ_CST);
}

/* --- operations --- */

void shadow_drop_user(struct domain *d, uint64_t root_gfn)
{
	struct shadow_root *root = shadow_root_lock(d, root_gfn);

	if (!root)
		return;
	drop_user_half(d, root);
	spin_unlock(&root->lock);
}

int shadow_destroy_root(struct domain *d, uint64_t root_gfn)
{
	struct shadow *s = &d->shadow;
	struct shadow_root *root;
	int result = 0;

	spin_lock(&s->lock);
	root = root_find(s, root_gfn);
	if (root && root->loaded)
		result = -EBUSY;
	else if (root)
		root_evict(d, root);
	spin_unlock(&s->lock);
	return result;
}

void shadow_flush_all(struct domain *d)
{
	struct shadow *s = &d->shadow;

	spin_lock(&s->lock);
	for (unsigned i = 0; i < SHADOW_ROOTS; i++) {
		struct shadow_root *root = &s->roots[i];

		if (root->gfn == FRAME_NONE)
			continue;
		spin_lock(&root->lock);
		drop_user_half(d, root);
		spin_unlock(&root->lock);
	}
	drop_kernel_half(d);
	spin_unlock(&s->lock);
}

void shadow_set_kernel_root(struct domain *d, uint64_t root_gfn)
{
	struct shadow *s = &d->shadow;

	spin_lock(&s->lock);
	spin_lock(&s->kernel_lock);
	s->kernel_half.guest_root = root_gfn;
	spin_unlock(&s->kernel_lock);
	drop_kernel_half(d);
	spin_unlock(&s->lock);
}

/* --- faults --- */

/*
 * The kernel half knows the slot, this view does not yet: copies it, and may thereby have resolved
 * the fault.
 */
static bool kernel_slot_copy(struct domain *d, const struct shadow_root *root, uint64_t address)
{
	const uint64_t *master = arch_frame_pointer(d->shadow.kernel_table);
	uint64_t *view = arch_frame_pointer(root->kernel_table);
	unsigned slot = pte_index(address, 4);

	if (view[slot] == master[slot])
		return false;
	shadow_write(&view[slot], master[slot]);
	return true;
}

static int fault_kernel_half(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error)
{
	struct domain *d = v->domain;
	int result = FILL_OK;

	spin_lock(&d->shadow.kernel_lock);
	if (!kernel_slot_copy(d, v->root, address)) {
		result = shadow_quick(&d->shadow.kernel_half, address, access, &v->counters);
		if (result == QUICK_UNKNOWN)
			result = shadow_fill(&d->shadow.kernel_half, address, access, error);
		kernel_slot_copy(d, v->root, address);
	}
	spin_unlock(&d->shadow.kernel_lock);
	return result;
}

static int fault_user_half(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error)
{
	int result;

	v->page->dropped = 0;
	spin_lock(&v->root->lock);
	if (access & FAULT_USER)
		v->root->fresh = false;
	result = shadow_fill(&v->root->half, address, access, error);
	spin_unlock(&v->root->lock);
	return result;
}

/* The user view has no kernel half: whatever the guest's tables say, user mode sees nothing there. */
static enum shadow_result fault_user_on_kernel_half(struct vcpu *v, uint64_t address,
						    uint32_t access, uint32_t *error)
{
	struct walk walk;
	uint32_t result = walk_guest(v->domain, v->domain->shadow.kernel_half.guest_root, address,
				     access, &walk);

	*error = result & WALK_FAULT ? result & ~WALK_FAULT : access;
	return SHADOW_GUEST_FAULT;
}

static enum shadow_result guest_fault(struct vcpu *v, uint64_t address, uint32_t error)
{
	const uint32_t protection = FAULT_PRESENT | FAULT_WRITE;

	if ((error & protection) == protection && !address_is_kernel_half(address))
		shadow_drop_page(v, address);
	return SHADOW_GUEST_FAULT;
}

static __attribute__((noinline)) enum shadow_result
fault_with_walk(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error)
{
	bool kernel_half = address_is_kernel_half(address);
	unsigned attempts = 0;
	int result;

	if (!address_is_mappable(address))
		return SHADOW_GUEST_FAULT;
	if (kernel_half && (access & FAULT_USER))
		return fault_user_on_kernel_half(v, address, access, error);
	while (attempts++ < RECLAIM_ATTEMPTS) {
		result = kernel_half ? fault_kernel_half(v, address, access, error)
				     : fault_user_half(v, address, access, error);
		if (result == FILL_FAULT)
			return guest_fault(v, address, *error);
		if (result != FILL_NO_MEMORY)
			return SHADOW_FILLED;
		shadow_reclaim(v);
	}
	return SHADOW_FILLED; /* other vCPUs took what was freed: the guest comes again */
}

enum shadow_result shadow_fault(struct vcpu *v, uint64_t address, uint32_t access, uint32_t *error)
{
	int result = shadow_quick_user(v, address, access);

	*error = access;
	if (result == QUICK_UNKNOWN)
		return fault_with_walk(v, address, access, error);
	if (result == QUICK_DENIED) {
		*error |= FAULT_PRESENT;
		return guest_fault(v, address, *error);
	}
	return result == FILL_FAULT ? SHADOW_GUEST_FAULT : SHADOW_FILLED;
}

/*
 * Nothing is marked dirty here that the guest did not: the access is a read, whatever the fault
 * was.
 */
static void fill_for_user(struct vcpu *v, uint64_t address)
{
	uint32_t error;

	if (address_is_kernel_half(address) || !address_is_mappable(address))
		return;
	if (shadow_quick_user(v, address, FAULT_USER) != QUICK_UNKNOWN ||
	    fault_user_half(v, address, FAULT_USER, &error) == FILL_OK)
		v->counters.prefills++;
}

/*
 * What user mode will use at once: what its kernel says, where its last fault was, and its stack when
 * all is new to it.
 */
void shadow_before_user(struct vcpu *v)
{
	if (__atomic_load_n(&v->page->prefill, __ATOMIC_RELAXED))
		shadow_prefill_asked(v);
	if (!(__atomic_load_n(&v->work, __ATOMIC_RELAXED) & VCPU_WORK_FILL))
		return;
	vcpu_clear_work(v, VCPU_WORK_FILL);
	if (v->root->fresh)
		fill_for_user(v, arch_vcpu_stack(v));
	fill_for_user(v, v->fault_address);
}

/* --- life --- */

int shadow_create(struct domain *d, uint64_t pool_frames)
{
	struct shadow *s = &d->shadow;
	uint64_t reserve = 2ULL * d->vcpu_count + 2;
	uint64_t minimum = SHADOW_POOL_MINIMUM + 2 * reserve;
	uint64_t *master;

	s->kernel_half.domain = d;
	s->kernel_half.guest_root = FRAME_NONE;
	shadow_quick_forget(&s->kernel_half);
	s->kernel_generation = 1;
	memset(s->hash, 0xff, sizeof(s->hash));
	for (unsigned i = 0; i < SHADOW_ROOTS; i++)
		s->roots[i].gfn = FRAME_NONE;
	if (shadow_pool_create(d, pool_frames > minimum ? pool_frames : minimum))
		return -ENOMEM;
	s->pool.reserve = reserve;
	master = shadow_pool_alloc(d, 0);
	s->kernel_table = shadow_table_mfn(master);
	s->kernel_half.table = master;
	return 0;
}

/* The first step unlinks everything; the frames then come back a few at a time. */
bool shadow_teardown(struct domain *d, uint64_t budget)
{
	struct list_node dropped = LIST_INIT(dropped);
	struct shadow *s = &d->shadow;

	if (s->kernel_table) {
		shadow_flush_all(d);
		for (unsigned i = 0; i < SHADOW_ROOTS; i++)
			if (s->roots[i].gfn != FRAME_NONE)
				root_evict(d, &s->roots[i]);
		shadow_pool_drop(&dropped, s->kernel_table, 0);
		shadow_pool_return(d, &dropped);
		s->kernel_table = 0;
	}
	return shadow_pool_shrink(d, budget);
}

void shadow_destroy(struct domain *d)
{
	while (!shadow_teardown(d, UINT64_MAX))
		;
}
