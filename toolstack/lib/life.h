/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How guests begin and end: made from a configuration, which is kept while they run, and removed or made
 * again when they have ended, as it says (life.c).
 */
#ifndef TOOLSTACK_LIB_LIFE_H
#define TOOLSTACK_LIB_LIFE_H

#include <stdbool.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/report.h"

enum life_result {
	LIFE_FAILED, /* the report says why */
	LIFE_REMOVED,
	LIFE_RESTARTED, /* info is that of the new one */
	LIFE_PRESERVED,
	LIFE_OTHERS, /* somebody else has seen to it */
};

/* Makes a domain, and starts it unless it is to be left paused; no two have one name. */
bool life_create(struct access *access, struct config *config, bool paused,
		 struct rf_domain_info *info, struct report *report);
/* What is kept of it must mean the same from any folder: life_create does it itself. */
void life_make_absolute(struct config *config);
/* What it was made from. False: that is not known. */
bool life_recall(const struct rf_domain_info *info, struct config *config, struct report *report);
/* What that says about how it has ended. */
enum config_action life_action(const struct rf_domain_info *info, const struct config *config);
/* Does with a domain that has ended what its configuration says. */
enum life_result life_end(struct access *access, struct rf_domain_info *info,
			  struct report *report);
/* Ends it now, whatever its configuration says. 0, or a negative error. */
int life_destroy(struct access *access, const struct rf_domain_info *info);
/*
 * Takes away what is left of domains that ended in another way: killed with the program that was making them, or
 * destroyed by another. How many.
 */
unsigned life_sweep(struct access *access);
/* That it got another name. */
bool life_rename(const struct rf_domain_info *info, const char *name, struct report *report);

#endif
