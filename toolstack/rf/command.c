// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line, read by the table of verbs; errors, in one form for all verbs.
 *
 * Interface: command.h. Locks: none, one thread.
 * Odd: every verb has --json and --help, which no table names. Options may stand anywhere among the
 * words, until `--`.
 */
#include "toolstack/rf/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/rf/help.h"

#define FIRST_VALUE 256 /* what getopt_long returns for the verb's first option */
#define VALUE_HELP  (FIRST_VALUE + COMMAND_OPTIONS_MAX)
#define VALUE_JSON  (VALUE_HELP + 1)

const struct verb *command_find(const char *name)
{
	for (const struct verb *verb = verbs; verb->name; verb++)
		if (!strcmp(verb->name, name))
			return verb;
	return NULL;
}

/* --- Errors --- */

static void print_failure(const struct command *command, enum status status, const char *text)
{
	json_t *object;

	if (!command->json) {
		fprintf(stderr, "rf %s: %s\n", command->verb->name, text);
		return;
	}
	object = json_pack("{s:s, s:i}", "error", text, "status", (int)status);
	json_dumpf(object, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(object);
}

enum status command_fail(const struct command *command, enum status status, const char *format, ...)
{
	char text[REPORT_LINE + 64];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	print_failure(command, status, text);
	return status;
}

void command_warn(const struct command *command, const struct report *report)
{
	unsigned kept = report->warnings < REPORT_WARNINGS ? report->warnings : REPORT_WARNINGS;

	for (unsigned i = 0; i < kept; i++)
		fprintf(stderr, "rf %s: warning: %s\n", command->verb->name, report->warning[i]);
	if (report->warnings > kept)
		fprintf(stderr, "rf %s: warning: and %u more\n", command->verb->name,
			report->warnings - kept);
}

static enum status wrong_usage(const struct command *command, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static enum status wrong_usage(const struct command *command, const char *format, ...)
{
	char text[REPORT_LINE];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return command_fail(command, STATUS_USAGE, "%s (rf help %s)", text, command->verb->name);
}

bool command_number(const struct command *command, const char *what, const char *word,
		    unsigned long long min, unsigned long long max, unsigned long long *number)
{
	char *end = NULL;

	errno = 0;
	if (strspn(word, "0123456789"))
		*number = strtoull(word, &end, 10);
	if (end && !*end && !errno && *number >= min && *number <= max)
		return true;
	wrong_usage(command, "%s '%s': should be a number from %llu to %llu", what, word, min, max);
	return false;
}

/* --- Options --- */

static unsigned count_options(const struct verb *verb)
{
	unsigned count = 0;

	while (verb->options && verb->options[count].name)
		count++;
	return count;
}

const char *command_option(const struct command *command, const char *name)
{
	unsigned count = count_options(command->verb);

	for (unsigned i = 0; i < count; i++)
		if (!strcmp(command->verb->options[i].name, name))
			return command->values[i];
	return NULL;
}

/* The table in getopt's form: long options, and the letters of those that have one. */
static void translate(const struct verb *verb, struct option *long_options, char *letters)
{
	unsigned count = count_options(verb);

	*letters++ = ':'; /* a missing value is told apart */
	*letters++ = 'h';
	*letters++ = 'j';
	for (unsigned i = 0; i < count; i++) {
		const struct verb_option *o = &verb->options[i];

		long_options[i] = (struct option){ o->name,
						   o->value ? required_argument : no_argument, NULL,
						   FIRST_VALUE + (int)i };
		if (!o->letter)
			continue;
		*letters++ = o->letter;
		if (o->value)
			*letters++ = ':';
	}
	long_options[count] = (struct option){ "help", no_argument, NULL, VALUE_HELP };
	long_options[count + 1] = (struct option){ "json", no_argument, NULL, VALUE_JSON };
	*letters = 0;
}

static int number_of(const struct verb *verb, int value)
{
	unsigned count = count_options(verb);

	if (value >= FIRST_VALUE)
		return value - FIRST_VALUE;
	for (unsigned i = 0; i < count; i++)
		if (verb->options[i].letter == value)
			return (int)i;
	return -1;
}

/* getopt stays at a word of several letters until its last one. */
static enum status no_option(const struct command *command, const char *word)
{
	if (optopt > 0 && optopt < FIRST_VALUE)
		return wrong_usage(command, "no option '-%c'", optopt);
	return wrong_usage(command, "no option '%s'", word);
}

static enum status read_options(struct command *command, int count, char **words, bool *help)
{
	struct option long_options[COMMAND_OPTIONS_MAX + 3] = { 0 };
	char letters[2 * COMMAND_OPTIONS_MAX + 4];
	int value;

	translate(command->verb, long_options, letters);
	opterr = 0;
	while ((value = getopt_long(count, words, letters, long_options, NULL)) != -1) {
		if (value == '?')
			return no_option(command, words[optind - 1]);
		if (value == ':')
			return wrong_usage(command, "option '%s' needs a value", words[optind - 1]);
		if (value == 'h' || value == VALUE_HELP)
			*help = true;
		else if (value == 'j' || value == VALUE_JSON)
			command->json = true;
		else
			command->values[number_of(command->verb, value)] = optarg ? optarg : "";
	}
	return STATUS_OK;
}

int command_run(const struct verb *verb, int count, char **words)
{
	struct command command = { .verb = verb };
	bool help = false;
	enum status status = read_options(&command, count, words, &help);

	if (status != STATUS_OK)
		return status;
	if (help)
		return help_verb(verb);
	command.count = (unsigned)(count - optind);
	command.words = words + optind;
	if (command.count < verb->least)
		return wrong_usage(&command, "%s is missing", verb->words);
	if (command.count > verb->most)
		return wrong_usage(&command, "'%s' is too much", command.words[verb->most]);
	status = verb->run(&command);
	if (fflush(stdout) && status == STATUS_OK)
		status = command_fail(&command, STATUS_FAILED, "output: %s", strerror(errno));
	return status;
}
