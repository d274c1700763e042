/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_DEVICE_H
#define BACKENDS_NET_DEVICE_H

/* A network interface of a guest as the store has it: its folders, its states, and the worker that serves it. */
#include <signal.h>

#include "backends/net/worker.h"
#include "backends/common/keys.h"

struct device_options {
	uint32_t domain;
	uint32_t id;
	const char *store; /* its socket; NULL: the usual one */
	const char *link;
	unsigned user;
	bool no_jail;
	bool once; /* end when the worker ends, instead of starting another */
};

/* Until the device is taken away or *stop is set. The exit status. */
int device_run(const struct device_options *options, const volatile sig_atomic_t *stop);

#endif
