// SPDX-License-Identifier: BSD-2-Clause
/* Reading and writing a device's keys. What a guest wrote is any text until it has been looked at here. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/common/keys.h"

#define DIGITS 20 /* of the largest number, and no more */

static void keys_path(char *path, const char *folder, const char *name)
{
	snprintf(path, 2 * KEYS_PATH, "%s/%s", folder, name);
}

char *keys_text(struct rfstore *store, const char *folder, const char *name)
{
	char path[2 * KEYS_PATH];
	char *value;
	size_t length;

	keys_path(path, folder, name);
	if (rfstore_read(store, RFSTORE_NONE, path, &value, &length))
		return NULL;
	if (strlen(value) == length)
		return value;
	free(value);
	return NULL;
}

static bool keys_parse(const char *text, uint64_t *value)
{
	unsigned __int128 sum = 0;
	size_t length = strlen(text);

	if (!length || length > DIGITS)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		sum = sum * 10 + (unsigned)(text[i] - '0');
	}
	*value = (uint64_t)sum;
	return sum <= UINT64_MAX;
}

bool keys_number(struct rfstore *store, const char *folder, const char *name, uint64_t least,
		 uint64_t most, uint64_t *value)
{
	char *text = keys_text(store, folder, name);
	bool good = text && keys_parse(text, value) && *value >= least && *value <= most;

	free(text);
	return good;
}

struct keys_writing {
	const char *folder;
	const char *name;
	const char *text;
};

static int keys_write_within(struct rfstore *store, struct rfstore_transaction transaction,
			     void *argument)
{
	const struct keys_writing *w = argument;
	char path[2 * KEYS_PATH], *value;
	size_t length;
	int error = rfstore_read(store, transaction, w->folder, &value, &length);

	if (error)
		return error;
	free(value);
	keys_path(path, w->folder, w->name);
	return rfstore_write(store, transaction, path, w->text, strlen(w->text));
}

/* A write alone would make the folder again that the toolstack has just taken away. */
bool keys_write_text(struct rfstore *store, const char *folder, const char *name, const char *text)
{
	struct keys_writing writing = { folder, name, text };

	return rfstore_transact(store, keys_write_within, &writing) == 0;
}

bool keys_write(struct rfstore *store, const char *folder, const char *name, uint64_t value)
{
	char text[DIGITS + 1];

	snprintf(text, sizeof(text), "%lu", value);
	return keys_write_text(store, folder, name, text);
}

void keys_remove(struct rfstore *store, const char *folder, const char *name)
{
	char path[2 * KEYS_PATH];

	keys_path(path, folder, name);
	rfstore_remove(store, RFSTORE_NONE, path);
}

bool keys_there(struct rfstore *store, const char *path)
{
	char *value;
	size_t length;

	if (rfstore_read(store, RFSTORE_NONE, path, &value, &length))
		return false;
	free(value);
	return true;
}

enum keys_state keys_state(struct rfstore *store, const char *folder)
{
	uint64_t state;

	if (!keys_number(store, folder, "state", STATE_INITIALISING, STATE_CLOSED, &state))
		return STATE_NONE;
	return (enum keys_state)state;
}
