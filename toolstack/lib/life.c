// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests from their beginning to their end.
 *
 * Interface: life.h.
 * Locks: a file in the folder of state, held while a domain is made, or removed and made again, so that
 * several programs do not do it at once. Nothing waits for a guest with it held.
 * Odd: what is kept of a guest is named by its number, and says its serial number: what is left of another
 * one that had that number is not taken for its own.
 */
#include "toolstack/lib/life.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "toolstack/lib/builder.h"
#include "toolstack/lib/disk.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/image.h"
#include "toolstack/lib/introduce.h"
#include "toolstack/lib/net.h"
#include "toolstack/lib/places.h"

#define DESTROY_MS 30000

/* --- The lock --- */

struct lock {
	int file;
	sigset_t signals; /* that were blocked before */
};

/* Who types Ctrl-C in between leaves nothing half made. */
static void block_signals(struct lock *lock)
{
	sigset_t wanted;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigaddset(&wanted, SIGHUP);
	sigprocmask(SIG_BLOCK, &wanted, &lock->signals);
}

static bool take_lock(struct lock *lock, struct report *report)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/lock", places_state());
	lock->file = -1;
	if (places_make_state())
		lock->file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (lock->file < 0)
		return report_fail(report, "%s: %s", path, strerror(errno));
	if (flock(lock->file, LOCK_EX)) {
		report_fail(report, "%s: %s", path, strerror(errno));
		close(lock->file);
		return false;
	}
	block_signals(lock);
	return true;
}

static void give_lock(const struct lock *lock)
{
	close(lock->file);
	sigprocmask(SIG_SETMASK, &lock->signals, NULL);
}

/* --- What is kept --- */

static void state_path(const struct rf_domain_info *info, char *path)
{
	snprintf(path, PATH_MAX, "%s/%u.json", places_state(), info->domain);
}

static bool keep(const struct rf_domain_info *info, const struct config *config,
		 struct report *report)
{
	char path[PATH_MAX], new[PATH_MAX + 8];
	json_t *state = json_pack("{s:I, s:o}", "serial", (json_int_t)info->serial, "config",
				  config_to_json(config));
	bool good;

	state_path(info, path);
	snprintf(new, sizeof(new), "%s.new", path);
	good = !json_dump_file(state, new, JSON_INDENT(2)) && !rename(new, path);
	json_decref(state);
	if (good)
		return true;
	report_fail(report, "%s: %s", path, strerror(errno));
	/* Half of it, if the folder is full. */
	unlink(new);
	return false;
}

static void forget(const struct rf_domain_info *info)
{
	char path[PATH_MAX];

	state_path(info, path);
	unlink(path);
}

static bool read_kept(const char *path, const json_t *state, const struct rf_domain_info *info,
		      struct config *config, struct report *report)
{
	json_int_t serial = json_integer_value(json_object_get(state, "serial"));
	char *text;
	bool good;

	if (!state || (uint64_t)serial != info->serial)
		return report_fail(report, "%s: its configuration is not known", info->name);
	text = json_dumps(json_object_get(state, "config"), 0);
	good = text ? config_parse(path, text, strlen(text), config, report)
		    : report_fail(report, "%s: has no configuration", path);
	free(text);
	return good && config_check(path, config, report);
}

bool life_recall(const struct rf_domain_info *info, struct config *config, struct report *report)
{
	char path[PATH_MAX];
	json_t *state;
	bool good;

	config_init(config);
	state_path(info, path);
	state = json_load_file(path, 0, NULL);
	good = read_kept(path, state, info, config, report);
	json_decref(state);
	return good;
}

bool life_rename(const struct rf_domain_info *info, const char *name, struct report *report)
{
	struct report ignored = { .warnings = 0 };
	struct config config;
	bool good = true;

	introduce_rename(info->domain, name);
	if (life_recall(info, &config, &ignored)) {
		free(config.name);
		config.name = strdup(name);
		good = keep(info, &config, report);
	}
	config_free(&config);
	return good;
}

/* --- What is left --- */

struct remains {
	uint32_t domain;
	json_t *state;
};

/* The name of a file of what is kept; false: it is none, or of a domain that is there. */
static bool is_left(struct access *access, const char *name, struct remains *remains)
{
	struct rf_domain_info info;
	char path[PATH_MAX];
	int error, end = 0;

	if (sscanf(name, "%" SCNu32 ".json%n", &remains->domain, &end) != 1 || !end || name[end])
		return false;
	snprintf(path, sizeof(path), "%s/%s", places_state(), name);
	remains->state = json_load_file(path, 0, NULL);
	error = domain_get(access, remains->domain, &info);
	if (error == -ESRCH || (!error && remains->state &&
				(uint64_t)json_integer_value(
					json_object_get(remains->state, "serial")) != info.serial))
		return true;
	json_decref(remains->state);
	return false;
}

static void take_away(struct access *access, const struct remains *remains)
{
	struct rf_domain_info info;

	/* Or they are those of another that has its number. */
	if (domain_get(access, remains->domain, &info)) {
		device_forget_all(&disk_class, remains->domain);
		device_forget_all(&net_class, remains->domain);
	}
	info.domain = remains->domain;
	forget(&info);
}

