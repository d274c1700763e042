// SPDX-License-Identifier: BSD-2-Clause
/*
 * Definitions: a file each, NAME.json.
 *
 * Interface: definition.h. Locks: a file in their folder, held while one is changed, so that two changes do not lose
 * one. Reading needs none: a file is there whole, or not at all.
 * Odd: a file is written under another name, and given its own when it is on the disk; so after a loss of power there
 * is the old one or the new one.
 */
#include "toolstack/lib/definition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "toolstack/lib/places.h"

#define ENDING ".json"

static bool make_path(const char *name, const char *ending, char path[PATH_MAX])
{
	/* No name of a domain has more, or a slash. */
	if (strlen(name) >= RF_DOMAIN_NAME_SIZE || !*name || strchr(name, '/'))
		return false;
	return snprintf(path, PATH_MAX, "%s/%s%s", places_definitions(), name, ending) < PATH_MAX;
}

static enum status none(const char *name, struct report *report)
{
	report_fail(report, "%s: no such definition in %s", name, places_definitions());
	return STATUS_NOT_FOUND;
}

static enum status fail(const char *path, struct report *report)
{
	report_fail(report, "%s: %s", path, strerror(errno));
	return STATUS_FAILED;
}

/* --- The lock --- */

static int take_lock(struct report *report)
{
	char path[PATH_MAX];
	int file;

	snprintf(path, sizeof(path), "%s/lock", places_definitions());
	file = places_make(places_definitions()) ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600)
						 : -1;
	if (file < 0 || flock(file, LOCK_EX)) {
		fail(path, report);
		if (file >= 0)
			close(file);
		return -1;
	}
	return file;
}

/* --- Writing --- */

/* The folder's own entry, too. */
static bool sync_folder(void)
{
	int folder = open(places_definitions(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = folder >= 0 && !fsync(folder);

	if (folder >= 0)
		close(folder);
	return good;
}

static bool write_file(const char *path, const json_t *json)
{
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool good = file >= 0 && !json_dumpfd(json, file, JSON_INDENT(2)) && !fsync(file);

	if (file >= 0)
		good = !close(file) && good;
	return good;
}

/* The lock is held. */
static enum status write_locked(const struct definition *definition, struct report *report)
{
	char path[PATH_MAX], new[PATH_MAX];
	json_t *json;
	bool good;

	if (!make_path(definition->config.name, ENDING, path) ||
	    !make_path(definition->config.name, ".new", new))
		return fail(definition->config.name, report);
	json = json_pack("{s:b, s:o}", "autostart", (int)definition->autostart, "config",
			 config_to_json(&definition->config));
	good = write_file(new, json) && !rename(new, path) && sync_folder();
	json_decref(json);
	if (good)
		return STATUS_OK;
	fail(path, report);
	unlink(new);
	return STATUS_FAILED;
}

enum status definition_write(const struct definition *definition, struct report *report)
{
	int lock = take_lock(report);
	enum status status;

	if (lock < 0)
		return STATUS_FAILED;
	status = write_locked(definition, report);
	close(lock);
	return status;
}

enum status definition_remove(const char *name, struct report *report)
{
	char path[PATH_MAX];
	int lock;
	enum status status = STATUS_OK;

	if (!make_path(name, ENDING, path))
		return none(name, report);
	lock = take_lock(report);
	if (lock < 0)
		return STATUS_FAILED;
	if (unlink(path))
		status = errno == ENOENT ? none(name, report) : fail(path, report);
	else if (!sync_folder())
		status = fail(path, report);
	close(lock);
	return status;
}

/* --- Reading --- */

static bool read_json(const char *path, const json_t *json, struct definition *definition,
		      struct report *report)
{
	char *text = json_dumps(json_object_get(json, "config"), 0);
	bool good;

	if (!text)
		return report_fail(report, "%s: has no configuration", path);
	good = config_parse(path, text, strlen(text), &definition->config, report) &&
	       config_check(path, &definition->config, report);
	definition->autostart = json_is_true(json_object_get(json, "autostart"));
	free(text);
	return good;
}

enum status definition_read(const char *name, struct definition *definition, struct report *report)
{
	char path[PATH_MAX];
	json_error_t error;
	json_t *json;
	bool good;

	config_init(&definition->config);
	definition->autostart = false;
	if (!make_path(name, ENDING, path) || access(path, F_OK))
		return none(name, report);
	json = json_load_file(path, 0, &error);
	good = json ? read_json(path, json, definition, report)
		    : report_fail(report, "%s:%d: %s", path, error.line, error.text);
	json_decref(json);
	return good ? STATUS_OK : STATUS_FAILED;
}

void definition_free(struct definition *definition)
{
	config_free(&definition->config);
}

enum status definition_set_autostart(const char *name, bool autostart, struct report *report)
{
	struct definition definition;
	int lock = take_lock(report);
	enum status status;

	if (lock < 0)
		return STATUS_FAILED;
	status = definition_read(name, &definition, report);
	definition.autostart = autostart;
	if (status == STATUS_OK)
		status = write_locked(&definition, report);
	definition_free(&definition);
	close(lock);
	return status;
}

/* --- All of them --- */

static int is_definition(const struct dirent *entry)
{
	size_t length = strlen(entry->d_name);

	return length > strlen(ENDING) && !strcmp(entry->d_name + length - strlen(ENDING), ENDING);
}

json_t *definition_names(void)
{
	struct dirent **entries;
	int count = scandir(places_definitions(), &entries, is_definition, alphasort);
	json_t *names = json_array();

	for (int i = 0; i < count; i++) {
		size_t length = strlen(entries[i]->d_name) - strlen(ENDING);

		json_array_append_new(names, json_stringn(entries[i]->d_name, length));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return names;
}

json_t *definition_json(const struct definition *definition)
{
	return json_pack("{s:s, s:b, s:o}", "name", definition->config.name, "autostart",
			 (int)definition->autostart, "config", config_to_json(&definition->config));
}
