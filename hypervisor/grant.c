// SPDX-License-Identifier: BSD-2-Clause
/*
 * Grants from the side of who gives them: the pages of entries, who may use one, and copying.
 *
 * Interface: grant.h, abi/grant.h.
 * Locks: a domain's grant.lock covers its pages, its pins and the in_use words of its entries. Two
 * domains' are never held at once. Frames are looked up under the granter's memory.lock.
 * Odd: an entry is one word, so it is read at once. Its use is noted before it is read again: either
 * that reads a revocation, or who revoked reads that it is in use.
 * A granter that ends forgets its pins, and whoever used it keeps the frames, as a holder; so no
 * domain waits for another to end. Whoever looks at a granter's memory does so in the hypercall in
 * which it found it not dying, which domain.c waits for.
 */
#include "grant.h"

#include "assert.h"
#include "domain.h"
#include "guest_access.h"
#include "index.h"
#include "string.h"
#include "vcpu.h"
#include "abi/errno.h"

#define PINS_SIZE (RF_GRANT_PAGE_ENTRIES * sizeof(struct grant_pin))

_Static_assert(DOMAIN_MAX <= 1 << (64 - RF_GRANT_DOMAIN_SHIFT), "an entry names every domain");

/* --- Entries --- */

static bool is_for(uint64_t word, const struct domain *user)
{
	return (word & RF_GRANT_VALID) && word >> RF_GRANT_DOMAIN_SHIFT == user->id;
}

static int check_word(uint64_t word, const struct domain *user, bool write)
{
	if (!is_for(word, user))
		return -ENOENT;
	return write && !(word & RF_GRANT_WRITE) ? -EPERM : 0;
}

static struct grant read_word(uint64_t word)
{
	return (struct grant){
		.gfn = (word & RF_GRANT_ADDRESS) >> FRAME_SHIFT,
		.frames = 1 + ((word >> RF_GRANT_COUNT_SHIFT) & (RF_GRANT_FRAMES - 1)),
	};
}

/* With grant.lock: the page that holds an entry, or NULL. */
static struct grant_page *page_of(struct grant_table *t, uint32_t number)
{
	uint64_t index = number / RF_GRANT_PAGE_ENTRIES;

	return index < t->page_count ? &t->pages[index_clamp(index, RF_GRANT_PAGES)] : NULL;
}

/* What the guest is told is ordered before what is read of its entry next. */
static void count_use(const struct grant_page *page, uint32_t number, uint32_t change)
{
	uint32_t i = number % RF_GRANT_PAGE_ENTRIES;

	page->pins[i].count += change;
	__atomic_store_n(&page->entries[i].in_use, page->pins[i].count, __ATOMIC_SEQ_CST);
}

static uint64_t load_word(const struct grant_page *page, uint32_t number)
{
	return __atomic_load_n(&page->entries[number % RF_GRANT_PAGE_ENTRIES].grant,
			       __ATOMIC_SEQ_CST);
}

static int pin_locked(const struct grant_page *page, const struct domain *user, uint32_t number,
		      bool write, struct grant *grant)
{
	uint64_t word = load_word(page, number);
	int error = check_word(word, user, write);

	if (error)
		return error;
	count_use(page, number, 1);
	if (load_word(page, number) == word) {
		*grant = read_word(word);
		return 0;
	}
	count_use(page, number, -1U);
	return -EAGAIN;
}

int grant_pin(struct domain *granter, const struct domain *user, uint32_t number, bool write,
	      struct grant *grant)
{
	const struct grant_page *page;
	int error = -ENOENT;

	if (granter == user)
		return -EINVAL;
	if (!domain_is_there(granter))
		return -ESRCH;
	spin_lock(&granter->grant.lock);
	page = page_of(&granter->grant, number);
	if (page)
		error = pin_locked(page, user, number, write, grant);
	spin_unlock(&granter->grant.lock);
	return error;
}

void grant_unpin(struct domain *granter, uint32_t number)
{
	const struct grant_page *page;

	spin_lock(&granter->grant.lock);
	page = page_of(&granter->grant, number);
	if (page)
		count_use(page, number, -1U);
	spin_unlock(&granter->grant.lock);
}

/* --- A domain ends --- */

/* Its users find no page any more. */
void grant_destroy(struct domain *d)
{
	struct grant_table *t = &d->grant;
	uint32_t count;

	spin_lock(&t->lock);
	count = t->page_count;
	t->page_count = 0;
	spin_unlock(&t->lock);
	for (uint32_t i = 0; i < count; i++) {
		frame_put(arch_pointer_frame(t->pages[i].entries));
		frame_free_pointer(t->pages[i].pins, PINS_SIZE);
	}
}

