/* SPDX-License-Identifier: BSD-2-Clause */
/* Metrics of guests' disks and networks (metrics_device.c). */
#ifndef TOOLSTACK_RFD_METRICS_DEVICE_H
#define TOOLSTACK_RFD_METRICS_DEVICE_H

#include <jansson.h>
#include <stdio.h>

/* Lists as device_list_all() makes them, each with the domain's name in `guest`; NULL: there is no store. */
void metrics_write_devices(FILE *out, const json_t *disks, const json_t *nets);

#endif
