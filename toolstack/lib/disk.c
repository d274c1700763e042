// SPDX-License-Identifier: BSD-2-Clause
/*
 * Disks of guests: folders in the store, and an rf-block for each disk, which lives on its own: it ends when the
 * folders are gone.
 *
 * Interface: disk.h. Locks: none; the store's transactions keep two callers apart.
 */
#include "toolstack/lib/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/places.h"
#include "toolstack/store/client/rfstore.h"

#define PATH	     256
#define OPEN_SECONDS 40
#define IDS	     64
#define PROGRAM	     "rf-block"

enum { WAITING = 2, CLOSED = 6 };

struct folders {
	uint32_t domain;
	unsigned id;
	char front[PATH];
	char back[PATH];
};

struct attaching {
	struct folders folders;
	const json_t *disk;
};

static void make_folders(struct folders *f, uint32_t domain, unsigned id)
{
	f->domain = domain;
	f->id = id;
	snprintf(f->front, PATH, "/local/domain/%u/device/block/%u", domain, id);
	snprintf(f->back, PATH, "/local/domain/0/backend/block/%u/%u", domain, id);
}

static bool open_store(struct rfstore **store, struct report *report)
{
	int error = rfstore_open(store, NULL);

	return !error || report_fail(report, "there is no store (rfstored): %s", strerror(error));
}

static char *read_key(struct rfstore *store, const char *folder, const char *name)
{
	char path[3 * PATH], *value;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return rfstore_read(store, RFSTORE_NONE, path, &value, &length) ? NULL : value;
}

static unsigned read_state(struct rfstore *store, const char *folder)
{
	char *text = read_key(store, folder, "state");
	unsigned state = text ? (unsigned)strtoul(text, NULL, 10) : 0;

	free(text);
	return state;
}

static int write_key(struct rfstore *store, struct rfstore_transaction transaction,
		     const char *folder, const char *name, const char *value)
{
	char path[3 * PATH];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return rfstore_write(store, transaction, path, value, strlen(value));
}

static void remove_folders(struct rfstore *store, const struct folders *f)
{
	rfstore_remove(store, RFSTORE_NONE, f->back);
	rfstore_remove(store, RFSTORE_NONE, f->front);
}

/* --- Making --- */

static int make_folder(struct rfstore *store, struct rfstore_transaction t, const char *path,
		       const struct rfstore_permission *permissions, size_t count)
{
	int error = rfstore_mkdir(store, t, path);

	return error ? error : rfstore_set_permissions(store, t, path, permissions, count);
}

/* Who may see what: what is made in a folder afterwards is as the folder. */
static int make_all(struct rfstore *store, struct rfstore_transaction t, const struct folders *f)
{
	const struct rfstore_permission guest = { (uint16_t)f->domain, 'n' };
	const struct rfstore_permission shown[] = { { 0, 'n' }, { (uint16_t)f->domain, 'r' } };
	const struct rfstore_permission nobody = { 0, 'n' };
	char private[2 * PATH];
	int error;

	snprintf(private, sizeof(private), "%s/private", f->back);
	error = make_folder(store, t, f->back, shown, 2);
	error = error ? error : make_folder(store, t, private, &nobody, 1);
	return error ? error : make_folder(store, t, f->front, &guest, 1);
}

static int write_both(struct rfstore *store, struct rfstore_transaction t, const struct folders *f)
{
	char domain[16];
	int error;

	snprintf(domain, sizeof(domain), "%u", f->domain);
	error = write_key(store, t, f->back, "frontend", f->front);
	error = error ? error : write_key(store, t, f->back, "frontend-id", domain);
	error = error ? error : write_key(store, t, f->back, "online", "1");
	error = error ? error : write_key(store, t, f->back, "state", "1");
	error = error ? error : write_key(store, t, f->front, "backend", f->back);
	error = error ? error : write_key(store, t, f->front, "backend-id", "0");
	return error ? error : write_key(store, t, f->front, "state", "1");
}

/* `limit_bytes` of a configuration is `limit-bytes` in the store. */
static void store_name(char *name)
{
	for (; *name; name++)
		if (*name == '_')
			*name = '-';
}

static int write_private(struct rfstore *store, struct rfstore_transaction t,
			 const struct attaching *a)
{
	char folder[2 * PATH], key[64];
	const char *name;
	json_t *value;
	int error = 0;

	snprintf(folder, sizeof(folder), "%s/private", a->folders.back);
	json_object_foreach((json_t *)a->disk, name, value) {
		snprintf(key, sizeof(key), "%s", name);
		store_name(key);
		if (!error)
			error = write_key(store, t, folder, key, json_string_value(value));
	}
	return error;
}

static bool is_there(struct rfstore *store, struct rfstore_transaction t, const char *path)
{
	size_t length;
	char *value;

	if (rfstore_read(store, t, path, &value, &length))
		return false;
	free(value);
	return true;
}

