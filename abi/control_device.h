/* SPDX-License-Identifier: MIT */
/*
 * RF_CONTROL_DEVICE: what programs of the control domain ask of the hypervisor, through the control
 * domain's Linux. Each ioctl is the hypercall of its name, on a structure that begins with the number of
 * the domain; it returns what the hypercall does, or -1 and errno, with the error of the hypercall. Addresses in the
 * structures are the program's own.
 *
 * RF_CONTROL_LOCK binds the open file to the domain that has that number now, for ever: everything else is
 * refused with EPERM, also for a later domain of the same number. So a program may be given a file that
 * serves one domain.
 *
 * poll() says POLLIN when there was news since the last read(), which gives a uint64_t: how often
 * (see RF_DOMAIN_HYPERVISOR in event.h: somebody printed, ended, is gone). It waits until there is some, unless
 * the file is O_NONBLOCK. A file that was just opened has news, so whoever looks at everything whenever
 * there is some misses nothing.
 */
#ifndef RINGFENCE_ABI_CONTROL_DEVICE_H
#define RINGFENCE_ABI_CONTROL_DEVICE_H

#include <stdint.h>

#include "counters.h"
#include "domain.h"

#define RF_CONTROL_DEVICE "/dev/ringfence"

struct rf_control_domain {
	uint32_t domain;
	uint32_t reserved; /* must be zero, here and below */
};

struct rf_control_create {
	uint32_t domain; /* out */
	uint32_t reserved;
	struct rf_domain_config config;
};

struct rf_control_set {
	uint32_t domain;
	uint32_t reserved;
	struct rf_domain_set set;
};

struct rf_control_copy {
	uint32_t domain;
	uint32_t count;
	uint64_t operations; /* address of so many rf_domain_copy, at most RF_COPY_MAX; all of them are done */
};

struct rf_control_trigger {
	uint32_t domain;
	uint32_t what;
	uint64_t argument;
	uint64_t length;
};

struct rf_control_info {
	uint32_t domain;
	uint32_t reserved;
	struct rf_domain_info info; /* out */
};

struct rf_control_console {
	uint32_t domain; /* RF_DOMAIN_HYPERVISOR too, and not one's own */
	uint32_t length;
	uint64_t text;	   /* address of so many bytes */
	uint64_t position; /* in, out */
};

struct rf_control_counters {
	uint32_t domain;
	uint32_t vcpu;
	struct rf_counters counters; /* out */
};

struct rf_control_memory {
	uint32_t domain; /* not one's own */
	uint32_t count;
	uint64_t extents; /* address of so many rf_memory_extent */
};

/* As Linux makes numbers of what goes in and out. */
#define RF_CONTROL(number, type)                                                                   \
	(3U << 30 | (uint32_t)sizeof(struct type) << 16 | (uint32_t)'R' << 8 | (number))

#define RF_CONTROL_LOCK		   RF_CONTROL(0, rf_control_domain)
#define RF_CONTROL_DOMAIN_CREATE   RF_CONTROL(1, rf_control_create)
#define RF_CONTROL_DOMAIN_SET	   RF_CONTROL(2, rf_control_set)
#define RF_CONTROL_DOMAIN_COPY	   RF_CONTROL(3, rf_control_copy)
#define RF_CONTROL_DOMAIN_TRIGGER  RF_CONTROL(4, rf_control_trigger)
#define RF_CONTROL_DOMAIN_INFO	   RF_CONTROL(5, rf_control_info)
#define RF_CONTROL_DOMAIN_DESTROY  RF_CONTROL(6, rf_control_domain)
#define RF_CONTROL_CONSOLE_READ	   RF_CONTROL(7, rf_control_console)
#define RF_CONTROL_COUNTERS	   RF_CONTROL(8, rf_control_counters)
#define RF_CONTROL_MEMORY_POPULATE RF_CONTROL(9, rf_control_memory)
#define RF_CONTROL_MEMORY_RELEASE  RF_CONTROL(10, rf_control_memory)

_Static_assert(sizeof(struct rf_control_domain) == 8, "rf_control_domain layout");
_Static_assert(sizeof(struct rf_control_create) == 128, "rf_control_create layout");
_Static_assert(sizeof(struct rf_control_set) == 136, "rf_control_set layout");
_Static_assert(sizeof(struct rf_control_copy) == 16, "rf_control_copy layout");
_Static_assert(sizeof(struct rf_control_trigger) == 24, "rf_control_trigger layout");
_Static_assert(sizeof(struct rf_control_info) == 168, "rf_control_info layout");
_Static_assert(sizeof(struct rf_control_console) == 24, "rf_control_console layout");
_Static_assert(sizeof(struct rf_control_counters) == 712, "rf_control_counters layout");
_Static_assert(sizeof(struct rf_control_memory) == 16, "rf_control_memory layout");

#endif
