// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf store-read`, `store-write`, `store-list`, `store-exists`, `store-rm` and `store-chmod`: one node, or a few.
 *
 * Interface: verbs.h; verb_store.h for verb_store_tree.c. Locks: none.
 */
#include "toolstack/rf/verb_store.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/rf/output.h"
#include "toolstack/rf/verbs.h"

#define PERMISSIONS_MAX 64 /* as many as there may be words */

enum status verb_store_open(const struct command *command, struct rfstore **store)
{
	int error = rfstore_open(store, NULL);

	if (!error)
		return STATUS_OK;
	return command_fail(command, STATUS_FAILED, "there is no store: %s%s", strerror(error),
			    error == ENOENT || error == ECONNREFUSED ? "; start rfstored" : "");
}

enum status verb_store_fail(const struct command *command, const char *path, int error)
{
	enum status status = error == ENOENT   ? STATUS_NOT_FOUND
			     : error == EAGAIN ? STATUS_BUSY
			     : error == EINVAL ? STATUS_USAGE
					       : STATUS_FAILED;

	if (error == ENOENT)
		return command_fail(command, status, "%s: there is no such node", path);
	return command_fail(command, status, "%s: %s", path, strerror(error));
}

char *verb_store_text(const char *value, size_t length)
{
	char *text = malloc(4 * length + 1), *at = text;

	if (!text)
		abort();
	for (size_t i = 0; i < length; i++) {
		if (isprint((unsigned char)value[i]) && value[i] != '\\')
			*at++ = value[i];
		else
			at += sprintf(at, "\\x%02x", (unsigned char)value[i]);
	}
	*at = 0;
	return text;
}

/* --- Reading --- */

/* As JSON, an object of paths; else what each has, byte for byte, and an end of line. */
static int read_one(const struct command *command, struct rfstore *store, const char *path,
		    json_t *values)
{
	size_t length;
	char *value, *text;
	int error = rfstore_read(store, RFSTORE_NONE, path, &value, &length);

	if (error)
		return error;
	if (command->json) {
		text = verb_store_text(value, length);
		json_object_set_new(values, path, json_string(text));
		free(text);
	} else {
		fwrite(value, 1, length, stdout);
		putchar('\n');
	}
	free(value);
	return 0;
}

/* As JSON, an object of lists; else a name a line. */
static int list_one(const struct command *command, struct rfstore *store, const char *path,
		    json_t *lists)
{
	json_t *list;
	size_t count;
	char **names;
	int error = rfstore_list(store, RFSTORE_NONE, path, &names, &count);

	if (error)
		return error;
	list = json_array();
	for (size_t i = 0; i < count; i++) {
		if (command->json)
			json_array_append_new(list, json_string(names[i]));
		else
			puts(names[i]);
	}
	json_object_set_new(lists, path, list);
	free(names);
	return 0;
}

typedef int look_at(const struct command *command, struct rfstore *store, const char *path,
		    json_t *found);

static enum status look_at_each(const struct command *command, look_at *look)
{
	json_t *found = json_object();
	struct rfstore *store;
	enum status status = verb_store_open(command, &store);
	int error = 0;

	if (status != STATUS_OK) {
		json_decref(found);
		return status;
	}
	for (unsigned i = 0; i < command->count && !error; i++) {
		error = look(command, store, command->words[i], found);
		if (error)
			status = verb_store_fail(command, command->words[i], error);
	}
	if (!error && command->json)
		output_json(found);
	json_decref(found);
	rfstore_close(store);
	return status;
}

enum status verb_store_read(struct command *command)
{
	return look_at_each(command, read_one);
}

enum status verb_store_list(struct command *command)
{
	return look_at_each(command, list_one);
}

enum status verb_store_exists(struct command *command)
{
	const char *path = command->words[0];
	struct rfstore *store;
	enum status status = verb_store_open(command, &store);
	size_t length;
	char *value;
	int error;

	if (status != STATUS_OK)
		return status;
	error = rfstore_read(store, RFSTORE_NONE, path, &value, &length);
	rfstore_close(store);
	if (error)
		return verb_store_fail(command, path, error);
	free(value);
	return output_done(command);
}

/* --- Changing --- */

/* Which word it was about, when something fails. */
struct changing {
	const struct command *command;
	unsigned word;
};

static int write_all(struct rfstore *store, struct rfstore_transaction transaction, void *argument)
{
	struct changing *changing = argument;
	char **words = changing->command->words;
	int error = 0;

	for (changing->word = 0; changing->word < changing->command->count; changing->word += 2) {
		const char *value = words[changing->word + 1];

		error = rfstore_write(store, transaction, words[changing->word], value,
				      strlen(value));
		if (error)
			break;
	}
	return error;
}

static int remove_all(struct rfstore *store, struct rfstore_transaction transaction, void *argument)
{
	struct changing *changing = argument;
	int error = 0;

	for (changing->word = 0; changing->word < changing->command->count; changing->word++) {
		error = rfstore_remove(store, transaction,
				       changing->command->words[changing->word]);
		if (error)
			break;
	}
	return error;
}

static enum status change(const struct command *command, rfstore_work *work)
{
	struct changing changing = { command, 0 };
	struct rfstore *store;
	enum status status = verb_store_open(command, &store);
	int error;

	if (status != STATUS_OK)
		return status;
	error = rfstore_transact(store, work, &changing);
	rfstore_close(store);
	if (!error)
		return output_done(command);
	return verb_store_fail(
		command, command->words[changing.word < command->count ? changing.word : 0], error);
}

enum status verb_store_write(struct command *command)
{
	if (command->count % 2)
		return command_fail(command, STATUS_USAGE, "%s: its value is missing",
				    command->words[command->count - 1]);
	return change(command, write_all);
}

enum status verb_store_rm(struct command *command)
{
	return change(command, remove_all);
}

/* --- Permissions --- */

static bool read_permission(const char *word, struct rfstore_permission *permission)
{
	unsigned long domain;
	char *end;

	if (!*word || !strchr("nrwb", *word) || !isdigit((unsigned char)word[1]))
		return false;
	domain = strtoul(word + 1, &end, 10);
	if (*end || domain > UINT16_MAX)
		return false;
	*permission = (struct rfstore_permission){ (uint16_t)domain, *word };
	return true;
}

enum status verb_store_chmod(struct command *command)
{
	struct rfstore_permission list[PERMISSIONS_MAX];
	const char *path = command->words[0];
	struct rfstore *store;
	enum status status;
	int error;

	for (unsigned i = 1; i < command->count; i++)
		if (!read_permission(command->words[i], &list[i - 1]))
			return command_fail(command, STATUS_USAGE,
					    "'%s' is no permission: n, r, w or b, and a domain",
					    command->words[i]);
	status = verb_store_open(command, &store);
	if (status != STATUS_OK)
		return status;
	error = rfstore_set_permissions(store, RFSTORE_NONE, path, list, command->count - 1);
	rfstore_close(store);
	return error ? verb_store_fail(command, path, error) : output_done(command);
}
