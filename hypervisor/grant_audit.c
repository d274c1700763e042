// SPDX-License-Identifier: BSD-2-Clause
/*
 * Recounts grants: rule I6. Every mapping has its words and its frames, every word its mappings, and
 * every entry is in use as often as it is mapped.
 *
 * Interface: grant_audit.h. Locks: none; all other CPUs are held, in no hypercall.
 * Odd: counts and marks are kept in the tags of frames, which have no other use while a frame is
 * a domain's or held after that.
 */
#include "grant_audit.h"

#include "domain.h"
#include "grant.h"
#include "grant_map.h"

#define TAG_READABLE 0x200ULL
#define TAG_WRITABLE 0x400ULL
#define TAG_HOLDER   0x10000ULL
#define TABLE_WORDS  (1ULL << FRAME_ORDER_2M)

static struct domain *listed[DOMAIN_MAX];
static uint32_t listed_count;

static bool list(struct domain *d, void *context)
{
	(void)context;
	listed[listed_count++] = d;
	return listed_count == DOMAIN_MAX;
}

/* --- Entries --- */

static struct grant_pin *pin_of(const struct grant_mapping *mapping)
{
	uint32_t page = mapping->grant / RF_GRANT_PAGE_ENTRIES;

	for (uint32_t i = 0; i < listed_count; i++)
		if (listed[i]->serial == mapping->serial && page < listed[i]->grant.page_count)
			return &listed[i]->grant.pages[page].pins[mapping->grant %
								  RF_GRANT_PAGE_ENTRIES];
	return NULL;
}

static void pins_reset(struct domain *d)
{
	for (uint32_t i = 0; i < d->grant.page_count; i++)
		for (uint32_t j = 0; j < RF_GRANT_PAGE_ENTRIES; j++)
			d->grant.pages[i].pins[j].counted = 0;
}

static const char *pins_compare(const struct domain *d)
{
	for (uint32_t i = 0; i < d->grant.page_count; i++)
		for (uint32_t j = 0; j < RF_GRANT_PAGE_ENTRIES; j++)
			if (d->grant.pages[i].pins[j].count != d->grant.pages[i].pins[j].counted)
				return "I6: a grant is in use more or less often than it is mapped";
	return NULL;
}

/* --- Mappings and words --- */

static bool is_granted(const struct domain *d, uint64_t mfn, uint64_t gfn)
{
	const struct frame *f;

	if (mfn >= frame_limit || (d->control && mfn != gfn))
		return false;
	f = frame_of(mfn);
	return f->state == FRAME_LIMBO || (f->state == FRAME_DOMAIN && f->owner != d->id);
}

static const char *audit_frame(const struct domain *d, const struct grant_mapping *mapping,
			       uint64_t gfn)
{
	const uint64_t *word = grant_map_word(&d->grant_map, gfn);
	uint64_t mfn;

	if (!word || !(*word & (mapping->write ? GRANT_WORD_WRITERS : GRANT_WORD_READERS)))
		return "I6: a mapping is not where it should be";
	mfn = *word >> GRANT_WORD_MFN_SHIFT;
	if (!is_granted(d, mfn, gfn))
		return "I6: a mapping has a frame that is its own domain's, or nobody's";
	frame_of(mfn)->tag += TAG_HOLDER;
	return NULL;
}

static const char *audit_mapping(const struct domain *d, const struct grant_mapping *mapping)
{
	struct grant_pin *pin = pin_of(mapping);
	const char *wrong = NULL;

	if (mapping->state != GRANT_MAPPED)
		return "I6: a mapping is in the middle of something";
	if (pin)
		pin->counted++;
	for (uint64_t i = 0; i < mapping->count && !wrong; i++)
		wrong = audit_frame(d, mapping, mapping->gfn + i);
	return wrong;
}

/* How many mappings the words of a table count; UINT64_MAX: one counts none, and is not zero. */
static uint64_t count_table(const uint64_t *table)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < TABLE_WORDS; i++) {
		if (table[i] && !(uint32_t)table[i])
			return UINT64_MAX;
		count += (table[i] & GRANT_WORD_READERS) + ((uint32_t)table[i] >> 16);
	}
	return count;
}

static const char *audit_words(const struct domain *d, uint64_t mapped)
{
	const struct grant_map *m = &d->grant_map;

	for (uint64_t i = 0; i < m->table_slots && m->tables; i++) {
		uint64_t count = m->tables[i] ? count_table(m->tables[i]) : 0;

		if (count > mapped)
			return "I6: frames are mapped by no mapping";
		mapped -= count;
	}
	return mapped ? "I6: a mapping is counted nowhere" : NULL;
}

static const char *audit_domain(const struct domain *d)
{
	const struct grant_map *m = &d->grant_map;
	const char *wrong = NULL;
	uint64_t mapped = 0;

	/* Those below torn_down have been given up. */
	for (uint32_t i = m->torn_down; i < m->mapping_used && !wrong; i++) {
		if (m->mappings[i].state == GRANT_FREE)
			continue;
		wrong = audit_mapping(d, &m->mappings[i]);
		mapped += m->mappings[i].count;
	}
	return wrong ? wrong : audit_words(d, mapped);
}

const char *grant_audit_begin(void)
{
	const char *wrong = NULL;

	listed_count = 0;
	domain_for_each(list, NULL);
	for (uint32_t i = 0; i < listed_count; i++)
		pins_reset(listed[i]);
	for (uint32_t i = 0; i < listed_count && !wrong; i++)
		wrong = audit_domain(listed[i]);
	for (uint32_t i = 0; i < listed_count && !wrong; i++)
		wrong = pins_compare(listed[i]);
	return wrong;
}

uint32_t grant_audit_holders(uint64_t mfn)
{
	return (uint32_t)(frame_of(mfn)->tag / TAG_HOLDER);
}

static bool is_held(const struct frame *f)
{
	return f->state == FRAME_DOMAIN || f->state == FRAME_LIMBO;
}

void grant_audit_end(void)
{
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		if (is_held(frame_of(mfn)))
			frame_of(mfn)->tag %= TAG_HOLDER;
}

/* --- For the shadows --- */

static void mark_word(uint64_t word, bool set)
{
	uint64_t *tag = &frame_of(word >> GRANT_WORD_MFN_SHIFT)->tag;

	if (!set)
		*tag &= ~(TAG_READABLE | TAG_WRITABLE);
	else
		*tag |= TAG_READABLE | (word & GRANT_WORD_WRITERS ? TAG_WRITABLE : 0);
}

void grant_audit_mark(const struct domain *d, bool set)
{
	const struct grant_map *m = &d->grant_map;

	for (uint64_t i = 0; i < m->table_slots && m->tables; i++)
		for (uint64_t j = 0; j < TABLE_WORDS && m->tables[i]; j++)
			if (m->tables[i][j])
				mark_word(m->tables[i][j], set);
}

bool grant_audit_allows(uint64_t mfn, bool write)
{
	uint64_t needed = TAG_READABLE | (write ? TAG_WRITABLE : 0);

	return mfn < frame_limit && is_held(frame_of(mfn)) &&
	       (frame_of(mfn)->tag & needed) == needed;
}
