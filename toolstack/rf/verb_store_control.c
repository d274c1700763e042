// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf store-control`: commands to the store itself.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/rf/output.h"
#include "toolstack/rf/verb_store.h"
#include "toolstack/rf/verbs.h"

static void print(const struct command *command, const char *text)
{
	json_t *value = json_pack("{s:s}", "answer", text);

	if (command->json)
		output_json(value);
	else
		puts(text);
	json_decref(value);
}

enum status verb_store_control(struct command *command)
{
	const char *parameter = command->count > 1 ? command->words[1] : NULL;
	struct rfstore *store;
	enum status status = verb_store_open(command, &store);
	char *text;
	int error;

	if (status != STATUS_OK)
		return status;
	error = rfstore_control(store, command->words[0], parameter, &text);
	if (error) {
		status = command_fail(command, STATUS_FAILED, "%s: %s", command->words[0],
				      strerror(error));
	} else {
		print(command, text);
		free(text);
	}
	rfstore_close(store);
	return status;
}
