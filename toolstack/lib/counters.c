// SPDX-License-Identifier: BSD-2-Clause
/*
 * A domain's counters: the sum over its virtual processors, with their names.
 *
 * Interface: counters.h. Locks: none.
 */
#include "toolstack/lib/counters.h"

#include <stddef.h>
#include <string.h>

#include "toolstack/lib/domain.h"

#define ENTRY_REASON(constant, name) [RF_ENTRY_##constant] = #name,
static const char *const entry_names[] = {
#include "abi/entry_reasons.def"
};
#undef ENTRY_REASON

#define HYPERCALL(number, name, arguments, who) [number] = #name,
static const char *const hypercall_names[RF_HYPERCALL_SLOTS] = {
#include "abi/hypercalls.def"
};
#undef HYPERCALL

#define COUNTER(name)                                                                              \
	{                                                                                          \
#name, offsetof(struct rf_counters, name)                                          \
	}
static const struct {
	const char *name;
	size_t offset;
} work[] = {
	COUNTER(fills),	   COUNTER(window_fills), COUNTER(prefills),	COUNTER(flushes),
	COUNTER(resynced), COUNTER(shootdowns),	  COUNTER(faults),	COUNTER(exceptions),
	COUNTER(vectors),  COUNTER(root_loads),	  COUNTER(root_misses), COUNTER(evictions),
	COUNTER(switches),
};

/* What only grows is numbers of 64 bits up to here. */
#define SUMMED (offsetof(struct rf_counters, affinity) / sizeof(uint64_t))

int counters_sum(struct access *access, const struct rf_domain_info *info, struct rf_counters *sum)
{
	struct rf_counters one;
	int error = 0;

	memset(sum, 0, sizeof(*sum));
	for (uint32_t v = 0; v < info->vcpus && !error; v++) {
		memset(&one, 0, sizeof(one));
		error = domain_counters(access, info->domain, v, &one);
		for (size_t i = 0; i < SUMMED; i++)
			((uint64_t *)sum)[i] += ((uint64_t *)&one)[i];
	}
	return error;
}

void counters_subtract(struct rf_counters *from, const struct rf_counters *other)
{
	for (size_t i = 0; i < SUMMED; i++)
		((uint64_t *)from)[i] -= ((const uint64_t *)other)[i];
}

/* --- With names --- */

void counters_each(const struct rf_counters *c, counters_visit *visit, void *context)
{
	for (size_t i = 0; i < RF_ENTRY_REASONS; i++)
		visit(context, "entry", entry_names[i], c->entries[i]);
	for (size_t i = 0; i < RF_HYPERCALL_SLOTS; i++)
		visit(context, "hypercall", hypercall_names[i] ? hypercall_names[i] : "unknown",
		      c->hypercalls[i]);
	for (size_t i = 0; i < sizeof(work) / sizeof(work[0]); i++)
		visit(context, "work", work[i].name,
		      *(const uint64_t *)((const char *)c + work[i].offset));
}

static void add(json_t *rows, const char *kind, const char *name, uint64_t count, uint64_t total,
		const double *seconds)
{
	json_t *row;

	if (!count)
		return;
	row = json_pack("{s:s, s:s, s:I}", "kind", kind, "name", name, "count", (json_int_t)count);
	if (total)
		json_object_set_new(row, "percent",
				    json_real(100.0 * (double)count / (double)total));
	if (seconds && *seconds > 0)
		json_object_set_new(row, "rate", json_real((double)count / *seconds));
	json_array_append_new(rows, row);
}

static uint64_t total_of(const uint64_t *numbers, size_t count)
{
	uint64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += numbers[i];
	return total;
}

/* `seconds`: NULL for all that was ever counted. */
json_t *counters_to_json(const struct rf_counters *c, const double *seconds)
{
	uint64_t entries = total_of(c->entries, RF_ENTRY_REASONS);
	uint64_t calls = total_of(c->hypercalls, RF_HYPERCALL_SLOTS);
	json_t *rows = json_array();

	for (size_t i = 0; i < RF_ENTRY_REASONS; i++)
		add(rows, "entry", entry_names[i], c->entries[i], entries, seconds);
	add(rows, "entry", "all", entries, entries, seconds);
	for (size_t i = 0; i < RF_HYPERCALL_SLOTS; i++)
		add(rows, "hypercall", hypercall_names[i] ? hypercall_names[i] : "unknown",
		    c->hypercalls[i], calls, seconds);
	for (size_t i = 0; i < sizeof(work) / sizeof(work[0]); i++)
		add(rows, "work", work[i].name,
		    *(const uint64_t *)((const char *)c + work[i].offset), 0, seconds);
	return rows;
}
