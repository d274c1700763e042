// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of back ends that were gone.
 *
 * Interface: backend.h. Locks: the table's, taken by the thread that looks after them (tend.c), which alone changes
 * it, and by those who list.
 * Odd: nobody is told when a back end ends, so how long it lasted is known by when it was last seen.
 */
#include "toolstack/rfd/backend.h"

#include "toolstack/rfd/log.h"

/* --- The table: the lock is held --- */

static struct backend *find(struct backend_table *table, const struct device_folders *f)
{
	for (size_t i = 0; i < BACKENDS; i++) {
		struct backend *backend = &table->backends[i];

		if (backend->class == f->class && backend->domain == f->domain &&
		    backend->id == f->id)
			return backend;
	}
	return NULL;
}

/* In the place of the one that nobody has looked at for longest. */
static struct backend *make(struct backend_table *table, const struct device_folders *f,
			    uint64_t serial)
{
	struct backend *oldest = &table->backends[0];

	for (size_t i = 1; i < BACKENDS; i++) {
		if (table->backends[i].seen < oldest->seen)
			oldest = &table->backends[i];
	}
	*oldest = (struct backend){ .class = f->class,
				    .domain = f->domain,
				    .id = f->id,
				    .serial = serial };
	return oldest;
}

/* Numbers of domains are used again. */
static struct backend *find_or_make(struct backend_table *table, const struct device_folders *f,
				    uint64_t serial)
{
	struct backend *backend = find(table, f);

	if (backend && backend->serial == serial)
		return backend;
	if (backend)
		backend->class = NULL;
	return make(table, f, serial);
}

/* It was not known that it is gone: that it has not lasted is told. */
static void put_off(struct backend *backend, uint64_t now)
{
	bool lasted = !backend->starts || backend->seen - backend->begun >= BACKEND_QUICK_MS;

	backend->delay = lasted ? 0 : backend->delay * 2;
	if (!lasted && !backend->delay)
		backend->delay = 2000;
	if (backend->delay > BACKEND_DELAY_MAX)
		backend->delay = BACKEND_DELAY_MAX;
	backend->due = now + backend->delay;
	if (backend->delay)
		log_line("%s %u/%u: has not lasted; is started again in %llu seconds",
			 backend->class->program, backend->domain, backend->id,
			 (unsigned long long)backend->delay / 1000);
}

/* --- What is seen --- */

void backend_seen(struct backend_table *table, const struct device_folders *folders, uint64_t now)
{
	struct backend *backend;

	pthread_mutex_lock(&table->lock);
	backend = find(table, folders);
	if (backend) {
		backend->seen = now;
		backend->due = 0;
	}
	pthread_mutex_unlock(&table->lock);
}

bool backend_gone(struct backend_table *table, const struct device_folders *folders,
		  uint64_t serial, uint64_t now)
{
	struct backend *backend;
	bool due;

	pthread_mutex_lock(&table->lock);
	backend = find_or_make(table, folders, serial);
	if (!backend->due)
		put_off(backend, now);
	backend->seen = now;
	due = backend->due <= now;
	pthread_mutex_unlock(&table->lock);
	return due;
}

void backend_started(struct backend_table *table, const struct device_folders *folders,
		     uint64_t now)
{
	struct backend *backend;

	pthread_mutex_lock(&table->lock);
	backend = find(table, folders);
	if (backend) {
		backend->begun = now;
		backend->seen = now;
		backend->due = 0;
		backend->starts++;
	}
	pthread_mutex_unlock(&table->lock);
}

json_t *backend_describe(struct backend_table *table, const struct device_folders *folders,
			 bool runs, uint64_t now)
{
	struct backend known = { .starts = 0 }, *backend;
	json_t *row;

	pthread_mutex_lock(&table->lock);
	backend = find(table, folders);
	if (backend)
		known = *backend;
	pthread_mutex_unlock(&table->lock);
	row = json_pack("{s:o, s:b, s:i, s:I}", "name",
			json_sprintf("%s %u/%u", folders->class->program, folders->domain,
				     folders->id),
			"running", runs, "domain", (int)folders->domain, "starts",
			(json_int_t)known.starts);
	if (!runs && known.due > now)
		json_object_set_new(row, "wait",
				    json_integer((json_int_t)(known.due - now + 999) / 1000));
	return row;
}
