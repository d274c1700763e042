// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf events`: what has happened, from the daemon; once, or again and again.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <time.h>

#include "toolstack/lib/daemon.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define WAIT_S 30

static void print_event(const json_t *event)
{
	const char *name = json_string_value(json_object_get(event, "name"));
	const char *text = json_string_value(json_object_get(event, "text"));
	time_t time = (time_t)json_real_value(json_object_get(event, "time"));
	struct tm parts;
	char when[32];

	localtime_r(&time, &parts);
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &parts);
	printf("%s  %-15s", when, json_string_value(json_object_get(event, "event")));
	if (name)
		printf("  %s (%lld)", name,
		       (long long)json_integer_value(json_object_get(event, "domain")));
	printf("%s%s\n", text ? "  " : "", text ? text : "");
}

/* As JSON a line for each, so that a program can read them as they come. */
static void print(const struct command *command, const json_t *answer)
{
	json_t *event;
	size_t i;

	if (json_is_true(json_object_get(answer, "lost")))
		fprintf(stderr, "rf events: some came too fast, and are lost\n");
	json_array_foreach(json_object_get(answer, "events"), i, event) {
		if (command->json) {
			json_dumpf(event, stdout, JSON_COMPACT);
			putchar('\n');
		} else {
			print_event(event);
		}
	}
}

enum status verb_events(struct command *command)
{
	struct report report = { .warnings = 0 };
	bool follow = command_option(command, "follow");
	const char *word = command_option(command, "since");
	unsigned long long since = 0;
	enum status status;
	char path[96];
	json_t *answer;

	if (word && !command_number(command, "--since", word, 0, INT64_MAX, &since))
		return STATUS_USAGE;
	do {
		snprintf(path, sizeof(path), "/v1/events?since=%llu&wait=%d", since,
			 follow ? WAIT_S : 0);
		answer = daemon_get(path, &status, &report);
		if (!answer)
			return command_fail(command, status, "%s", report.error);
		print(command, answer);
		since = (unsigned long long)json_integer_value(json_object_get(answer, "last"));
		json_decref(answer);
	} while (follow && !fflush(stdout));
	return STATUS_OK;
}
