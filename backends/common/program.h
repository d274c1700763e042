/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_PROGRAM_H
#define BACKENDS_COMMON_PROGRAM_H

/* The program of a back end, which serves one device of one guest: options, start, end. */
#include "backends/common/device.h"

struct program {
	const char *name;
	const char *class;   /* in the store */
	const char *device;  /* what it is called in the usage, */
	const char *source;  /* and what is behind it */
	uint32_t first_user; /* of those that workers become, one for each device */
	int (*run)(const struct device_options *options, const volatile sig_atomic_t *stop);
};

/* All of main(): the exit status. */
int program_run(const struct program *program, int count, char **arguments);

#endif
