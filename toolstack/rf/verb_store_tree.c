// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf store-ls` and `rf store-watch`: all below a node, as it is and as it changes.
 *
 * Interface: verbs.h. Locks: none.
 * Odd: a tree is printed as it is found, without a transaction, which a change of one node would have begin
 * again: a node that goes meanwhile is left out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/rf/output.h"
#include "toolstack/rf/verb_store.h"
#include "toolstack/rf/verbs.h"

#define DEPTH_MAX   1537 /* a path has no more names */
#define SECONDS_MAX 86400ULL
#define COUNT_MAX   1000000000ULL

/* --- The tree --- */

static json_t *permissions_of(struct rfstore *store, const char *path)
{
	struct rfstore_permission *list;
	json_t *texts = json_array();
	char text[8];
	size_t count;

	if (rfstore_get_permissions(store, RFSTORE_NONE, path, &list, &count))
		return texts;
	for (size_t i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%c%u", list[i].access, list[i].domain);
		json_array_append_new(texts, json_string(text));
	}
	free(list);
	return texts;
}

static void print_node(const char *path, const char *value, const json_t *permissions)
{
	size_t i;
	json_t *one;

	printf("%s = \"%s\"  (", path, value);
	json_array_foreach(permissions, i, one)
		printf("%s%s", i ? " " : "", json_string_value(one));
	printf(")\n");
}

/* The node alone; ENOENT if it went away. */
static int show_node(const struct command *command, struct rfstore *store, const char *path,
		     json_t *nodes)
{
	size_t length;
	char *value, *text;
	json_t *permissions;
	int error = rfstore_read(store, RFSTORE_NONE, path, &value, &length);

	if (error)
		return error;
	permissions = permissions_of(store, path);
	text = verb_store_text(value, length);
	if (command->json)
		json_array_append_new(nodes, json_pack("{s:s, s:s, s:O}", "path", path, "value",
						       text, "permissions", permissions));
	else
		print_node(path, text, permissions);
	json_decref(permissions);
	free(text);
	free(value);
	return 0;
}

static char *path_below(const char *path, const char *name)
{
	char *below;

	if (asprintf(&below, "%s/%s", strcmp(path, "/") ? path : "", name) < 0)
		abort();
	return below;
}

static int show_tree(const struct command *command, struct rfstore *store, const char *path,
		     json_t *nodes, unsigned depth)
{
	int error = show_node(command, store, path, nodes);
	size_t count;
	char **names;

	if (error || depth == DEPTH_MAX)
		return error;
	error = rfstore_list(store, RFSTORE_NONE, path, &names, &count);
	if (error)
		return error == ENOENT ? 0 : error;
	for (size_t i = 0; i < count && !error; i++) {
		char *below = path_below(path, names[i]);

		error = show_tree(command, store, below, nodes, depth + 1);
		error = error == ENOENT ? 0 : error;
		free(below);
	}
	free(names);
	return error;
}

enum status verb_store_ls(struct command *command)
{
	const char *path = command->count ? command->words[0] : "/";
	json_t *nodes = json_array();
	struct rfstore *store;
	enum status status = verb_store_open(command, &store);
	int error;

	if (status == STATUS_OK) {
		error = show_tree(command, store, path, nodes, 0);
		rfstore_close(store);
		if (error)
			status = verb_store_fail(command, path, error);
		else if (command->json)
			output_json(nodes);
	}
	json_decref(nodes);
	return status;
}

/* --- Watching --- */

struct watching {
	const struct command *command;
	unsigned long long left; /* lines; at first all */
};

static void print_change(void *argument, const char *path)
{
	struct watching *watching = argument;
	json_t *line;

	if (!watching->left)
		return;
	watching->left--;
	if (watching->command->json) {
		line = json_pack("{s:s}", "path", path);
		output_json(line);
		json_decref(line);
	} else {
		puts(path);
	}
	fflush(stdout);
}

static long long now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Ends with the lines, or with the time. */
static enum status print_changes(struct rfstore *store, struct watching *watching, long long end)
{
	while (watching->left) {
		long long left = end < 0 ? 1000 : end - now_ms();

		if (left <= 0)
			return STATUS_BUSY;
		rfstore_wait(store, (int)left);
		if (ferror(stdout))
			return STATUS_FAILED;
	}
	return STATUS_OK;
}

static enum status watch_all(const struct command *command, struct rfstore *store,
			     struct watching *watching, long long end)
{
	for (unsigned i = 0; i < command->count; i++) {
		struct rfstore_watch *watch;
		int error = rfstore_watch(store, command->words[i], print_change, watching, &watch);

		if (error)
			return verb_store_fail(command, command->words[i], error);
	}
	return print_changes(store, watching, end);
}

enum status verb_store_watch(struct command *command)
{
	const char *count = command_option(command, "count");
	const char *timeout = command_option(command, "timeout");
	struct watching watching = { command, ~0ULL };
	unsigned long long seconds = 0;
	struct rfstore *store;
	enum status status;

	if (count && !command_number(command, "--count", count, 1, COUNT_MAX, &watching.left))
		return STATUS_USAGE;
	if (timeout && !command_number(command, "--timeout", timeout, 1, SECONDS_MAX, &seconds))
		return STATUS_USAGE;
	status = verb_store_open(command, &store);
	if (status != STATUS_OK)
		return status;
	status = watch_all(command, store, &watching,
			   seconds ? now_ms() + (long long)seconds * 1000 : -1);
	rfstore_close(store);
	return status;
}
