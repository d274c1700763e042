/* SPDX-License-Identifier: BSD-2-Clause */
/* Disks of guests: their folders in the store, and rf-block for each (disk.c). docs/io.md has the keys. */
#ifndef TOOLSTACK_LIB_DISK_H
#define TOOLSTACK_LIB_DISK_H

#include "toolstack/lib/device.h"

/* Its keys are an object as config_disk.c leaves it; `resize` can be changed, too. */
extern const struct device_class disk_class;

/* All of a configuration, which may be NULL. Waits until the images are open. */
bool disk_attach_all(uint32_t domain, const json_t *disks, struct report *report);

#endif
