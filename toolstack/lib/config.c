// SPDX-License-Identifier: BSD-2-Clause
/*
 * Configurations as a whole: from a file, from assignments on a command line, and back to JSON.
 *
 * Interface: config.h. Locks: none.
 * Odd: a file is JSON if the first character that is no blank is a brace; xl.cfg has no use for one.
 */
#include "toolstack/lib/config.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEMORY_DEFAULT (64ULL << 20)

bool config_fail(struct report *report, const struct config_place *place, const char *format, ...)
{
	char text[REPORT_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (place->line)
		return report_fail(report, "%s:%u: %s: %s", place->file, place->line, place->key,
				   text);
	return report_fail(report, "%s: %s: %s", place->file, place->key, text);
}

static bool is_text(const struct config_key *key)
{
	return key->kind == KIND_NAME || key->kind == KIND_UUID || key->kind == KIND_TEXT ||
	       key->kind == KIND_FILE;
}

void config_init(struct config *config)
{
	*config = (struct config){
		.memory = MEMORY_DEFAULT,
		.vcpus = 1,
		.on_reboot = ACTION_RESTART,
	};
}

void config_free(struct config *config)
{
	for (const struct config_key *key = config_keys; key->name; key++)
		if (is_text(key))
			free(*(char **)((char *)config + key->offset));
	json_decref(config->disks);
	json_decref(config->nets);
	config_init(config);
}

/* --- Reading --- */

static bool parse_text(const char *file, const char *text, size_t size, struct config *config,
		       struct report *report)
{
	size_t blanks = strspn(text, " \t\r\n");

	/* What Windows programs begin a file with. */
	if (!strncmp(text, "\xef\xbb\xbf", 3))
		return report_fail(report, "%s:1: begins with a byte order mark", file);
	if (text[blanks] == '{' || text[blanks] == '[')
		return config_parse_json(file, text, size, config, report);
	return config_parse_xl(file, text, size, config, report);
}

bool config_parse(const char *file, const char *text, size_t size, struct config *config,
		  struct report *report)
{
	char *copy;
	bool good;

	if (size > SETTING_FILE_MAX)
		return report_fail(report, "%s: has %zu bytes, at most %u are read", file, size,
				   SETTING_FILE_MAX);
	copy = calloc(1, size + 1);
	if (!copy)
		return report_fail(report, "%s: out of memory", file);
	memcpy(copy, text, size);
	good = parse_text(file, copy, size, config, report);
	free(copy);
	return good;
}

static bool read_open(int file, const char *path, struct config *config, struct report *report)
{
	char *text = malloc(SETTING_FILE_MAX + 1);
	size_t size = 0;
	ssize_t got = 1;
	bool good = false;

	while (text && got > 0 && size <= SETTING_FILE_MAX) {
		got = read(file, text + size, SETTING_FILE_MAX + 1 - size);
		size += got > 0 ? (size_t)got : 0;
	}
	if (!text || got < 0)
		report_fail(report, "%s: %s", path, strerror(errno));
	else
		good = config_parse(path, text, size, config, report);
	free(text);
	return good;
}

bool config_read(const char *path, struct config *config, struct report *report)
{
	int file = open(path, O_RDONLY | O_CLOEXEC);
	bool good;

	if (file < 0)
		return report_fail(report, "%s: %s", path, strerror(errno));
	good = read_open(file, path, config, report);
	close(file);
	return good;
}

/* A text goes as it is; values that are no texts are understood when they are written in one. */
bool config_override(struct config *config, const char *assignment, struct report *report)
{
	const char *equals = strchr(assignment, '=');
	char name[64];
	struct config_place place = { "command line", 0, name };
	const struct config_key *key;
	json_t *value;
	bool good;

	if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(name))
		return report_fail(report, "'%s': should be KEY=VALUE", assignment);
	snprintf(name, sizeof(name), "%.*s", (int)(equals - assignment), assignment);
	key = config_find(name);
	if (!key)
		return config_fail(report, &place, "no such key (docs/config.md has them)");
	value = json_string(equals + 1);
	if (!value)
		return config_fail(report, &place, "is not UTF-8");
	good = config_set(config, key, value, &place, report);
	json_decref(value);
	return good;
}