/* With the lock, or only to see whether there is something. */
static unsigned sweep(struct access *access, bool locked)
{
	DIR *folder = opendir(places_state());
	struct remains remains;
	struct dirent *entry;
	unsigned count = 0;

	while (folder && (entry = readdir(folder))) {
		if (!is_left(access, entry->d_name, &remains))
			continue;
		if (locked)
			take_away(access, &remains);
		json_decref(remains.state);
		count++;
	}
	if (folder)
		closedir(folder);
	return count;
}

unsigned life_sweep(struct access *access)
{
	struct report ignored = { .warnings = 0 };
	struct lock lock;
	unsigned count;

	if (!sweep(access, false) || !take_lock(&lock, &ignored))
		return 0;
	count = sweep(access, true);
	give_lock(&lock);
	return count;
}

/* --- Beginning --- */

static void make_disks_absolute(json_t *disks)
{
	json_t *disk;
	size_t i;

	json_array_foreach(disks, i, disk) {
		const char *image = json_string_value(json_object_get(disk, "image"));
		char *whole = realpath(image, NULL);

		if (whole)
			json_object_set_new(disk, "image", json_string(whole));
		free(whole);
	}
}

static void make_absolute(char **path)
{
	char *whole = *path ? realpath(*path, NULL) : NULL;

	if (!whole)
		return;
	free(*path);
	*path = whole;
}

void life_make_absolute(struct config *config)
{
	make_absolute(&config->kernel);
	make_absolute(&config->initrd);
	make_disks_absolute(config->disks);
}

/* Until then it ends with this program, so that nothing is left of one that was not made as a whole. */
static bool stay(struct access *access, const struct rf_domain_info *info, struct report *report)
{
	int error = access_keep(access, info->domain);

	return !error ||
	       report_fail(report, "%s: cannot be kept: %s", info->name, strerror(-error));
}

static bool start(struct access *access, struct rf_domain_info *info, struct report *report)
{
	int error = domain_pause(access, info->domain, false);

	return !error ||
	       report_fail(report, "%s: does not start: %s", info->name, strerror(-error));
}

/* The lock is held. */
static bool create(struct access *access, struct config *config, bool paused,
		   struct rf_domain_info *info, struct report *report)
{
	struct rf_domain_info other;
	struct image image;
	bool good;

	if (domain_find(access, config->name, &other) != -ESRCH)
		return report_fail(report, "%s: there is a domain of this name", config->name);
	good = image_open(&image, config, report) &&
	       builder_create(access, config, &image, info, report);
	image_close(&image);
	if (!good)
		return false;
	if (keep(info, config, report) && disk_attach_all(info->domain, config->disks, report) &&
	    net_attach_all(info->domain, config->nets, report) &&
	    (paused || start(access, info, report)) && stay(access, info, report))
		return true;
	life_destroy(access, info);
	return false;
}

bool life_create(struct access *access, struct config *config, bool paused,
		 struct rf_domain_info *info, struct report *report)
{
	struct lock lock;
	bool good;

	if (!take_lock(&lock, report))
		return false;
	life_make_absolute(config);
	sweep(access, true);
	good = create(access, config, paused, info, report);
	give_lock(&lock);
	return good;
}

/* --- End --- */

int life_destroy(struct access *access, const struct rf_domain_info *info)
{
	int error;

	introduce_release(info->domain);
	error = domain_destroy(access, info, DESTROY_MS);
	if (!error) {
		device_forget_all(&disk_class, info->domain);
		device_forget_all(&net_class, info->domain);
		forget(info);
	}
	return error;
}

enum config_action life_action(const struct rf_domain_info *info, const struct config *config)
{
	if (info->state == RF_DOMAIN_CRASHED || info->reason == RF_SHUTDOWN_CRASH)
		return (enum config_action)config->on_crash;
	if (info->reason == RF_SHUTDOWN_REBOOT)
		return (enum config_action)config->on_reboot;
	return (enum config_action)config->on_poweroff;
}

static enum life_result act(struct access *access, struct config *config,
			    struct rf_domain_info *info, struct report *report)
{
	enum config_action action = life_action(info, config);
	int error;

	if (action == ACTION_PRESERVE)
		return LIFE_PRESERVED;
	error = life_destroy(access, info);
	if (error) {
		report_fail(report, "%s: cannot be removed: %s", info->name, strerror(-error));
		return LIFE_FAILED;
	}
	if (action != ACTION_RESTART)
		return LIFE_REMOVED;
	return create(access, config, false, info, report) ? LIFE_RESTARTED : LIFE_FAILED;
}

/* The lock is held; while it was waited for, somebody else may have done it. */
static enum life_result end(struct access *access, struct rf_domain_info *info,
			    struct report *report)
{
	struct rf_domain_info now;
	struct config config;
	enum life_result result = LIFE_FAILED;

	if (domain_get(access, info->domain, &now) || now.serial != info->serial ||
	    !domain_ended(&now))
		return LIFE_OTHERS;
	if (life_recall(&now, &config, report))
		result = act(access, &config, &now, report);
	config_free(&config);
	*info = now;
	return result;
}

enum life_result life_end(struct access *access, struct rf_domain_info *info, struct report *report)
{
	enum life_result result;
	struct lock lock;

	if (!take_lock(&lock, report))
		return LIFE_FAILED;
	result = end(access, info, report);
	give_lock(&lock);
	return result;
}
