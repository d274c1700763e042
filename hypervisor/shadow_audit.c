// SPDX-License-Identifier: BSD-2-Clause
/*
 * The audit of the shadows: walks every table and checks what the other files promise.
 *
 *  - every table is a frame of the domain's pool, and stands in one place only;
 *  - every leaf maps a frame that the domain owns or was granted, with no more rights than that, or
 *    device memory that it may map, with only the bits that leaf_make gives;
 *  - writable and executable bits are no wider than the guest's tables (strict: only once the guest
 * has flushed).
 *
 * Debug builds only. Nothing of the domain runs meanwhile, so no locks. Frames that have been seen
 * are marked in their order.
 */
#include "device_memory.h"
#include "grant_audit.h"
#include "log.h"
#include "memory.h"
#include "shadow_table.h"
#include "walk.h"

#define ORDER_SEEN 0x80

struct shadow_audit {
	const struct shadow_half *half;
	bool strict;
};

static bool leaf_frame_owned(const struct domain *d, uint64_t leaf, unsigned level)
{
	uint64_t mfn = (leaf & PTE_ADDRESS) >> 12;

	if (leaf & SHADOW_DEVICE)
		return device_memory_allowed(d, shadow_leaf_mfn(leaf, level),
					     pte_span(level) >> 12);
	if (level == 1)
		return frame_owned_by(mfn, d->id);
	return !(mfn & (PTE_ENTRIES - 1)) && frame_chunk_owned_by(mfn, d->id);
}

/* Or unmapping would not find it. */
static bool place_is_known(const struct domain *d, uint64_t gfn, uint64_t place)
{
	uint64_t known = *grant_map_place(grant_map_word(&d->grant_map, gfn));

	return known == place || known == SHADOW_PLACE_MANY;
}

static bool leaf_maps(const struct domain *d, uint64_t leaf, unsigned level,
		      const struct walk *walk, uint64_t gfn, uint64_t place)
{
	uint64_t device = shadow_device_bits(walk->entry, walk->level, level);
	bool write;

	if (leaf & SHADOW_GRANTED)
		return grant_lookup(d, gfn, &write) == shadow_leaf_mfn(leaf, level) &&
		       place_is_known(d, gfn, place);
	if (!(leaf & SHADOW_DEVICE))
		return memory_lookup(d, gfn) == shadow_leaf_mfn(leaf, level);
	return gfn == shadow_leaf_mfn(leaf, level) && (leaf & shadow_device_mask(level)) == device;
}

static const char *leaf_against_guest(const struct shadow_audit *audit, uint64_t leaf,
				      unsigned level, uint64_t address)
{
	const uint64_t used = PTE_PRESENT | PTE_ACCESSED;
	const struct shadow_half *half = audit->half;
	struct walk walk;
	uint64_t rights;

	if (walk_probe(half->domain, half->guest_root, address, &walk) == WALK_NONE ||
	    (walk.entry & used) != used || level > walk.level)
		return "a shadow entry outlives the guest's";
	rights = walk_rights(walk.upper, walk.entry);
	if (!leaf_maps(half->domain, leaf, level, &walk, walk_gfn(walk.entry, walk.level, address),
		       shadow_place(half, address)))
		return "a shadow entry maps another frame than the guest's";
	if ((leaf & PTE_WRITE) && (!(rights & PTE_WRITE) || !(walk.entry & PTE_DIRTY)))
		return "a shadow entry is writable and the guest's is not, or not dirty";
	if (!(leaf & PTE_NO_EXECUTE) && (rights & PTE_NO_EXECUTE))
		return "a shadow entry is executable and the guest's is not";
	if (!(leaf & PTE_NO_EXECUTE) && !half->root && (rights & PTE_USER))
		return "a shadow entry lets the kernel execute what is its users'";
	if (half->root && !(rights & PTE_USER) && !(leaf & SHADOW_KERNEL_ONLY))
		return "a shadow entry is for users and the guest's is not";
	return NULL;
}

