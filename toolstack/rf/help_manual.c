// SPDX-License-Identifier: BSD-2-Clause
/*
 * Longer texts made from the table of verbs and that of configuration keys: docs/rf.md, the table in
 * docs/config.md, the manual page, and completion for bash.
 *
 * Interface: help.h. Locks: none.
 */
#include <string.h>

#include "toolstack/lib/config.h"
#include "toolstack/rf/help.h"

static bool starts_group(const struct verb *verb)
{
	return verb == verbs || strcmp(verb[-1].group, verb->group);
}

/* --- Markdown --- */

static void print_markdown_options(const struct verb *verb)
{
	if (!verb->options)
		return;
	printf("\n| Option | Meaning |\n|---|---|\n");
	for (const struct verb_option *o = verb->options; o->name; o++) {
		printf("| ");
		if (o->letter)
			printf("`-%c`, ", o->letter);
		printf("`--%s%s%s` | %s |\n", o->name, o->value ? " " : "",
		       o->value ? o->value : "", o->help);
	}
}

void help_markdown(void)
{
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (starts_group(verb))
			printf("\n## %s\n", verb->group);
		printf("\n### `rf %s%s%s`\n\n%s.\n", verb->name, *verb->words ? " " : "",
		       verb->words, verb->summary);
		if (*verb->details)
			printf("\n%s\n", verb->details);
		print_markdown_options(verb);
	}
}

static void print_values(const struct config_key *key)
{
	char max[32];

	switch (key->kind) {
	case KIND_NAME:
		printf("1 to %llu letters, digits, dots, dashes, underscores, not only digits",
		       (unsigned long long)key->max);
		break;
	case KIND_UUID:
		printf("hexadecimal digits, 8-4-4-4-12");
		break;
	case KIND_TEXT:
		printf("a text of at most %llu bytes", (unsigned long long)key->max);
		break;
	case KIND_FILE:
		printf("a file's name, relative to the configuration's folder");
		break;
	case KIND_SIZE:
		printf("a size from %lluK to %s", (unsigned long long)key->min >> 10,
		       config_size_max(key, max, sizeof(max)));
		break;
	case KIND_NUMBER:
		printf("%llu to %llu", (unsigned long long)key->min, (unsigned long long)key->max);
		break;
	case KIND_CPU_LIST:
		printf("numbers from 0 to %llu", (unsigned long long)key->max);
		break;
	case KIND_CHOICE:
		for (const char *const *choice = key->choices; *choice; choice++)
			printf("%s`\"%s\"`", choice == key->choices ? "" : ", ", *choice);
		break;
	case KIND_DISKS:
	case KIND_NETS:
		printf("a list of at most %llu objects or texts", (unsigned long long)key->max);
		break;
	}
}

void help_config(void)
{
	printf("| Key | Values | Default | Meaning |\n|---|---|---|---|\n");
	for (const struct config_key *key = config_keys; key->name; key++) {
		printf("| `%s` | ", key->name);
		print_values(key);
		printf(" | %s | %s |\n", key->initial, key->help);
	}
}

/* --- The manual page --- */

/* Backquotes are Markdown; a line must not begin with a dot. */
static void print_roff(const char *text)
{
	bool start = true;

	for (; *text; text++) {
		if (start && (*text == '.' || *text == '\''))
			printf("\\&");
		start = *text == '\n';
		if (*text == '\\')
			printf("\\e");
		else if (*text == '-')
			printf("\\-");
		else if (*text != '`')
			putchar(*text);
	}
	putchar('\n');
}

static void print_roff_verb(const struct verb *verb)
{
	printf(".SS \"rf %s %s\"\n", verb->name, verb->words);
	print_roff(verb->summary);
	if (*verb->details) {
		printf(".PP\n");
		print_roff(verb->details);
	}
	for (const struct verb_option *o = verb->options; o && o->name; o++) {
		printf(".TP\n");
		if (o->letter)
			printf("\\fB\\-%c\\fR, ", o->letter);
		printf("\\fB\\-\\-%s\\fR %s\n", o->name, o->value ? o->value : "");
		print_roff(o->help);
	}
}

void help_manual(void)
{
	printf(".TH RF 8 \"\" \"Ringfence %s\"\n.SH NAME\nrf \\- domains of Ringfence\n"
	       ".SH SYNOPSIS\n.B rf\nVERB [OPTION]... [WORD]...\n.SH DESCRIPTION\n"
	       "Makes, watches and ends the domains of a Ringfence node, from its control domain.\n"
	       "Every verb has \\-\\-json and \\-\\-help.\n",
	       RF_VERSION);
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (starts_group(verb))
			printf(".SH \"%s\"\n", verb->group);
		print_roff_verb(verb);
	}
	printf(".SH \"EXIT STATUS\"\n0 done, 1 failed, 2 wrong usage, 3 not found, 4 busy or out of "
	       "time.\n");
}

/* --- Completion --- */

static void print_completion_verb(const struct verb *verb)
{
	static const char *const words[] = {
		[WORDS_NONE] = "",
		[WORDS_DOMAIN] = "$(rf list --names 2>/dev/null)",
		[WORDS_DEFINITION] = "$(rf definitions --names 2>/dev/null)",
		[WORDS_FILE] = "$(compgen -f -- \"$word\")",
		[WORDS_VERB] = "$verbs",
	};

	printf("\t%s) options=\"--json --help", verb->name);
	for (const struct verb_option *o = verb->options; o && o->name; o++)
		printf(" --%s", o->name);
	printf("\" words=\"%s\" ;;\n", words[verb->complete]);
}

void help_completion(void)
{
	printf("# Completion of rf for bash, made by `rf help --completion`.\n_rf()\n{\n"
	       "\tlocal word=${COMP_WORDS[COMP_CWORD]} options= words= verbs=\"");
	for (const struct verb *verb = verbs; verb->name; verb++)
		printf("%s%s", verb == verbs ? "" : " ", verb->name);
	printf("\"\n\tCOMPREPLY=()\n"
	       "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	       "\t\tCOMPREPLY=($(compgen -W \"$verbs\" -- \"$word\"))\n\t\treturn\n\tfi\n"
	       "\tcase ${COMP_WORDS[1]} in\n");
	for (const struct verb *verb = verbs; verb->name; verb++)
		print_completion_verb(verb);
	printf("\tesac\n\t[[ $word = -* ]] && words=$options\n"
	       "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
	       "complete -o default -F _rf rf\n");
}
