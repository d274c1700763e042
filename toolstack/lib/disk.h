/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks of guests: their folders in the store, and rf-block for each (disk.c). docs/io.md has the keys. */
#ifndef TOOLSTACK_LIB_DISK_H
#define TOOLSTACK_LIB_DISK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/lib/report.h"

/* `disk` is an object as config_disk.c leaves it. Waits until the image is open. False: nothing of the disk is left. */
bool disk_attach(uint32_t domain, const json_t *disk, unsigned *id, struct report *report);
/* All of a configuration, which may be NULL. */
bool disk_attach_all(uint32_t domain, const json_t *disks, struct report *report);
/*
 * Asks the guest to let go, and waits so many seconds for it; with `force` it is not asked. False: it is still
 * there.
 */
bool disk_detach(uint32_t domain, unsigned id, unsigned seconds, bool force, struct report *report);
/* When a guest ends: nothing is waited for. */
void disk_forget_all(uint32_t domain);
/* A list of objects; NULL: the report says why not. */
json_t *disk_list(uint32_t domain, struct report *report);
/* The number of the disk of that number or name. False: there is none. */
bool disk_find(uint32_t domain, const char *word, unsigned *id, struct report *report);
/* Changes a private key of it: limits, and `resize`. */
bool disk_change(uint32_t domain, unsigned id, const char *key, const char *value,
		 struct report *report);

#endif
