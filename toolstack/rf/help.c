// SPDX-License-Identifier: BSD-2-Clause
/*
 * Help on a terminal: the list of verbs, and one verb.
 *
 * Interface: help.h. Locks: none.
 */
#include "toolstack/rf/help.h"

#include <string.h>

#define WIDTH 78

void help_overview(FILE *out)
{
	const char *group = "";

	fprintf(out, "usage: rf VERB [OPTION]... [WORD]...\n");
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (strcmp(verb->group, group))
			fprintf(out, "\n%s:\n", verb->group);
		group = verb->group;
		fprintf(out, "  %-10s %s\n", verb->name, verb->summary);
	}
	fprintf(out,
		"\nEvery verb has --json and --help; `rf help VERB` explains it.\n"
		"exit status: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 busy or out of time\n");
}

static void print_option(char letter, const char *name, const char *value, const char *text)
{
	char left[40];

	snprintf(left, sizeof(left), "%c%c%s--%s%s%s", letter ? '-' : ' ', letter ? letter : ' ',
		 letter ? ", " : "  ", name, value ? " " : "", value ? value : "");
	printf("  %-26s %s\n", left, text);
}

/* Lines of at most so many characters; an end of line in the text is one. */
static void print_wrapped(const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " \n");

		if (column && column + length > WIDTH) {
			putchar('\n');
			column = 0;
		}
		printf("%.*s", (int)length, text);
		column += length + 1;
		text += length;
		if (*text == '\n' || (*text == ' ' && column <= WIDTH))
			putchar(*text);
		column = *text == '\n' ? 0 : column;
		text += *text != 0;
	}
	putchar('\n');
}

enum status help_verb(const struct verb *verb)
{
	printf("usage: rf %s [OPTION]...%s%s\n\n%s.\n", verb->name, *verb->words ? " " : "",
	       verb->words, verb->summary);
	if (*verb->details) {
		putchar('\n');
		print_wrapped(verb->details);
	}
	printf("\n");
	for (const struct verb_option *o = verb->options; o && o->name; o++)
		print_option(o->letter, o->name, o->value, o->help);
	print_option('j', "json", NULL, "print JSON");
	print_option('h', "help", NULL, "print this");
	return STATUS_OK;
}