static const char *leaf_bits(const struct shadow_half *half, uint64_t leaf, unsigned level,
			     uint64_t address)
{
	const uint64_t always = PTE_PRESENT | PTE_USER | PTE_ACCESSED;
	uint64_t may = always | PTE_ADDRESS | PTE_WRITE | PTE_DIRTY | PTE_NO_EXECUTE;

	if (half->root)
		may |= SHADOW_KERNEL_ONLY;
	if (leaf & SHADOW_DEVICE)
		may |= shadow_device_mask(level);
	if (level == 1)
		may |= SHADOW_GRANTED;
	if (level == 2)
		may |= PTE_LARGE;
	if ((leaf & always) != always || (leaf & ~may) || level > 2)
		return "a shadow entry has bits it must not have";
	if ((leaf & PTE_WRITE) && !(leaf & PTE_DIRTY))
		return "a shadow entry is writable but not dirty";
	if ((leaf & SHADOW_KERNEL_ONLY) && half->user_table[pte_index(address, 4)])
		return "a user view has an entry that is for the kernel only";
	if (half->root && address + pte_span(level) > USER_MAP_END)
		return "the last page of the user half is mapped";
	return NULL;
}

static const char *audit_leaf(const struct shadow_audit *audit, uint64_t leaf, unsigned level,
			      uint64_t address)
{
	const char *wrong = leaf_bits(audit->half, leaf, level, address);

	if (!wrong && (leaf & SHADOW_GRANTED) &&
	    !grant_audit_allows(shadow_leaf_mfn(leaf, level), leaf & PTE_WRITE))
		wrong = "a shadow entry is wider than the grants of its frame";
	if (!wrong && !(leaf & SHADOW_GRANTED) &&
	    !leaf_frame_owned(audit->half->domain, leaf, level))
		wrong = "a shadow entry maps a frame the domain does not own";
	if (!wrong && audit->strict)
		wrong = leaf_against_guest(audit, leaf, level, address);
	if (wrong)
		log_info("audit: root %#lx, address %016lx: %#lx at level %u",
			 audit->half->guest_root << 12, address, leaf, level);
	return wrong;
}

static const char *audit_frame(const struct domain *d, uint64_t mfn)
{
	struct frame *frame;

	if (mfn >= frame_limit)
		return "a shadow table is no frame of RAM";
	frame = frame_of(mfn);
	if (frame->state != FRAME_SHADOW || frame->owner != d->id)
		return "a shadow table is not of the domain's pool";
	if (frame->order & ORDER_SEEN)
		return "a shadow table stands in two places";
	frame->order |= ORDER_SEEN;
	return NULL;
}

static const char *audit_table(const struct shadow_audit *audit, const uint64_t *table,
			       unsigned level, uint64_t base, unsigned first, unsigned end);

/* An entry that points to a table, and all below it. */
static const char *audit_below(const struct shadow_audit *audit, uint64_t entry, unsigned level,
			       uint64_t address)
{
	const char *wrong;

	if ((entry & ~(PTE_ADDRESS | PTE_NO_EXECUTE)) != SHADOW_TABLE_BITS)
		return "a shadow entry has bits it must not have";
	wrong = audit_frame(audit->half->domain, (entry & PTE_ADDRESS) >> 12);
	if (wrong)
		return wrong;
	return audit_table(audit, shadow_table(entry), level - 1, address, 0, PTE_ENTRIES);
}

static const char *audit_table(const struct shadow_audit *audit, const uint64_t *table,
			       unsigned level, uint64_t base, unsigned first, unsigned end)
{
	for (unsigned i = first; i < end; i++) {
		uint64_t address = base + i * pte_span(level);
		const char *wrong;

		if (!(table[i] & PTE_PRESENT)) {
			if (table[i])
				return "a shadow entry is neither present nor zero";
			continue;
		}
		if (shadow_next(*shadow_used(table), i) != i)
			return "a shadow entry is not among those that were used";
		if (shadow_entry_is_table(table[i], level))
			wrong = audit_below(audit, table[i], level, address);
		else
			wrong = audit_leaf(audit, table[i], level, address);
		if (wrong)
			return wrong;
	}
	return NULL;
}

