// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf help`: the list of verbs, one verb, or what else is made from their table.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <string.h>

#include "toolstack/rf/help.h"
#include "toolstack/rf/verbs.h"

static const struct {
	const char *option;
	void (*print)(void);
} texts[] = {
	{ "completion", help_completion },
	{ "manual", help_manual },
	{ "markdown", help_markdown },
	{ "config", help_config },
};

static json_t *options_to_json(const struct verb *verb)
{
	json_t *options = json_array();

	for (const struct verb_option *o = verb->options; o && o->name; o++) {
		json_t *option = json_pack("{s:s, s:s, s:s*}", "name", o->name, "help", o->help,
					   "value", o->value);

		if (o->letter)
			json_object_set_new(option, "letter", json_sprintf("%c", o->letter));
		json_array_append_new(options, option);
	}
	return options;
}

static void print_json(void)
{
	json_t *list = json_array();

	for (const struct verb *verb = verbs; verb->name; verb++)
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:o}", "verb",
						      verb->name, "words", verb->words, "group",
						      verb->group, "summary", verb->summary,
						      "options", options_to_json(verb)));
	json_dumpf(list, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(list);
}

enum status verb_help(struct command *command)
{
	const struct verb *verb;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (!command_option(command, texts[i].option))
			continue;
		texts[i].print();
		return STATUS_OK;
	}
	if (command->count == 0 && command->json)
		print_json();
	else if (command->count == 0)
		help_overview(stdout);
	if (command->count == 0)
		return STATUS_OK;
	verb = command_find(command->words[0]);
	if (!verb)
		return command_fail(command, STATUS_NOT_FOUND, "no verb '%s'", command->words[0]);
	return help_verb(verb);
}
