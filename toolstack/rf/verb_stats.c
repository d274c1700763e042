// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf stats`: what the hypervisor did for a domain: entries by reason, hypercalls by name, and the work in
 * them; once, or again and again with what came in between.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define SECONDS_MAX		     86400ULL
#define COUNT_MAX		     1000000000ULL

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

static const struct output_column columns[] = {
	{ "WHAT", "kind", OUTPUT_TEXT },     { "REASON", "name", OUTPUT_TEXT },
	{ "COUNT", "count", OUTPUT_NUMBER }, { "%", "percent", OUTPUT_NUMBER },
	{ NULL, NULL, OUTPUT_TEXT },
};

static const struct output_column rate_columns[] = {
	{ "WHAT", "kind", OUTPUT_TEXT },	 { "REASON", "name", OUTPUT_TEXT },
	{ "COUNT", "count", OUTPUT_NUMBER },	 { "%", "percent", OUTPUT_NUMBER },
	{ "PER SECOND", "rate", OUTPUT_NUMBER }, { NULL, NULL, OUTPUT_TEXT },
};

struct sample {
	struct rf_counters sum;
	double seconds; /* on a clock that only grows */
};

/* --- Reading --- */

/* What only grows is numbers of 64 bits up to here. */
#define SUMMED (offsetof(struct rf_counters, affinity) / sizeof(uint64_t))

static int take(struct target *target, struct sample *sample)
{
	struct rf_counters one;
	struct timespec now;
	int error = 0;

	memset(sample, 0, sizeof(*sample));
	for (uint32_t v = 0; v < target->info.vcpus && !error; v++) {
		memset(&one, 0, sizeof(one));
		error = domain_counters(&target->access, target->info.domain, v, &one);
		for (size_t i = 0; i < SUMMED; i++)
			((uint64_t *)&sample->sum)[i] += ((uint64_t *)&one)[i];
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	return error;
}

static struct sample difference(const struct sample *now, const struct sample *before)
{
	struct sample result = *now;

	for (size_t i = 0; i < SUMMED; i++)
		((uint64_t *)&result.sum)[i] -= ((const uint64_t *)&before->sum)[i];
	result.seconds -= before->seconds;
	return result;
}

/* --- Printing --- */

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
static json_t *list(const struct rf_counters *c, const double *seconds)
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

/* Without --count for ever. */
static enum status watch(const struct command *command, struct target *target, double seconds,
			 unsigned long long count)
{
	struct sample before, now, between;
	int error = take(target, &before);

	for (unsigned long long i = 0; !error && (!count || i < count); i++) {
		target_sleep(seconds);
		error = take(target, &now);
		if (error)
			break;
		between = difference(&now, &before);
		before = now;
		if (i && !command->json)
			putchar('\n');
		output_table(command, rate_columns, list(&between.sum, &between.seconds));
		if (fflush(stdout))
			return STATUS_FAILED;
	}
	return error ? target_fail(command, target, "its counters cannot be read", error)
		     : STATUS_OK;
}

static enum status stats(const struct command *command, struct target *target)
{
	const char *seconds = command_option(command, "watch");
	const char *times = command_option(command, "count");
	unsigned long long interval = 1, count = 0;
	struct sample sample;
	int error;

	if (seconds && !command_number(command, "--watch", seconds, 1, SECONDS_MAX, &interval))
		return STATUS_USAGE;
	if (times && !command_number(command, "--count", times, 1, COUNT_MAX, &count))
		return STATUS_USAGE;
	if (seconds)
		return watch(command, target, (double)interval, count);
	error = take(target, &sample);
	if (error)
		return target_fail(command, target, "its counters cannot be read", error);
	return output_table(command, columns, list(&sample.sum, NULL));
}

enum status verb_stats(struct command *command)
{
	struct target target;
	enum status status = target_open(command, &target, command->words[0]);

	if (status == STATUS_OK)
		status = stats(command, &target);
	target_close(&target);
	return status;
}
