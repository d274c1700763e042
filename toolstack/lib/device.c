// SPDX-License-Identifier: BSD-2-Clause
/*
 * Devices of guests, of any class: folders in the store, and a back end for each, which lives on its own: it ends when
 * the folders are gone, or are another device's.
 *
 * Interface: device.h. Locks: none; the store's transactions keep two callers apart. The back end's folder is made
 * first and goes last, so nobody else has the number meanwhile, nor what is called after it: a tap, a log.
 */
#include "toolstack/lib/device.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "toolstack/lib/device_process.h"
#include "toolstack/store/client/rfstore.h"

#define PATH	     DEVICE_PATH
#define OPEN_SECONDS 40
#define IDS	     64
#define INSTANCE     32
#define ENDED	     "taken away" /* instead of an instance */

struct attaching {
	struct device_folders folders;
	const json_t *keys;
	char instance[INSTANCE];
};

void device_folders(struct device_folders *f, const struct device_class *class, uint32_t domain,
		    unsigned id)
{
	f->class = class;
	f->domain = domain;
	f->id = id;
	snprintf(f->front, PATH, "/local/domain/%u/device/%s/%u", domain, class->name, id);
	snprintf(f->back, PATH, "/local/domain/0/backend/%s/%u/%u", class->name, domain, id);
}

bool device_open_store(struct rfstore **store, struct report *report)
{
	int error = rfstore_open(store, NULL);

	return !error || report_fail(report, "there is no store (rfstored): %s", strerror(error));
}

char *device_read_key(struct rfstore *store, const char *folder, const char *name)
{
	char path[3 * PATH], *value;
	size_t length;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return rfstore_read(store, RFSTORE_NONE, path, &value, &length) ? NULL : value;
}

unsigned device_state(struct rfstore *store, const char *folder)
{
	char *text = device_read_key(store, folder, "state");
	unsigned state = text ? (unsigned)strtoul(text, NULL, 10) : 0;

	free(text);
	return state;
}

/* --- All there are --- */

/* Those in a folder of the store, whose names are numbers. NULL: there are none. */
static char **list_numbers(struct rfstore *store, size_t *count, const struct device_class *class,
			   const char *domain)
{
	char path[PATH], **names;

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s%s", class->name, domain);
	return rfstore_list(store, RFSTORE_NONE, path, &names, count) ? NULL : names;
}

void device_each(struct rfstore *store, const struct device_class *class, uint32_t domain,
		 device_found *found, void *argument)
{
	struct device_folders f;
	char folder[16], **names;
	size_t count = 0;

	snprintf(folder, sizeof(folder), "/%u", domain);
	names = list_numbers(store, &count, class, folder);
	for (size_t i = 0; names && i < count; i++) {
		device_folders(&f, class, domain, (unsigned)strtoul(names[i], NULL, 10));
		found(argument, &f);
	}
	free(names);
}

void device_each_of_all(struct rfstore *store, const struct device_class *class,
			device_found *found, void *argument)
{
	size_t count = 0;
	char **names = list_numbers(store, &count, class, "");

	for (size_t i = 0; names && i < count; i++)
		device_each(store, class, (uint32_t)strtoul(names[i], NULL, 10), found, argument);
	free(names);
}

/* --- Keys --- */

static int write_key(struct rfstore *store, struct rfstore_transaction transaction,
		     const char *folder, const char *name, const char *value)
{
	char path[3 * PATH];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return rfstore_write(store, transaction, path, value, strlen(value));
}

/* Empty: it is not there. */
static void read_instance(struct rfstore *store, struct rfstore_transaction transaction,
			  const struct device_folders *f, char *instance)
{
	char path[2 * PATH], *value;
	size_t length;

	instance[0] = 0;
	snprintf(path, sizeof(path), "%s/instance", f->back);
	if (rfstore_read(store, transaction, path, &value, &length))
		return;
	snprintf(instance, INSTANCE, "%s", value);
	free(value);
}

/* --- Making --- */

static int make_folder(struct rfstore *store, struct rfstore_transaction t, const char *path,
		       const struct rfstore_permission *permissions, size_t count)
{
	int error = rfstore_mkdir(store, t, path);

	return error ? error : rfstore_set_permissions(store, t, path, permissions, count);
}

/* Who may see what: what is made in a folder afterwards is as the folder. */
static int make_all(struct rfstore *store, struct rfstore_transaction t,
		    const struct device_folders *f)
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

