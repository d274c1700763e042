/* SPDX-License-Identifier: BSD-2-Clause */
/* What disks and networks of guests have in common: folders in the store, and a back end for each (device.c). */
#ifndef TOOLSTACK_LIB_DEVICE_H
#define TOOLSTACK_LIB_DEVICE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/report.h"
#include "toolstack/store/client/rfstore.h"

#define DEVICE_PATH 256

struct device_class;

/* States, of those in docs/io.md. */
enum { DEVICE_WAITING = 2, DEVICE_CLOSED = 6 };

struct device_folders {
	const struct device_class *class;
	uint32_t domain;
	unsigned id;
	char front[DEVICE_PATH];
	char back[DEVICE_PATH];
};

/* A key that a list shows. */
struct device_key {
	const char *title;
	const char *path; /* in the back end's folder */
	bool of_front;	  /* no: in the front end's */
	unsigned number;  /* it is one, of so many; zero: it is text */
};

struct device_class {
	const char *name;    /* in the store */
	const char *program; /* of its back end */
	const char *what;    /* it is called in messages */
	const char *hint;    /* why a guest may not let go of it */
	const struct device_key *keys;
	/* Before its back end is started, and when it is gone; may be NULL. */
	bool (*begin)(struct rfstore *store, const struct device_folders *folders,
		      const json_t *keys, struct report *report);
	void (*end)(const struct device_folders *folders);
};

void device_folders(struct device_folders *folders, const struct device_class *class,
		    uint32_t domain, unsigned id);
/* 0: there is none. */
unsigned device_state(struct rfstore *store, const char *folder);

/* `keys` are texts for the private folder. Waits until the back end has begun. False: nothing of it is left. */
bool device_attach(const struct device_class *class, uint32_t domain, const json_t *keys,
		   unsigned *id, struct report *report);
/*
 * Asks the guest to let go, and waits so many seconds for it; with `force` it is not asked. False: it is still
 * there.
 */
bool device_detach(const struct device_class *class, uint32_t domain, unsigned id, unsigned seconds,
		   bool force, struct report *report);
typedef void device_found(void *argument, const struct device_folders *folders);
/* Each device of a domain, or of all, that the store has. */
void device_each(struct rfstore *store, const struct device_class *class, uint32_t domain,
		 device_found *found, void *argument);
void device_each_of_all(struct rfstore *store, const struct device_class *class,
			device_found *found, void *argument);
/* When a guest ends: nothing is waited for. */
void device_forget_all(const struct device_class *class, uint32_t domain);
/* A list of objects; NULL: the report says why not. */
json_t *device_list(const struct device_class *class, uint32_t domain, struct report *report);
/* The same of all domains; of each its number is in `domain`. */
json_t *device_list_all(const struct device_class *class, struct report *report);
/* The number of the device of that number or name. False: there is none. */
bool device_find(const struct device_class *class, uint32_t domain, const char *word, unsigned *id,
		 struct report *report);
/* Changes a private key of it. */
bool device_change(const struct device_class *class, uint32_t domain, unsigned id, const char *key,
		   const char *value, struct report *report);

/* --- Between the files of the library --- */

bool device_open_store(struct rfstore **store, struct report *report);
/* The caller frees it; NULL: it is not there. */
char *device_read_key(struct rfstore *store, const char *folder, const char *name);
/* For the back end alone. ENOENT: the device was taken away. */
int device_write_private(struct rfstore *store, const struct device_folders *folders,
			 const char *name, const char *value);

#endif
