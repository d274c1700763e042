/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain as JSON, the same for every verb that prints one (domain_json.c). */
#ifndef TOOLSTACK_RF_DOMAIN_JSON_H
#define TOOLSTACK_RF_DOMAIN_JSON_H

#include <jansson.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"

json_t *domain_json_make(const struct rf_domain_info *info);
/* A list of all domains. */
json_t *domain_json_all(struct access *access);

#endif
