/* SPDX-License-Identifier: MIT */
/*
 * The domain: who it is, how it ends, what it may know about itself and others, and how the control
 * domain makes, builds and drives others.
 *
 * A domain that domain_create made has no memory and is paused. memory_populate gives it memory,
 * domain_copy puts an image there and looks at it, domain_set says where it starts and, last, that it
 * runs. What it asks for and how it ends is seen by domain_info; RF_DOMAIN_HYPERVISOR's event port
 * says when to look.
 */
#ifndef RINGFENCE_ABI_DOMAIN_H
#define RINGFENCE_ABI_DOMAIN_H

#include <stdint.h>

#define RF_DOMAIN_SELF	     0x7ff0U
#define RF_DOMAIN_HYPERVISOR 0x7ff1U /* no domain: console_read of its log, event_listen for news */
#define RF_DOMAIN_NEXT	     0x8000U /* domain_info: plus a number: the first from that on */
#define RF_DOMAIN_NAME_SIZE  32	     /* 1 to 31 letters, digits, '-', '_', '.'; and a zero */

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
#define RF_DOMAIN_PAUSED     5 /* it may not run until domain_set lets it */

/* domain_trigger: what */
#define RF_TRIGGER_POWEROFF  0 /* it is asked to end */
#define RF_TRIGGER_REBOOT    1
#define RF_TRIGGER_SYSRQ     2 /* argument: the key; comes as RF_CONSOLE_BREAK and the key, typed */
#define RF_TRIGGER_INPUT     3 /* argument: address of what is typed for it */
#define RF_TRIGGER_NMI	     4 /* argument: its vCPU, which must be up */
#define RF_TRIGGERS	     5

#define RF_TRIGGER_INPUT_MAX 256 /* bytes a call */

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
	uint64_t serial; /* unlike its number, no other domain's until the machine restarts */
	uint64_t console_bytes; /* that it has printed: where console_read's positions end */
	uint32_t weight;	/* of its vCPU 0 */
	uint32_t cap;
	uint32_t requests; /* how often it was asked to end; its own vCPUs look whether it was again */
	uint32_t request;	 /* RF_TRIGGER_POWEROFF or _REBOOT: the last of them */
	uint64_t machine_frames; /* all RAM; this and what follows: zero unless the control domain asks */
	uint64_t machine_frames_free;
	uint32_t machine_cpus;
	uint32_t reserved0;
	uint64_t machine_tsc_khz;
};

/* domain_create */
#define RF_CREATE_SERIAL	1	     /* what it prints goes to the serial line, too */
#define RF_CREATE_FRAMES_MAX	(1ULL << 30) /* 4 TiB */
#define RF_CREATE_SHADOW_FRAMES 8192	     /* at most; by default 1/64 of its memory, or 512 */

struct rf_domain_config {
	char name[RF_DOMAIN_NAME_SIZE];
	uint32_t vcpus;		/* 1 to RF_MAX_VCPUS */
	uint32_t flags;		/* RF_CREATE_* */
	uint64_t frames_max;	/* its limit, and the first guest frame it cannot have; not zero */
	uint64_t shadow_frames; /* 0: the default */
	uint64_t reserved[8];	/* must be zero */
};

/* domain_set: which fields of the structure count. One that does not is not looked at. */
#define RF_SET_NAME	  0x01
#define RF_SET_START	  0x02 /* entry, root, argument; before it has started */
#define RF_SET_FRAMES_MAX 0x04 /* at most what it was created with */
#define RF_SET_WEIGHT	  0x08 /* 1 to 65535; 256 is the default; of each vCPU */
#define RF_SET_CAP	  0x10 /* percent of a CPU, for each vCPU; 0 and 100: none */
#define RF_SET_AFFINITY	  0x20 /* vcpu, affinity */
#define RF_SET_PAUSED	  0x40 /* the first time that it is set to 0 starts the domain */
#define RF_SET_ALL	  0x7f
#define RF_SET_EVERY_VCPU 0xffffffffU

struct rf_domain_set {
	uint32_t mask;
	uint32_t paused; /* 0 or 1 */
	uint32_t weight;
	uint32_t cap;
	uint32_t vcpu; /* whose affinity, or RF_SET_EVERY_VCPU */
	uint32_t reserved0;
	uint64_t affinity; /* bits of CPUs, one of them there */
	uint64_t frames_max;
	uint64_t entry;	   /* where vCPU 0 starts, as start_info.h says: virtual address, */
	uint64_t root;	   /* guest-physical address of its level-4 table, */
	uint64_t argument; /* and what RDI holds: guest-physical address of the start information */
	char name[RF_DOMAIN_NAME_SIZE];
	uint64_t reserved1[4];
};

/*
 * domain_copy: between the memory of a domain and the caller's. Operations are done in order; after
 * RF_COPY_BYTES a call stops. How many it did is returned; if not even the first, its error.
 */
#define RF_COPY_FROM  0 /* the domain's memory to the caller's */
#define RF_COPY_TO    1
#define RF_COPY_MAX   512	/* operations a call */
#define RF_COPY_SIZE  65536	/* bytes an operation */
#define RF_COPY_BYTES (1 << 20) /* a call that has done so many stops */

struct rf_domain_copy {
	uint32_t direction;
	uint32_t size;
	uint64_t physical; /* guest-physical address in the domain */
	uint64_t address;  /* virtual address of the caller */
};

_Static_assert(sizeof(struct rf_domain_info) == 160, "rf_domain_info layout");
_Static_assert(sizeof(struct rf_domain_config) == 120, "rf_domain_config layout");
_Static_assert(sizeof(struct rf_domain_set) == 128, "rf_domain_set layout");
_Static_assert(sizeof(struct rf_domain_copy) == 24, "rf_domain_copy layout");

#endif
