/* SPDX-License-Identifier: BSD-2-Clause */
/* Makes a domain from a configuration and its images (builder.c). */
#ifndef TOOLSTACK_LIB_BUILDER_H
#define TOOLSTACK_LIB_BUILDER_H

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/image.h"
#include "toolstack/lib/report.h"

/*
 * The domain is complete, and paused. False: nothing is left of it, and the report says what was
 * refused, and why.
 */
bool builder_create(struct access *access, const struct config *config, const struct image *image,
		    struct rf_domain_info *info, struct report *report);

#endif
