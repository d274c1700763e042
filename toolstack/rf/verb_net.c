// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf net-attach`, `rf net-detach`, `rf net-list`, `rf net-limit`.
 *
 * Interface: verbs.h; what disks do too is in verb_device.c. Locks: none.
 */
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/net.h"
#include "toolstack/rf/verb_device.h"
#include "toolstack/rf/verbs.h"

/* --- Attaching --- */

/* The words after the domain: KEY=VALUE. Keys may be written as in the store, with dashes. */
static json_t *net_of_words(const struct command *command, struct report *report)
{
	const struct config_place place = { "command line", 0, "net" };
	json_t *object = json_object(), *list = NULL;

	for (unsigned i = 1; i < command->count; i++) {
		char *word = command->words[i], *equals = strchr(word, '=');

		if (!equals) {
			report_fail(report, "%s: should be KEY=VALUE", word);
			json_decref(object);
			return NULL;
		}
		*equals = 0;
		for (char *dash = word; (dash = strchr(dash, '-'));)
			*dash = '_';
		json_object_set_new(object, word, json_string(equals + 1));
	}
	config_nets_set(&list, object, &place, report);
	json_decref(object);
	return list;
}

static enum status attach(struct command *command, uint32_t domain, unsigned *id,
			  struct report *report)
{
	json_t *list = net_of_words(command, report);
	bool good;

	if (!list)
		return STATUS_USAGE;
	good = net_attach(domain, json_array_get(list, 0), id, report);
	json_decref(list);
	return good ? STATUS_OK : STATUS_FAILED;
}

/* --- As all devices --- */

static const struct output_column columns[] = {
	{ "DOMAIN", "domain", OUTPUT_NUMBER },
	{ "ID", "id", OUTPUT_NUMBER },
	{ "STATE", "state", OUTPUT_TEXT },
	{ "MAC", "mac", OUTPUT_TEXT },
	{ "MTU", "mtu", OUTPUT_NUMBER },
	{ "LINK", "link", OUTPUT_NUMBER },
	{ "MODE", "mode", OUTPUT_TEXT },
	{ "IP", "ip", OUTPUT_TEXT },
	{ "TAP", "tap", OUTPUT_TEXT },
	{ "BRIDGE", "bridge", OUTPUT_TEXT },
	{ "SENT", "sent", OUTPUT_NUMBER },
	{ "RECEIVED", "received", OUTPUT_NUMBER },
	{ "DROPPED", "no-buffer", OUTPUT_NUMBER },
	{ NULL, NULL, OUTPUT_TEXT },
};

static const char *const counts[] = { "sent", "received", "no-buffer", NULL };

static const struct verb_device net = {
	.class = &net_class,
	.title = "Network",
	.columns = columns,
	.counts = counts,
	.attach = attach,
};

enum status verb_net_attach(struct command *command)
{
	return verb_device_attach(command, &net);
}

enum status verb_net_detach(struct command *command)
{
	return verb_device_detach(command, &net);
}

enum status verb_net_list(struct command *command)
{
	return verb_device_list(command, &net);
}

static const struct verb_device_limit limits[] = { { "bytes", "limit-bytes" },
						   { "packets", "limit-packets" },
						   { "burst-bytes", "burst-bytes" },
						   { "burst-packets", "burst-packets" },
						   { NULL, NULL } };

enum status verb_net_limit(struct command *command)
{
	return verb_device_limit(command, &net, limits);
}
