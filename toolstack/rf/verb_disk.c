// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf disk-attach`, `rf disk-detach`, `rf disk-list`, `rf disk-limit`, `rf disk-resize`.
 *
 * Interface: verbs.h; what networks do too is in verb_device.c. Locks: none.
 */
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/disk.h"
#include "toolstack/rf/verb_device.h"
#include "toolstack/rf/verbs.h"

/* --- Attaching --- */

/* The words after the domain: IMAGE, or KEY=VALUE of a disk. */
static json_t *disk_of_words(const struct command *command, struct report *report)
{
	const struct config_place place = { "command line", 0, "disk" };
	json_t *object = json_object(), *list = NULL;

	for (unsigned i = 1; i < command->count; i++) {
		char *word = command->words[i], *equals = strchr(word, '=');
		/* A path and an address of a server may have such a sign, too. */
		bool key = equals && word[0] != '/' && !memchr(word, ':', (size_t)(equals - word));

		if (key)
			*equals = 0;
		json_object_set_new(object, key ? word : "image",
				    json_string(key ? equals + 1 : word));
	}
	config_disks_set(&list, object, &place, report);
	json_decref(object);
	return list;
}

static void make_absolute(json_t *disk)
{
	char *path = realpath(json_string_value(json_object_get(disk, "image")), NULL);

	if (path)
		json_object_set_new(disk, "image", json_string(path));
	free(path);
}

static enum status attach(struct command *command, uint32_t domain, unsigned *id,
			  struct report *report)
{
	json_t *list = disk_of_words(command, report);
	bool good;

	if (!list)
		return STATUS_USAGE;
	make_absolute(json_array_get(list, 0));
	good = device_attach(&disk_class, domain, json_array_get(list, 0), id, report);
	json_decref(list);
	return good ? STATUS_OK : STATUS_FAILED;
}

/* --- As all devices --- */

static const struct output_column columns[] = {
	{ "DOMAIN", "domain", OUTPUT_NUMBER }, { "ID", "id", OUTPUT_NUMBER },
	{ "NAME", "name", OUTPUT_TEXT },       { "STATE", "state", OUTPUT_TEXT },
	{ "MODE", "mode", OUTPUT_TEXT },       { "MIB", "size", OUTPUT_MIB },
	{ "READS", "reads", OUTPUT_NUMBER },   { "WRITES", "writes", OUTPUT_NUMBER },
	{ "ERRORS", "errors", OUTPUT_NUMBER }, { "PAUSED", "paused", OUTPUT_TEXT },
	{ "IMAGE", "image", OUTPUT_TEXT },     { NULL, NULL, OUTPUT_TEXT },
};

static const char *const counts[] = { "reads", "writes", "errors", NULL };

static const struct verb_device disk = {
	.class = &disk_class,
	.title = "Disk",
	.columns = columns,
	.counts = counts,
	.attach = attach,
};

enum status verb_disk_attach(struct command *command)
{
	return verb_device_attach(command, &disk);
}

enum status verb_disk_detach(struct command *command)
{
	return verb_device_detach(command, &disk);
}

enum status verb_disk_list(struct command *command)
{
	return verb_device_list(command, &disk);
}

/* --- Changing --- */

static const struct verb_device_limit limits[] = { { "bytes", "limit-bytes" },
						   { "operations", "limit-operations" },
						   { "burst-bytes", "burst-bytes" },
						   { "burst-operations", "burst-operations" },
						   { NULL, NULL } };

enum status verb_disk_limit(struct command *command)
{
	return verb_device_limit(command, &disk, limits);
}

static enum status resize(struct command *command, const struct verb_device *device,
			  uint32_t domain, struct report *report)
{
	unsigned id;

	if (!device_find(device->class, domain, command->words[1], &id, report))
		return STATUS_NOT_FOUND;
	if (!device_change(device->class, domain, id, "resize", "1", report))
		return STATUS_FAILED;
	return output_done(command);
}

enum status verb_disk_resize(struct command *command)
{
	return verb_device_do(command, &disk, resize);
}
