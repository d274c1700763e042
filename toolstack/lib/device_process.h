/* SPDX-License-Identifier: BSD-2-Clause */
/* The back ends' processes: a monitor for each device, which nobody waits for (device_process.c). */
#ifndef TOOLSTACK_LIB_DEVICE_PROCESS_H
#define TOOLSTACK_LIB_DEVICE_PROCESS_H

#include <stdbool.h>

#include "toolstack/lib/device.h"

bool device_process_start(const struct device_folders *folders, struct report *report);

/* It ends by itself when its folders are gone, or are another's; this waits for that, but not for one that hangs. */
void device_process_wait(const struct device_folders *folders);

typedef void device_visit(void *argument, const struct device_folders *folders, bool runs);
/* Visits each device that has begun and is not to go. */
void device_process_visit(struct rfstore *store, const struct device_class *class,
			  device_visit *visit, void *argument);

#endif