static const char *audit_views(const struct domain *d, const struct shadow_root *root)
{
	const uint64_t *user = arch_frame_pointer(root->user_table);
	const uint64_t *kernel = arch_frame_pointer(root->kernel_table);
	const uint64_t *master = arch_frame_pointer(d->shadow.kernel_table);

	for (unsigned i = 0; i < SLOT_USER_END; i++) {
		if (kernel[i] && !(kernel[i] & PTE_NO_EXECUTE))
			return "a kernel view executes the user half";
		if (user[i] && kernel[i] != (user[i] | PTE_NO_EXECUTE))
			return "the two views of a root differ in the user half";
	}
	for (unsigned i = SLOT_KERNEL_FIRST; i < PTE_ENTRIES; i++) {
		if (user[i])
			return "a user view has an entry in the kernel half";
		if (kernel[i] && kernel[i] != master[i])
			return "a kernel view has a stale entry in the kernel half";
	}
	return NULL;
}

static const char *audit_root(struct domain *d, struct shadow_root *root, bool strict)
{
	struct shadow_audit audit = { .strict = strict };
	const char *wrong = audit_frame(d, root->user_table);

	if (!wrong)
		wrong = audit_frame(d, root->kernel_table);
	if (!wrong)
		wrong = audit_views(d, root);
	if (wrong)
		return wrong;
	audit.half = &root->half;
	return audit_table(&audit, root->half.table, 4, 0, 0, SLOT_USER_END);
}

static const char *audit_kernel_half(struct domain *d, bool strict)
{
	struct shadow_audit audit = { .strict = strict };
	const char *wrong = audit_frame(d, d->shadow.kernel_table);

	if (wrong)
		return wrong;
	audit.half = &d->shadow.kernel_half;
	return audit_table(&audit, audit.half->table, 4, 0xffff000000000000ULL, SLOT_KERNEL_FIRST,
			   PTE_ENTRIES);
}

/* Frames on the free list must not be in use; the marks are taken off the others. */
static const char *audit_pool(struct domain *d)
{
	struct shadow_pool *pool = &d->shadow.pool;
	const char *wrong = NULL;
	struct list_node *node;
	uint64_t listed = 0;

	list_for_each(node, &pool->free) {
		const struct frame *frame = list_entry(node, struct frame, link);

		listed++;
		if (frame->state != FRAME_SHADOW || frame->owner != d->id)
			wrong = "a frame on the pool's list is not the pool's";
		if (frame->order & ORDER_SEEN)
			wrong = "a shadow table in use is on the pool's list";
	}
	if (listed != pool->available)
		wrong = "the pool's count of available frames is wrong";
	return wrong;
}

static void clear_marks(const struct domain *d)
{
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		if (frame_of(mfn)->state == FRAME_SHADOW && frame_of(mfn)->owner == d->id)
			frame_of(mfn)->order &= (uint8_t)~ORDER_SEEN;
}

const char *shadow_audit(struct domain *d, bool strict)
{
	struct shadow *s = &d->shadow;
	const char *wrong = NULL;

	/*
	 * Without it the domain is being taken apart: all tables are on the list, or below one that
	 * is.
	 */
	grant_audit_mark(d, true);
	if (s->kernel_table)
		wrong = audit_kernel_half(d, strict);
	for (unsigned i = 0; !wrong && i < SHADOW_ROOTS; i++)
		if (s->roots[i].gfn != FRAME_NONE)
			wrong = audit_root(d, &s->roots[i], strict);
	if (!wrong)
		wrong = audit_pool(d);
	grant_audit_mark(d, false);
	clear_marks(d);
	return wrong;
}
