/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What verbs print: they make JSON, and people see a table or lines of it, so both say the same
 * (output.c).
 */
#ifndef TOOLSTACK_RF_OUTPUT_H
#define TOOLSTACK_RF_OUTPUT_H

#include <jansson.h>

#include "toolstack/rf/command.h"

enum output_form {
	OUTPUT_TEXT,	/* to the left */
	OUTPUT_NUMBER,	/* to the right; a real number with one decimal place */
	OUTPUT_MIB,	/* a number of bytes, in MiB */
	OUTPUT_SECONDS, /* a number of nanoseconds, in seconds with one decimal place */
	OUTPUT_CPUS,	/* a list of numbers as 0-3,5; null: all */
};

struct output_column {
	const char *title;
	const char *key; /* of the row's object */
	enum output_form form;
};

/* Rows is a list of objects; columns end with a NULL title. Takes the reference. */
enum status output_table(const struct command *command, const struct output_column *columns,
			 json_t *rows);
/* The same columns, a line each, of one object. Takes the reference. */
enum status output_lines(const struct command *command, const struct output_column *columns,
			 json_t *object);
/* A verb that has done something and has nothing to tell: an empty object as JSON. */
enum status output_done(const struct command *command);
void output_json(const json_t *value);

#endif