/* The first number that is free. */
static int write_attach(struct rfstore *store, struct rfstore_transaction t, void *argument)
{
	struct attaching *a = argument;
	const char *name = json_string_value(json_object_get(a->disk, "name"));
	uint32_t domain = a->folders.domain;
	unsigned id = 0;
	int error;

	make_folders(&a->folders, domain, id);
	while (id < IDS && is_there(store, t, a->folders.back))
		make_folders(&a->folders, domain, ++id);
	if (id == IDS)
		return ENOSPC;
	error = make_all(store, t, &a->folders);
	error = error ? error : write_both(store, t, &a->folders);
	error = error ? error : write_private(store, t, a);
	if (!error && name)
		error = write_key(store, t, a->folders.front, "name", name);
	return error;
}

/* --- Its process --- */

/* Beside this program, or wherever programs are. */
static void execute(const struct folders *f)
{
	char path[PATH_MAX], domain[16], id[16];
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	snprintf(domain, sizeof(domain), "%u", f->domain);
	snprintf(id, sizeof(id), "%u", f->id);
	path[length > 0 ? length : 0] = 0;
	slash = strrchr(path, '/');
	if (slash && (size_t)(slash - path) + sizeof(PROGRAM) + 1 < sizeof(path)) {
		strcpy(slash + 1, PROGRAM);
		execl(path, PROGRAM, domain, id, NULL);
	}
	execlp(PROGRAM, PROGRAM, domain, id, NULL);
}

static void redirect(const struct folders *f)
{
	char path[PATH_MAX];
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC), log;

	snprintf(path, sizeof(path), "%s/block-%u-%u.log", places_state(), f->domain, f->id);
	log = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	dup2(nothing, 0);
	dup2(nothing, 1);
	dup2(log < 0 ? nothing : log, 2);
}

/* A child of nobody's: its parent ends at once. */
static bool start(const struct folders *f, struct report *report)
{
	sigset_t none;
	pid_t child = fork();

	if (child < 0)
		return report_fail(report, "%s: cannot be started: %s", PROGRAM, strerror(errno));
	if (child == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		if (fork() != 0)
			_exit(0);
		setsid();
		redirect(f);
		execute(f);
		_exit(127);
	}
	waitpid(child, NULL, 0);
	return true;
}

static void pause_shortly(void)
{
	const struct timespec time = { .tv_nsec = 50000000 };

	nanosleep(&time, NULL);
}

static bool image_is_open(struct rfstore *store, const struct attaching *a, struct report *report)
{
	const char *image = json_string_value(json_object_get(a->disk, "image"));
	char *error = NULL;

	for (unsigned i = 0; i < OPEN_SECONDS * 20 && !error; i++) {
		if (read_state(store, a->folders.back) >= WAITING)
			return true;
		error = read_key(store, a->folders.back, "error");
		pause_shortly();
	}
	report_fail(report, "disk %u: %s", a->folders.id, error ? error : image);
	if (!error)
		report_fail(report, "disk %u: %s: %s does not begin", a->folders.id, image,
			    PROGRAM);
	free(error);
	return false;
}

static bool attach(struct rfstore *store, struct attaching *a, struct report *report)
{
	int error = rfstore_transact(store, write_attach, a);

	if (error)
		return report_fail(report, "the store does not take the disk: %s", strerror(error));
	if (start(&a->folders, report) && image_is_open(store, a, report))
		return true;
	remove_folders(store, &a->folders);
	return false;
}

bool disk_attach(uint32_t domain, const json_t *disk, unsigned *id, struct report *report)
{
	struct attaching a = { .folders = { .domain = domain }, .disk = disk };
	struct rfstore *store;
	bool good;

	if (!open_store(&store, report))
		return false;
	good = attach(store, &a, report);
	*id = a.folders.id;
	rfstore_close(store);
	return good;
}

bool disk_attach_all(uint32_t domain, const json_t *disks, struct report *report)
{
	json_t *disk;
	unsigned id;
	size_t i;

	json_array_foreach(disks, i, disk) {
		if (!disk_attach(domain, disk, &id, report))
			return false;
	}
	return true;
}

/* --- Taking away --- */

static bool wait_closed(struct rfstore *store, const struct folders *f, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 20; i++) {
		unsigned state = read_state(store, f->back);

		if (!state || state == CLOSED)
			return true;
		pause_shortly();
	}
	return false;
}

static bool ask(struct rfstore *store, const struct folders *f, unsigned seconds,
		struct report *report)
{
	int error = write_key(store, RFSTORE_NONE, f->back, "online", "0");

	if (error)
		return report_fail(report, "disk %u: %s", f->id, strerror(error));
	return wait_closed(store, f, seconds) ||
	       report_fail(
		       report,
		       "disk %u: the guest has not let go of it in %u s: it is asked to; is it mounted?",
		       f->id, seconds);
}

