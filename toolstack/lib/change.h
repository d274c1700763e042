/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What can be changed of a domain that is there, from values as they are written in configurations (change.c).
 * STATUS_OK, or the report says what was refused.
 */
#ifndef TOOLSTACK_LIB_CHANGE_H
#define TOOLSTACK_LIB_CHANGE_H

#include <jansson.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/report.h"
#include "toolstack/lib/status.h"

/* Another name, that no other has. */
enum status change_name(struct access *access, const struct rf_domain_info *info, const char *name,
			struct report *report);
/* A size: the most memory that it may have. */
enum status change_memory_max(struct access *access, const struct rf_domain_info *info,
			      const json_t *size, struct report *report);
/* A size: the guest is asked to give memory back until it has so much, or to take as much again. */
enum status change_memory(const struct rf_domain_info *info, const json_t *size,
			  struct report *report);
/* The guest is asked to use so many of its virtual processors. */
enum status change_vcpus(const struct rf_domain_info *info, uint32_t count, struct report *report);
/* A list of processors; of one of its own, or RF_SET_EVERY_VCPU. */
enum status change_cpus(struct access *access, const struct rf_domain_info *info, uint32_t vcpu,
			const json_t *cpus, struct report *report);
/* What the mask of the set says; `what` is for the message. */
enum status change_set(struct access *access, const struct rf_domain_info *info,
		       const struct rf_domain_set *set, const char *what, struct report *report);

#endif