/* --- What is there in the end --- */

/* /etc/ringfence/web.json is called web. */
static char *name_of_file(const char *file)
{
	const char *slash = strrchr(file, '/'), *start = slash ? slash + 1 : file;
	size_t length = strcspn(start, ".");
	char *name = strndup(start, length < RF_DOMAIN_NAME_SIZE ? length : 0);

	for (char *c = name; c && *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("-_", *c))
			*name = 0;
	return name;
}

static bool choose_name(const char *file, struct config *config, struct report *report)
{
	if (config->name)
		return true;
	config->name = name_of_file(file);
	if (config->name && config->name[strspn(config->name, "0123456789")])
		return true;
	return report_fail(report, "%s: name: is missing, and the file's name cannot be one", file);
}

static bool choose_uuid(struct config *config, struct report *report)
{
	uint8_t b[16];

	if (config->uuid)
		return true;
	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return report_fail(report, "no random numbers for a uuid: %s", strerror(errno));
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	if (asprintf(&config->uuid,
		     "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
		     b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
		     b[13], b[14], b[15]) < 0) {
		config->uuid = NULL;
		return report_fail(report, "out of memory");
	}
	return true;
}

/* The same whenever the guest is made again; FNV-1a spreads what is only in a few characters. */
static json_t *mac_of(const char *uuid, size_t number)
{
	uint32_t hash = 2166136261U;

	for (; *uuid; uuid++)
		hash = (hash ^ (unsigned char)*uuid) * 16777619U;
	hash = (hash ^ (uint32_t)number) * 16777619U;
	return json_sprintf("02:72:%02x:%02x:%02x:%02x", hash >> 24, hash >> 16 & 255,
			    hash >> 8 & 255, hash & 255);
}

static void choose_macs(struct config *config)
{
	json_t *net;
	size_t i;

	json_array_foreach(config->nets, i, net) {
		if (!json_object_get(net, "mac"))
			json_object_set_new(net, "mac", mac_of(config->uuid, i));
	}
}

bool config_check(const char *file, struct config *config, struct report *report)
{
	if (!choose_name(file, config, report) || !choose_uuid(config, report))
		return false;
	choose_macs(config);
	if (!config->kernel)
		return report_fail(report, "%s: kernel: is missing", file);
	if (!config->memory_max)
		config->memory_max = config->memory;
	if (config->memory_max < config->memory)
		return report_fail(report, "%s: memory_max: %lluK is less than memory, %lluK", file,
				   (unsigned long long)config->memory_max >> 10,
				   (unsigned long long)config->memory >> 10);
	return true;
}

/* --- Back to JSON --- */

static json_t *size_to_json(uint64_t bytes)
{
	if (bytes % (1 << 20))
		return json_sprintf("%lluK", (unsigned long long)bytes >> 10);
	return json_integer((json_int_t)(bytes >> 20));
}

static json_t *cpus_to_json(uint64_t mask)
{
	json_t *list = json_array();

	for (json_int_t cpu = 0; cpu < SETTING_CPUS; cpu++)
		if (mask >> cpu & 1)
			json_array_append_new(list, json_integer(cpu));
	return list;
}

static json_t *number_to_json(const struct config_key *key, uint64_t number)
{
	/* No key takes zero as a size, a list or a weight: it was not given. */
	if (!number && key->kind != KIND_CHOICE)
		return NULL;
	switch (key->kind) {
	case KIND_SIZE:
		return size_to_json(number);
	case KIND_CPU_LIST:
		return cpus_to_json(number);
	case KIND_CHOICE:
		return json_string(key->choices[number]);
	default:
		return json_integer((json_int_t)number);
	}
}

json_t *config_to_json(const struct config *config)
{
	json_t *object = json_object();

	for (const struct config_key *key = config_keys; key->name; key++) {
		const void *field = (const char *)config + key->offset;
		json_t *value;

		if (is_text(key))
			value = json_string(*(char *const *)field);
		else if (key->kind == KIND_DISKS || key->kind == KIND_NETS)
			value = json_incref(*(json_t *const *)field);
		else
			value = number_to_json(key, *(const uint64_t *)field);
		if (value)
			json_object_set_new(object, key->name, value);
	}
	return object;
}
