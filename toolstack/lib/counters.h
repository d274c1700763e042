/* SPDX-License-Identifier: BSD-2-Clause */
/* What the hypervisor did for a domain, by name (counters.c). */
#ifndef TOOLSTACK_LIB_COUNTERS_H
#define TOOLSTACK_LIB_COUNTERS_H

#include <jansson.h>

#include "abi/counters.h"
#include "abi/domain.h"
#include "toolstack/lib/access.h"

/* Of all its virtual processors; 0, or a negative error. */
int counters_sum(struct access *access, const struct rf_domain_info *info, struct rf_counters *sum);
void counters_subtract(struct rf_counters *from, const struct rf_counters *other);

/* `kind` is entry, hypercall or work. */
typedef void counters_visit(void *context, const char *kind, const char *name, uint64_t count);
void counters_each(const struct rf_counters *counters, counters_visit *visit, void *context);
/* A list of what was counted at all; with how many a second, if it is said how many those were. */
json_t *counters_to_json(const struct rf_counters *counters, const double *seconds);

#endif
