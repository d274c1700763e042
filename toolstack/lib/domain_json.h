/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains and the node as JSON, the same for every verb of `rf` and every answer of rfd (domain_json.c). */
#ifndef TOOLSTACK_LIB_DOMAIN_JSON_H
#define TOOLSTACK_LIB_DOMAIN_JSON_H

#include <jansson.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"

json_t *domain_json_make(const struct rf_domain_info *info);
/* A list of all domains. */
json_t *domain_json_all(struct access *access);
/* The same, and what it was made from, if that is known. */
json_t *domain_json_whole(const struct rf_domain_info *info);
/* The machine; any domain's info has it. */
json_t *domain_json_node(struct access *access, const struct rf_domain_info *info);
/* Adds an object for each virtual processor to a list. */
void domain_json_add_vcpus(struct access *access, const struct rf_domain_info *info, json_t *list);

#endif
