/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices in a configuration: lists of objects, each a disk or a network, of which a table says the keys
 * (config_part.c).
 */
#ifndef TOOLSTACK_LIB_CONFIG_PART_H
#define TOOLSTACK_LIB_CONFIG_PART_H

#include "toolstack/lib/config.h"

struct config_part_key {
	const char *name;
	const char *const *choices; /* NULL at the end; NULL: any text, or a number */
	uint64_t min;
	uint64_t max; /* of a number; 0: it is none */
	/* What a text should be, in words; NULL: it is that. May be NULL. */
	const char *(*wrong)(const char *text);
};

struct config_part;

struct config_part_class {
	const char *what;
	const struct config_part_key *keys; /* NULL name at the end */
	size_t most;			    /* of them in a list */
	/* Takes apart what xl.cfg has; the text may be changed. */
	bool (*read_text)(const struct config_part *part, char *text, json_t *object);
	/* When all of its keys are there. */
	bool (*complete)(const struct config_part *part, json_t *object, size_t number);
};

struct config_part {
	const struct config_part_class *class;
	const struct config_place *place;
	struct report *report;
};

/* A list, or one, as a list of objects of texts. */
bool config_part_set(const struct config_part_class *class, json_t **field, const json_t *value,
		     const struct config_place *place, struct report *report);
/* One key, checked. */
bool config_part_put(const struct config_part *part, json_t *object, const char *name,
		     const char *text);
/* The next word before a comma, without blanks around it; NULL: there is none. */
char *config_part_word(char **rest);

#endif
