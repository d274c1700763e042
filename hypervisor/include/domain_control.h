/* SPDX-License-Identifier: BSD-2-Clause */
/* What is known of domains, and what the control domain does with others (domain_control.c). */
#ifndef HYPERVISOR_DOMAIN_CONTROL_H
#define HYPERVISOR_DOMAIN_CONTROL_H

#include <stdint.h>

int64_t do_domain_info(uint64_t id, uint64_t to);
int64_t do_domain_destroy(uint64_t id);
int64_t do_domain_create(uint64_t config);
int64_t do_domain_set(uint64_t id, uint64_t set);
int64_t do_domain_trigger(uint64_t id, uint64_t what, uint64_t argument, uint64_t length);

#endif
