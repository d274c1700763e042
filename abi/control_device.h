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
 *
 * A port that was made by RF_CONTROL_EVENT_LISTEN or _CONNECT is a file of its own. It is readable when
 * the port was raised; read() gives a uint64_t, 1, and only then may the port be raised again, so whatever the
 * other domain does, it costs one wakeup a read(). write() of a uint64_t, whatever it is, sends an event
 * (ENOTCONN: nobody is connected). close() closes the port.
 *
 * RF_CONTROL_GRANT_MAP maps frames of grants, one after another, and says at which offset mmap() has them:
 * shared, from that offset on, and as long as they are. RF_CONTROL_GRANT_UNMAP gives them back; that takes effect,
 * and the granter sees it, when they are mapped nowhere any more and the kernel is done with what the
 * program had it do with them (as O_DIRECT). Frames that the control domain's start information does not have
 * as RAM can be shown, but not be used so (EFAULT).
 *
 * What was made by a file lasts as long as it at most: when its last descriptor is gone (mmap() has it,
 * too), the grants are unmapped, then its ports close, and say so to the other domains. A file that has
 * ports or grants cannot be locked any more (EBUSY).
 */
#ifndef RINGFENCE_ABI_CONTROL_DEVICE_H
#define RINGFENCE_ABI_CONTROL_DEVICE_H

#include <stdint.h>

#include "counters.h"
#include "domain.h"
#include "grant.h"

#define RF_CONTROL_DEVICE "/dev/ringfence"

struct rf_control_domain {
	uint32_t domain;
	uint32_t reserved; /* must be zero, here and below */
};

/*
 * create: flags. The domain is destroyed when the file is closed, unless RF_CONTROL_DOMAIN_KEEP has come before: so
 * nothing is left of it if the program that builds it is killed.
 */
#define RF_CONTROL_CREATE_FLEETING 1

struct rf_control_create {
	uint32_t domain; /* out */
	uint32_t flags;
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

struct rf_control_event {
	uint32_t domain; /* who may connect; or whose port to connect to. Another one */
	uint32_t port;	 /* connect: its port. Out: the number of the new one */
	int32_t file;	 /* out: the port's own, a descriptor that execve() closes */
	uint32_t reserved;
};

#define RF_CONTROL_PORTS 1024 /* that one file may have */

/* Frames [first, first + count) of a grant. */
struct rf_control_segment {
	uint32_t grant;
	uint32_t first;
	uint32_t count;
	uint32_t reserved;
};

#define RF_CONTROL_GRANTS	256  /* that one file may have mapped, by so many calls */
#define RF_CONTROL_GRANT_FRAMES 1024 /* in each */

struct rf_control_grant_map {
	uint32_t domain; /* another one */
	uint32_t count;
	uint64_t segments; /* address of so many rf_control_segment */
	uint32_t flags;	   /* as of struct rf_grant_map */
	uint32_t reserved;
	uint64_t offset; /* out: for mmap() and RF_CONTROL_GRANT_UNMAP */
};

struct rf_control_grant_unmap {
	uint32_t domain;
	uint32_t reserved;
	uint64_t offset;
};

/* `own` is an address of the program's; the bytes neither cross the end of a page of it nor of the grant. */
struct rf_control_grant_piece {
	uint32_t direction; /* RF_COPY_FROM or RF_COPY_TO the grant */
	uint32_t grant;
	uint32_t address; /* from the start of the grant */
	uint32_t bytes;
	uint64_t own;
};

struct rf_control_grant_copy {
	uint32_t domain;
	uint32_t count;	 /* at most RF_COPY_MAX; out of the call comes how many were done */
	uint64_t pieces; /* address of so many rf_control_grant_piece */
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
#define RF_CONTROL_EVENT_LISTEN	   RF_CONTROL(11, rf_control_event)
#define RF_CONTROL_EVENT_CONNECT   RF_CONTROL(12, rf_control_event)
#define RF_CONTROL_GRANT_MAP	   RF_CONTROL(13, rf_control_grant_map)
#define RF_CONTROL_GRANT_UNMAP	   RF_CONTROL(14, rf_control_grant_unmap)
#define RF_CONTROL_GRANT_COPY	   RF_CONTROL(15, rf_control_grant_copy)
#define RF_CONTROL_DOMAIN_KEEP                                                                     \
	RF_CONTROL(16, rf_control_domain) /* ENOENT: this file has no such one */

_Static_assert(sizeof(struct rf_control_domain) == 8, "rf_control_domain layout");
_Static_assert(sizeof(struct rf_control_create) == 128, "rf_control_create layout");
_Static_assert(sizeof(struct rf_control_set) == 136, "rf_control_set layout");
_Static_assert(sizeof(struct rf_control_copy) == 16, "rf_control_copy layout");
_Static_assert(sizeof(struct rf_control_trigger) == 24, "rf_control_trigger layout");
_Static_assert(sizeof(struct rf_control_info) == 168, "rf_control_info layout");
_Static_assert(sizeof(struct rf_control_console) == 24, "rf_control_console layout");
_Static_assert(sizeof(struct rf_control_counters) == 712, "rf_control_counters layout");
_Static_assert(sizeof(struct rf_control_memory) == 16, "rf_control_memory layout");
_Static_assert(sizeof(struct rf_control_event) == 16, "rf_control_event layout");
_Static_assert(sizeof(struct rf_control_segment) == 16, "rf_control_segment layout");
_Static_assert(sizeof(struct rf_control_grant_map) == 32, "rf_control_grant_map layout");
_Static_assert(sizeof(struct rf_control_grant_unmap) == 16, "rf_control_grant_unmap layout");
_Static_assert(sizeof(struct rf_control_grant_piece) == 24, "rf_control_grant_piece layout");
_Static_assert(sizeof(struct rf_control_grant_copy) == 16, "rf_control_grant_copy layout");

#endif
