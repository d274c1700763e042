// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf stats`: what the hypervisor did for a domain: entries by reason, hypercalls by name, and the work in
 * them; once, or again and again with what came in between.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <time.h>

#include "toolstack/lib/counters.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define SECONDS_MAX 86400ULL
#define COUNT_MAX   1000000000ULL

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

static int take(struct target *target, struct sample *sample)
{
	struct timespec now;
	int error = counters_sum(&target->access, &target->info, &sample->sum);

	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->seconds = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	return error;
}

static struct sample difference(const struct sample *now, const struct sample *before)
{
	struct sample result = *now;

	counters_subtract(&result.sum, &before->sum);
	result.seconds -= before->seconds;
	return result;
}

/* --- Printing --- */

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
		output_table(command, rate_columns,
			     counters_to_json(&between.sum, &between.seconds));
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
	return output_table(command, columns, counters_to_json(&sample.sum, NULL));
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
