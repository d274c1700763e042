/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_MONITOR_H
#define BACKENDS_NET_MONITOR_H

/* The process that knows the store and starts the worker, of an interface. */
#include "backends/common/device.h"

/* As device_run(). */
int monitor_run(const struct device_options *options, const volatile sig_atomic_t *stop);

#endif
