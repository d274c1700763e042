/* SPDX-License-Identifier: BSD-2-Clause */
/* Real domains, made by domain_create(), for the tests of their life. */
#ifndef FAKE_DOMAIN_H
#define FAKE_DOMAIN_H

#include <stdbool.h>
#include <stdint.h>

struct domain;

/* fake_memory_init, and CPUs that vCPUs can wait for. */
void fake_domain_init(uint64_t ram_frames, uint32_t cpu_number);
/* One vCPU, that much memory, all of it filled unless it is the control domain. */
struct domain *fake_domain_create(bool control, uint64_t frames);
/* Its vCPU 0 is the current one of this CPU, for hypercalls; NULL: none is. */
void fake_domain_run(struct domain *d);
/* Destroys those that are left, and takes all apart. */
void fake_domain_end_all(void);

/*
 * Guest-physical page 0 becomes a root that maps page i of the user half, below 2 MiB, to guest
 * frame i + 4, for the current vCPU; pages 1-3 are tables.
 */
void fake_domain_map(struct domain *d);
/* Where to put things for the guest address: a pointer to its memory. */
void *fake_domain_pointer(struct domain *d, uint64_t address);

#endif
