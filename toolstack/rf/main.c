// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf`, the command of the control domain: finds the verb in the table and runs it.
 *
 * Odd: exit statuses are those of enum status, for every verb.
 */
#include <stdio.h>
#include <string.h>

#include "toolstack/rf/command.h"
#include "toolstack/rf/help.h"

static bool is_word(const char *word, const char *option, const char *letter)
{
	return !strcmp(word, option) || !strcmp(word, letter);
}

int main(int count, char **words)
{
	const struct verb *verb;

	if (count < 2) {
		help_overview(stderr);
		return STATUS_USAGE;
	}
	if (is_word(words[1], "--help", "-h"))
		words[1] = (char *)"help";
	if (is_word(words[1], "--version", "-V"))
		words[1] = (char *)"version";
	verb = command_find(words[1]);
	if (!verb) {
		fprintf(stderr, "rf: no verb '%s' (rf help)\n", words[1]);
		return STATUS_USAGE;
	}
	return command_run(verb, count - 1, words + 1);
}
