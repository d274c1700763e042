/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_DEVICE_H
#define BACKENDS_COMMON_DEVICE_H

/* A device of a guest as the store has it: its folders, its states, and the worker that serves it. */
#include <signal.h>

#include "backends/common/front.h"
#include "backends/common/keys.h"
#include "backends/common/worker.h"

struct device;

struct device_options {
	uint32_t domain;
	uint32_t id;
	const char *store; /* its socket; NULL: the usual one */
	const char *link;
	unsigned user;
	bool no_jail;
	bool once; /* end when the worker ends, instead of starting another */
};

/* What is a class's. A class that needs more than a device has a structure that begins with one. */
struct device_class {
	const char *name;    /* in the store */
	const char *program; /* in messages */
	const struct worker_class *worker;
	const struct front_class *front;
	/* What a worker is to open, as the private folder says. NULL: device_error() has said why not. */
	const void *(*source)(struct device *device);
	/* A worker is ready, a new one, which was told nothing yet. */
	void (*publish)(struct device *device, const struct message *ready);
	/* Tells it what has changed of the private folder. False: a key there is wrong. */
	bool (*configure)(struct device *device);
	/* MESSAGE_STATISTICS as words. */
	void (*count)(const void *statistics, char *text, size_t size);
	/* What device.c does not know, and MESSAGE_READY when it comes again. */
	void (*hear)(struct device *device, struct message *message);
};

struct device {
	const struct device_class *class;
	const struct device_options *options;
	struct rfstore *store;
	char back[KEYS_PATH];
	char front[KEYS_PATH];
	char private[KEYS_PATH + 16];
	char instance[KEYS_PATH]; /* which of those that the folders were given to */
	struct worker worker;
	enum keys_state state;
	bool connected; /* the worker has the front end's rings, or was told to take them */
	bool releasing; /* it was told to let go, or does so by itself */
	bool resumes;	/* a new worker, for a front end that had another one */
	bool failed;	/* until the front end starts again */
	bool changed;	/* the private folder was */
	bool gone;	/* the device was taken away */
	unsigned delay;
};

/* Until the device is taken away or *stop is set. The class is set, all else zero. The exit status. */
int device_run(struct device *device, const struct device_options *options,
	       const volatile sig_atomic_t *stop);

/* For classes: something is wrong with the device. */
void device_error(struct device *device, const char *text);

#endif