/* Who has not yet seen that a device was taken away must not take the next one of that number for it. */
static void make_instance(char *instance)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(instance, INSTANCE, "%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
}

static int write_both(struct rfstore *store, struct rfstore_transaction t,
		      const struct device_folders *f, const char *instance)
{
	char domain[16];
	int error;

	snprintf(domain, sizeof(domain), "%u", f->domain);
	error = write_key(store, t, f->back, "frontend", f->front);
	error = error ? error : write_key(store, t, f->back, "frontend-id", domain);
	error = error ? error : write_key(store, t, f->back, "online", "1");
	error = error ? error : write_key(store, t, f->back, "instance", instance);
	error = error ? error : write_key(store, t, f->back, "state", "1");
	error = error ? error : write_key(store, t, f->front, "backend", f->back);
	error = error ? error : write_key(store, t, f->front, "backend-id", "0");
	error = error ? error : write_key(store, t, f->front, "instance", instance);
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
	json_object_foreach((json_t *)a->keys, name, value) {
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
	const char *name = json_string_value(json_object_get(a->keys, "name"));
	uint32_t domain = a->folders.domain;
	unsigned id = 0;
	int error;

	device_folders(&a->folders, a->folders.class, domain, id);
	while (id < IDS && is_there(store, t, a->folders.back))
		device_folders(&a->folders, a->folders.class, domain, ++id);
	if (id == IDS)
		return ENOSPC;
	/* What the guest wrote there after its last device of that number was gone; most often nothing. */
	rfstore_remove(store, t, a->folders.front);
	error = make_all(store, t, &a->folders);
	make_instance(a->instance);
	error = error ? error : write_both(store, t, &a->folders, a->instance);
	error = error ? error : write_private(store, t, a);
	if (!error && name)
		error = write_key(store, t, a->folders.front, "name", name);
	return error;
}

/* --- Ending --- */

struct ending {
	const struct device_folders *folders;
	const char *instance;
};

/* The back end sees that it is over. ENOENT: it is already; ECANCELED: and there is another one. */
static int write_end(struct rfstore *store, struct rfstore_transaction t, void *argument)
{
	const struct ending *e = argument;
	char instance[INSTANCE];
	int error;

	if (!is_there(store, t, e->folders->back))
		return ENOENT;
	read_instance(store, t, e->folders, instance);
	if (strcmp(instance, e->instance))
		return ECANCELED;
	error = write_key(store, t, e->folders->back, "online", "0");
	return error ? error : write_key(store, t, e->folders->back, "instance", ENDED);
}

/* Unless somebody else did, who ended it at the same time, and they are the next device's. */
static int remove_folders(struct rfstore *store, struct rfstore_transaction t, void *argument)
{
	const struct ending *e = argument;
	char instance[INSTANCE];
	int error;

	read_instance(store, t, e->folders, instance);
	if (strcmp(instance, ENDED))
		return ECANCELED;
	error = rfstore_remove(store, t, e->folders->front);
	return error ? error : rfstore_remove(store, t, e->folders->back);
}

/* What the back end uses goes after it: it would begin again with what takes that place. */
static void undo(const struct device_folders *f)
{
	device_process_wait(f);
	if (f->class->end)
		f->class->end(f);
}

static int end(struct rfstore *store, const struct device_folders *f, const char *instance)
{
	struct ending ending = { f, instance };
	int error = rfstore_transact(store, write_end, &ending);

	if (error)
		return error;
	undo(f);
	return rfstore_transact(store, remove_folders, &ending);
}

/* The folders may have gone with the guest, before all was made that is to be undone. */
static void give_up(struct rfstore *store, const struct attaching *a)
{
	if (end(store, &a->folders, a->instance) == ENOENT)
		undo(&a->folders);
}

/* --- Its back end --- */

static void pause_shortly(void)
{
	const struct timespec time = { .tv_nsec = 50000000 };

	nanosleep(&time, NULL);
}

static bool has_begun(struct rfstore *store, const struct device_folders *f, struct report *report)
{
	char *error = NULL;

	for (unsigned i = 0; i < OPEN_SECONDS * 20 && !error; i++) {
		if (device_state(store, f->back) >= DEVICE_WAITING)
			return true;
		error = device_read_key(store, f->back, "error");
		pause_shortly();
	}
	if (error)
		report_fail(report, "%s %u: %s", f->class->what, f->id, error);
	else
		report_fail(report, "%s %u: %s does not begin", f->class->what, f->id,
			    f->class->program);
	free(error);
	return false;
}

static bool begin(struct rfstore *store, const struct attaching *a, struct report *report)
{
	const struct device_folders *f = &a->folders;

	return !f->class->begin || f->class->begin(store, f, a->keys, report);
}

static bool attach(struct rfstore *store, struct attaching *a, struct report *report)
{
	int error = rfstore_transact(store, write_attach, a);

	if (error)
		return report_fail(report, "the store does not take the %s: %s",
				   a->folders.class->what, strerror(error));
	if (begin(store, a, report) && device_process_start(&a->folders, report) &&
	    has_begun(store, &a->folders, report))
		return true;
	give_up(store, a);
	return false;
}

bool device_attach(const struct device_class *class, uint32_t domain, const json_t *keys,
		   unsigned *id, struct report *report)
{
	struct attaching a = { .folders = { .class = class, .domain = domain }, .keys = keys };
	struct rfstore *store;
	bool good;

	if (!device_open_store(&store, report))
		return false;
	good = attach(store, &a, report);
	*id = a.folders.id;
	rfstore_close(store);
	return good;
}

/* --- Taking away --- */

static bool wait_closed(struct rfstore *store, const struct device_folders *f, unsigned seconds)
{
	for (unsigned i = 0; i < seconds * 20; i++) {
		unsigned state = device_state(store, f->back);

		if (!state || state == DEVICE_CLOSED)
			return true;
		pause_shortly();
	}
	return false;
}

static bool ask(struct rfstore *store, const struct device_folders *f, unsigned seconds,
		struct report *report)
{
	int error = write_key(store, RFSTORE_NONE, f->back, "online", "0");

	if (error)
		return report_fail(report, "%s %u: %s", f->class->what, f->id, strerror(error));
	return wait_closed(store, f, seconds) ||
	       report_fail(report,
			   "%s %u: the guest has not let go of it in %u s: it is asked to%s",
			   f->class->what, f->id, seconds, f->class->hint);
}

bool device_detach(const struct device_class *class, uint32_t domain, unsigned id, unsigned seconds,
		   bool force, struct report *report)
{
	char instance[INSTANCE];
	struct rfstore *store;
	struct device_folders f;
	bool good;

	if (!device_open_store(&store, report))
		return false;
	device_folders(&f, class, domain, id);
	read_instance(store, RFSTORE_NONE, &f, instance);
	good = force || ask(store, &f, seconds, report);
	if (good)
		end(store, &f, instance);
	rfstore_close(store);
	return good;
}

/* The folders that have those of all, too. */
static void forget_class(struct rfstore *store, const struct device_class *class, uint32_t domain)
{
	char path[PATH];

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u", class->name, domain);
	rfstore_remove(store, RFSTORE_NONE, path);
	snprintf(path, sizeof(path), "/local/domain/%u/device/%s", domain, class->name);
	rfstore_remove(store, RFSTORE_NONE, path);
}

static void end_one(void *argument, const struct device_folders *f)
{
	(void)argument;
	f->class->end(f);
}

void device_forget_all(const struct device_class *class, uint32_t domain)
{
	struct rfstore *store;

	if (rfstore_open(&store, NULL))
		return;
	if (class->end)
		device_each(store, class, domain, end_one, NULL);
	forget_class(store, class, domain);
	rfstore_close(store);
}

/* --- Changing --- */

struct writing {
	const struct device_folders *folders;
	const char *name;
	const char *value;
};

/* A write alone would make the folder again that somebody has just taken away. */
static int write_private_key(struct rfstore *store, struct rfstore_transaction t, void *argument)
{
	const struct writing *w = argument;
	char folder[2 * PATH];

	snprintf(folder, sizeof(folder), "%s/private", w->folders->back);
	return is_there(store, t, folder) ? write_key(store, t, folder, w->name, w->value) : ENOENT;
}

int device_write_private(struct rfstore *store, const struct device_folders *folders,
			 const char *name, const char *value)
{
	struct writing writing = { folders, name, value };

	return rfstore_transact(store, write_private_key, &writing);
}

bool device_change(const struct device_class *class, uint32_t domain, unsigned id, const char *key,
		   const char *value, struct report *report)
{
	struct rfstore *store;
	struct device_folders f;
	int error;

	if (!device_open_store(&store, report))
		return false;
	device_folders(&f, class, domain, id);
	error = device_write_private(store, &f, key, value);
	rfstore_close(store);
	return !error ||
	       report_fail(report, "%s %u: %s: %s", class->what, id, key, strerror(error));
}
