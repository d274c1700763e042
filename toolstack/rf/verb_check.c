// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf check`: what is missing on this node, or what is wrong with configurations and their images.
 *
 * Interface: verbs.h. Locks: none.
 * Odd: every check is made, whatever the ones before it said, so that all that is missing is seen at
 * once.
 */
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/control_device.h"
#include "abi/version.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/daemon.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/image.h"
#include "toolstack/lib/network_steps.h"
#include "toolstack/lib/places.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/verbs.h"

#define FRAMES_LEAST (64U << 8) /* 64 MiB: a small Linux */

struct checks {
	json_t *list;
	unsigned missing;
};

static void add(struct checks *checks, const char *name, bool good, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void add(struct checks *checks, const char *name, bool good, const char *format, ...)
{
	char text[REPORT_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	checks->missing += !good;
	json_array_append_new(checks->list, json_pack("{s:s, s:b, s:s}", "check", name, "ok",
						      (int)good, "text", text));
}

/* --- Configurations --- */

static bool read_all(const char *path, struct config *config, struct image *image,
		     struct report *report)
{
	return config_read(path, config, report) && config_check(path, config, report) &&
	       image_open(image, config, report);
}

static void check_config(const struct command *command, struct checks *checks, const char *path)
{
	struct report report = { .warnings = 0 };
	struct image image = { .kernel.data = NULL };
	struct config config;

	config_init(&config);
	if (read_all(path, &config, &image, &report))
		add(checks, "configuration", true, "%s: %s, %lluK of memory, %llu vCPUs", path,
		    config.name, (unsigned long long)config.memory >> 10,
		    (unsigned long long)config.vcpus);
	else
		add(checks, "configuration", false, "%s", report.error);
	command_warn(command, &report);
	image_close(&image);
	config_free(&config);
}

static void check_word(const struct command *command, struct checks *checks, const char *word)
{
	char path[REPORT_LINE];

	if (places_find_config(word, path, sizeof(path)))
		check_config(command, checks, path);
	else
		add(checks, "configuration", false, "%s: no such configuration in %s", word,
		    places_config());
}

static int is_config(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && (!strcmp(dot, ".json") || !strcmp(dot, ".cfg"));
}

static void check_configs(const struct command *command, struct checks *checks)
{
	struct dirent **entries;
	int count = scandir(places_config(), &entries, is_config, alphasort);
	char path[REPORT_LINE];

	if (count < 0) {
		add(checks, "configurations", false, "%s: %s", places_config(), strerror(errno));
		return;
	}
	add(checks, "configurations", true, "%d in %s", count, places_config());
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%s/%s", places_config(), entries[i]->d_name);
		check_config(command, checks, path);
		free(entries[i]);
	}
	free(entries);
}

/* --- The node --- */

static void check_version(struct checks *checks, struct access *access)
{
	struct rf_domain_info info;
	int error = domain_get(access, RF_DOMAIN_SELF, &info);

	if (!error)
		add(checks, "ABI", true, "version %u", RF_ABI_VERSION);
	else if (error == -ENOTTY)
		add(checks, "ABI", false,
		    "the Linux of this domain was built with another ABI than this rf, version %u",
		    RF_ABI_VERSION);
	else
		add(checks, "ABI", false, "the hypervisor does not answer: %s", strerror(-error));
}

static void check_memory(struct checks *checks, struct access *access)
{
	struct rf_domain_info info;

	if (!domain_get(access, 0, &info))
		add(checks, "memory", info.machine_frames_free >= FRAMES_LEAST,
		    "%lluM are free for guests", (unsigned long long)info.machine_frames_free >> 8);
}

static void check_device(struct checks *checks)
{
	struct report report = { .warnings = 0 };
	struct access access;

	if (!access_open(&access, &report)) {
		add(checks, "hypercalls", false, "%s", report.error);
		return;
	}
	add(checks, "hypercalls", true, "%s", RF_CONTROL_DEVICE);
	check_version(checks, &access);
	check_memory(checks, &access);
	access_close(&access);
}

/* The folder is made when it is needed. */
static void check_state(struct checks *checks)
{
	char parent[REPORT_LINE];
	char *slash;

	snprintf(parent, sizeof(parent), "%s", places_state());
	slash = strrchr(parent, '/');
	if (access(parent, F_OK) && slash && slash > parent)
		*slash = 0;
	if (!access(parent, W_OK))
		add(checks, "state", true, "%s", places_state());
	else
		add(checks, "state", false, "%s: %s", parent, strerror(errno));
}

/* No fault: `rf` does without. */
static void check_daemon(struct checks *checks)
{
	struct report report = { .warnings = 0 };
	enum status status;
	json_t *answer;

	if (!daemon_is_there()) {
		add(checks, "daemon", true,
		    "rfd is not there: nobody sees to guests that end, but `rf create --wait`");
		return;
	}
	answer = daemon_get("/v1/version", &status, &report);
	if (answer)
		add(checks, "daemon", true, "rfd %s answers",
		    json_string_value(json_object_get(answer, "rf")));
	else
		add(checks, "daemon", false, "%s", report.error);
	json_decref(answer);
}

/* No fault: guests may do without. */
static void check_networks(struct checks *checks)
{
	static const char *const programs[][2] = { { "ip", "guests have no networks" },
						   { "nft", "none are behind NAT" },
						   { "dnsmasq", "none are behind NAT" } };
	bool all = true;

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		if (network_steps_find(programs[i][0]))
			continue;
		add(checks, "networks", true, "%s is not there: %s", programs[i][0],
		    programs[i][1]);
		all = false;
	}
	if (all)
		add(checks, "networks", true, "in a bridge, behind NAT, routed");
}

static void check_hypervisor(struct checks *checks)
{
	if (!access("/sys/kernel/ringfence", F_OK))
		add(checks, "hypervisor", true, "Ringfence");
	else
		add(checks, "hypervisor", false,
		    "/sys/kernel/ringfence is not there: this Linux does not run on Ringfence");
}

/* --- All of it --- */

static const char *label(const json_t *check)
{
	if (json_is_true(json_object_get(check, "ok")))
		return "ok";
	return strcmp(json_string_value(json_object_get(check, "check")), "configuration")
		       ? "MISSING"
		       : "WRONG";
}

static void print(const struct command *command, const struct checks *checks)
{
	json_t *check;
	size_t i;

	if (command->json) {
		output_json(checks->list);
		return;
	}
	json_array_foreach(checks->list, i, check)
		printf("%-7s  %-14s  %s\n", label(check),
		       json_string_value(json_object_get(check, "check")),
		       json_string_value(json_object_get(check, "text")));
}

enum status verb_check(struct command *command)
{
	struct checks checks = { .list = json_array() };

	for (unsigned i = 0; i < command->count; i++)
		check_word(command, &checks, command->words[i]);
	if (command->count == 0) {
		check_hypervisor(&checks);
		check_device(&checks);
		check_state(&checks);
		check_daemon(&checks);
		check_networks(&checks);
		check_configs(command, &checks);
	}
	print(command, &checks);
	json_decref(checks.list);
	return checks.missing ? STATUS_FAILED : STATUS_OK;
}