bool disk_detach(uint32_t domain, unsigned id, unsigned seconds, bool force, struct report *report)
{
	struct rfstore *store;
	struct folders f;
	bool good;

	if (!open_store(&store, report))
		return false;
	make_folders(&f, domain, id);
	good = force || ask(store, &f, seconds, report);
	if (good)
		remove_folders(store, &f);
	rfstore_close(store);
	return good;
}

void disk_forget_all(uint32_t domain)
{
	struct rfstore *store;
	char path[PATH];

	if (rfstore_open(&store, NULL))
		return;
	snprintf(path, sizeof(path), "/local/domain/0/backend/block/%u", domain);
	rfstore_remove(store, RFSTORE_NONE, path);
	snprintf(path, sizeof(path), "/local/domain/%u/device/block", domain);
	rfstore_remove(store, RFSTORE_NONE, path);
	rfstore_close(store);
}

/* --- Looking --- */

static const char *state_name(unsigned state)
{
	static const char *const names[] = { "gone",	  "starting", "waiting", "connecting",
					     "connected", "closing",  "closed" };

	return state < sizeof(names) / sizeof(names[0]) ? names[state] : "unknown";
}

static void add_key(struct rfstore *store, json_t *row, const char *title, const char *folder,
		    const char *key)
{
	char *text = read_key(store, folder, key);

	if (text)
		json_object_set_new(row, title, json_string(text));
	free(text);
}

static void add_size(struct rfstore *store, json_t *row, const struct folders *f)
{
	char *text = read_key(store, f->back, "sectors");

	if (text)
		json_object_set_new(row, "size",
				    json_integer((json_int_t)(strtoull(text, NULL, 10) * 512)));
	free(text);
}

/* `reads=1 writes=2` as an object. */
static void add_counts(struct rfstore *store, json_t *row, const struct folders *f)
{
	char *text = read_key(store, f->back, "private/statistics"), *rest = text;
	json_t *counts = json_object();

	for (char *word; text && (word = strsep(&rest, " "));) {
		char *equals = strchr(word, '=');

		if (!equals)
			continue;
		*equals = 0;
		json_object_set_new(counts, word, json_integer(strtoll(equals + 1, NULL, 10)));
	}
	json_object_set_new(row, "statistics", counts);
	free(text);
}

static json_t *row_of(struct rfstore *store, uint32_t domain, unsigned id)
{
	json_t *row = json_object();
	struct folders f;

	make_folders(&f, domain, id);
	json_object_set_new(row, "id", json_integer(id));
	json_object_set_new(row, "state", json_string(state_name(read_state(store, f.back))));
	add_key(store, row, "name", f.front, "name");
	add_key(store, row, "image", f.back, "private/image");
	add_key(store, row, "mode", f.back, "private/mode");
	add_key(store, row, "paused", f.back, "paused");
	add_key(store, row, "error", f.back, "error");
	add_size(store, row, &f);
	add_counts(store, row, &f);
	return row;
}

json_t *disk_list(uint32_t domain, struct report *report)
{
	json_t *list = json_array();
	struct rfstore *store;
	char path[PATH], **names;
	size_t count;

	if (!open_store(&store, report)) {
		json_decref(list);
		return NULL;
	}
	snprintf(path, sizeof(path), "/local/domain/0/backend/block/%u", domain);
	if (rfstore_list(store, RFSTORE_NONE, path, &names, &count) == 0) {
		for (size_t i = 0; i < count; i++)
			json_array_append_new(list, row_of(store, domain,
							   (unsigned)strtoul(names[i], NULL, 10)));
		free(names);
	}
	rfstore_close(store);
	return list;
}

static bool is_called(const json_t *row, const char *word)
{
	const char *name = json_string_value(json_object_get(row, "name"));
	char id[32];

	snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(json_object_get(row, "id")));
	return !strcmp(id, word) || (name && !strcmp(name, word));
}

bool disk_find(uint32_t domain, const char *word, unsigned *id, struct report *report)
{
	json_t *list = disk_list(domain, report), *row;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, row) {
		if (found || !is_called(row, word))
			continue;
		*id = (unsigned)json_integer_value(json_object_get(row, "id"));
		found = true;
	}
	json_decref(list);
	return found || report_fail(report, "%s: there is no such disk", word);
}

bool disk_change(uint32_t domain, unsigned id, const char *key, const char *value,
		 struct report *report)
{
	struct rfstore *store;
	struct folders f;
	char name[64];
	int error;

	if (!open_store(&store, report))
		return false;
	make_folders(&f, domain, id);
	snprintf(name, sizeof(name), "private/%s", key);
	error = write_key(store, RFSTORE_NONE, f.back, name, value);
	rfstore_close(store);
	return !error || report_fail(report, "disk %u: %s: %s", id, key, strerror(error));
}
