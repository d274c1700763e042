/* SPDX-License-Identifier: MIT */
/* The domain: who it is, how it ends, and what it may know about itself and others. */
#ifndef RINGFENCE_ABI_DOMAIN_H
#define RINGFENCE_ABI_DOMAIN_H

#include <stdint.h>

#define RF_DOMAIN_SELF	     0x7ff0U
#define RF_DOMAIN_NAME_SIZE  32

/* shutdown: reasons */
#define RF_SHUTDOWN_POWEROFF 0
#define RF_SHUTDOWN_REBOOT   1
#define RF_SHUTDOWN_CRASH    2
#define RF_SHUTDOWN_REASONS  3

/* domain_info: states */
#define RF_DOMAIN_RUNNING    1
#define RF_DOMAIN_SHUTDOWN   2 /* it asked to end */
#define RF_DOMAIN_CRASHED    3 /* it did something that ends a domain */
#define RF_DOMAIN_DYING	     4 /* its memory is being given back */

/*
 * audit: the caller has flushed everything it tightened, so its shadows must agree with its tables,
 * too.
 */
#define RF_AUDIT_FLUSHED     0x1

struct rf_domain_info {
	uint32_t domain;
	uint32_t state;
	uint32_t reason; /* RF_SHUTDOWN_* once it is shut down or crashed */
	uint32_t vcpus;
	uint32_t vcpus_up;
	uint32_t control; /* 1 for the control domain */
	uint64_t frames;  /* 4 KiB frames it owns */
	uint64_t frames_max;
	uint64_t shadow_frames; /* in its fixed shadow pool */
	uint64_t shadow_frames_used;
	uint64_t run_ns; /* of all its vCPUs */
	char name[RF_DOMAIN_NAME_SIZE];
};

_Static_assert(sizeof(struct rf_domain_info) == 96, "rf_domain_info layout");

#endif
