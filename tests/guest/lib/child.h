/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains that a test makes while it runs (the control domain only): tiny ones, of a few pages, that do
 * one thing.
 */
#ifndef CHILD_H
#define CHILD_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/domain.h"

#define CHILD_FRAMES	16 /* all it has */
#define CHILD_MARK_PAGE 8  /* a page that it only writes when it is told to */

enum child_task {
	CHILD_SAYS_HELLO, /* and powers off */
	CHILD_REBOOTS,
	CHILD_CRASHES,
	CHILD_SPINS,  /* counting in its mark, on all its vCPUs */
	CHILD_BLOCKS, /* without end */
	CHILD_FLOODS, /* prints without end */
	CHILD_ECHOES, /* what is typed for it, until it is asked to end: then it does that */
	CHILD_CALLS,  /* hypercalls, counting in its mark */
	CHILD_AWAITS, /* the same as CHILD_SPINS, until an NMI comes: then it reboots */
};

/* What a child finds at the page that its RDI names. */
struct child_orders {
	uint32_t task;
	uint32_t vcpus;
	uint64_t nmi; /* where it takes one */
};

/* What it keeps in its mark page. */
struct child_mark {
	uint64_t count[2]; /* by vCPU */
};

/* An empty one; its number, or the error. */
int64_t child_new(const char *name, uint32_t vcpus);
/* Memory and image. */
void child_build(uint32_t domain, enum child_task task, uint32_t vcpus);
/* Both, paused; ends the test when that cannot be. */
uint32_t child_create(const char *name, enum child_task task, uint32_t vcpus);

/* domain_set with one bit: 0, or the error. */
int64_t child_set_paused(uint32_t domain, bool paused);
int64_t child_set_start(uint32_t domain, uint64_t entry, uint64_t root, uint64_t argument);

/* Copies by domain_copy, in one operation: 0, or the error. */
int64_t child_read(uint32_t domain, void *to, uint64_t physical, uint32_t size);
int64_t child_write(uint32_t domain, uint64_t physical, const void *from, uint32_t size);
struct child_mark child_mark(uint32_t domain);

/* Destroys it, and waits until it is gone. */
void child_end(uint32_t domain);

/*
 * Free frames of the machine. The last of a domain that is gone, its description, comes back a moment
 * later: so this waits until they change no more, or are as many as is said (0: any), ten seconds at most.
 */
uint64_t child_free_frames(uint64_t expected);

#endif
