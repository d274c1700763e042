/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of `rf`: which verb, with which words and options, and how it ends. verbs.c has the table
 * of verbs, command.c reads the command line by it.
 */
#ifndef TOOLSTACK_RF_COMMAND_H
#define TOOLSTACK_RF_COMMAND_H

#include <jansson.h>
#include <stdbool.h>

#include "toolstack/lib/report.h"
#include "toolstack/lib/status.h"

#define COMMAND_OPTIONS_MAX 8

struct command;

struct verb_option {
	const char *name;
	char letter;	   /* 0: none */
	const char *value; /* NULL: it has none */
	const char *help;
};

/* What a verb's words are, for completion. */
enum verb_words {
	WORDS_NONE,
	WORDS_DOMAIN,
	WORDS_DEFINITION,
	WORDS_FILE,
	WORDS_VERB,
};

struct verb {
	const char *name;
	const char *group;
	const char *words; /* as in the usage */
	unsigned least;	   /* so many words must be there, */
	unsigned most;	   /* and so many may */
	enum verb_words complete;
	const char *summary;
	const char *details;
	const struct verb_option *options; /* NULL: none; else a NULL name at the end */
	enum status (*run)(struct command *command);
};

/* NULL name at the end. */
extern const struct verb verbs[];

struct command {
	const struct verb *verb;
	bool json;
	unsigned count; /* of words */
	char **words;
	const char *values[COMMAND_OPTIONS_MAX]; /* by option: NULL: not given; "": without value */
};

const struct verb *command_find(const char *name);
/* Reads the words after the verb, runs it, and returns the exit status. */
int command_run(const struct verb *verb, int count, char **words);
/* The value of an option of the verb; NULL: it was not given. */
const char *command_option(const struct command *command, const char *name);
/* Says what went wrong, as text or as JSON; returns `status`. */
enum status command_fail(const struct command *command, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Says a report's warnings. */
void command_warn(const struct command *command, const struct report *report);
/* A number of one word, within limits; says what is wrong with it. */
bool command_number(const struct command *command, const char *what, const char *word,
		    unsigned long long min, unsigned long long max, unsigned long long *number);

#endif
