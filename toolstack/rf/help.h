/* SPDX-License-Identifier: BSD-2-Clause */
/* What is made from the table of verbs: help, the manual, completion for bash (help.c, help_manual.c). */
#ifndef TOOLSTACK_RF_HELP_H
#define TOOLSTACK_RF_HELP_H

#include <stdio.h>

#include "toolstack/rf/command.h"

void help_overview(FILE *out);
enum status help_verb(const struct verb *verb);
/* docs/rf.md. */
void help_markdown(void);
/* The table of docs/config.md. */
void help_config(void);
/* For man. */
void help_manual(void);
void help_completion(void);

#endif
