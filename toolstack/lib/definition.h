/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests that are defined: their configurations, kept on disk whether they run or not, and which of them start with the
 * node (definition.c).
 */
#ifndef TOOLSTACK_LIB_DEFINITION_H
#define TOOLSTACK_LIB_DEFINITION_H

#include <jansson.h>
#include <stdbool.h>

#include "toolstack/lib/config.h"
#include "toolstack/lib/report.h"
#include "toolstack/lib/status.h"

struct definition {
	struct config config;
	bool autostart;
};

/* Takes the place of one with this name. When it returns STATUS_OK, it is on the disk. */
enum status definition_write(const struct definition *definition, struct report *report);
/* In any case definition_free. */
enum status definition_read(const char *name, struct definition *definition, struct report *report);
void definition_free(struct definition *definition);
enum status definition_remove(const char *name, struct report *report);
/* One changes between reading and writing. */
enum status definition_set_autostart(const char *name, bool autostart, struct report *report);
/* The names, sorted: a list of texts. */
json_t *definition_names(void);
/* As it is shown: name, autostart, and the configuration. */
json_t *definition_json(const struct definition *definition);

#endif