/* --- Hypercalls --- */

static int64_t add_page(struct domain *d, uint64_t mfn, struct grant_pin *pins)
{
	struct grant_table *t = &d->grant;
	int64_t first = -ENOSPC;

	spin_lock(&t->lock);
	if (t->page_count < RF_GRANT_PAGES) {
		t->pages[t->page_count] = (struct grant_page){
			.entries = arch_frame_pointer(mfn),
			.pins = pins,
		};
		first = t->page_count++ * RF_GRANT_PAGE_ENTRIES;
	}
	spin_unlock(&t->lock);
	return first;
}

int64_t do_grant_register(uint64_t gfn)
{
	struct domain *d = domain_current();
	uint64_t mfn = memory_hold(d, gfn);
	struct grant_pin *pins;
	int64_t first = -ENOMEM;

	if (mfn == FRAME_NONE)
		return -EINVAL;
	pins = frame_alloc_pointer(PINS_SIZE);
	if (pins)
		first = add_page(d, mfn, pins);
	if (first >= 0)
		return first;
	if (pins)
		frame_free_pointer(pins, PINS_SIZE);
	frame_put(mfn);
	return first;
}

/* --- Copying --- */

/* One end of a copy: where it is, and what to give back after it. */
struct end {
	struct domain *granter; /* NULL: the caller's own memory */
	uint32_t number;
	uint64_t mfn;
};

/* What is the caller's own stays until the hypervisor is left. */
static int find_own(struct end *end, const struct rf_grant_place *place)
{
	end->granter = NULL;
	if (place->grant)
		return -EINVAL;
	end->mfn = memory_lookup(domain_current(), place->address >> FRAME_SHIFT);
	return end->mfn == FRAME_NONE ? -ENODATA : 0;
}

static int hold_granted(struct end *end, const struct rf_grant_place *place, bool write)
{
	uint64_t index = place->address >> FRAME_SHIFT;
	struct grant grant;
	int error = grant_pin(end->granter, domain_current(), end->number, write, &grant);

	if (error)
		return error;
	end->mfn = FRAME_NONE;
	if (index < grant.frames)
		end->mfn = memory_hold_other(end->granter,
					     grant.gfn + index_clamp(index, grant.frames));
	if (end->mfn != FRAME_NONE)
		return 0;
	grant_unpin(end->granter, end->number);
	return index < grant.frames ? -ENODATA : -ERANGE;
}

static int find_end(struct end *end, const struct rf_grant_place *place, bool write)
{
	int error;

	if (place->domain == RF_DOMAIN_SELF)
		return find_own(end, place);
	end->number = place->grant;
	end->granter = domain_find(place->domain);
	if (!end->granter)
		return -ESRCH;
	error = hold_granted(end, place, write);
	if (error)
		domain_put(end->granter);
	return error;
}

static void leave_end(const struct end *end)
{
	if (!end->granter)
		return;
	frame_put(end->mfn);
	grant_unpin(end->granter, end->number);
	domain_put(end->granter);
}

static char *place_pointer(const struct end *end, const struct rf_grant_place *place)
{
	return (char *)arch_frame_pointer(end->mfn) + place->address % FRAME_SIZE;
}

static bool is_within_page(const struct rf_grant_place *place, uint32_t bytes)
{
	return bytes <= FRAME_SIZE - place->address % FRAME_SIZE;
}

static int copy(const struct rf_grant_copy *op)
{
	struct end from, to;
	int error;

	if (op->reserved || !op->bytes || !is_within_page(&op->from, op->bytes) ||
	    !is_within_page(&op->to, op->bytes))
		return -EINVAL;
	error = find_end(&from, &op->from, false);
	if (error)
		return error;
	error = find_end(&to, &op->to, true);
	if (!error) {
		memmove(place_pointer(&to, &op->to), place_pointer(&from, &op->from), op->bytes);
		leave_end(&to);
	}
	leave_end(&from);
	return error;
}

int64_t do_grant_copy(uint64_t operations, uint64_t count)
{
	struct rf_grant_copy op;
	uint64_t done;

	if (count > RF_GRANT_BATCH_MAX)
		return -E2BIG;
	for (done = 0; done < count; done++) {
		int error = copy_from_guest(&op, operations + done * sizeof(op), sizeof(op));

		if (!error)
			error = copy(&op);
		if (error)
			return done ? (int64_t)done : error;
	}
	return (int64_t)done;
}
