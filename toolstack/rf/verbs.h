/* SPDX-License-Identifier: BSD-2-Clause */
/* What each verb's file has for the table in verbs.c. */
#ifndef TOOLSTACK_RF_VERBS_H
#define TOOLSTACK_RF_VERBS_H

#include "toolstack/rf/command.h"

enum status verb_check(struct command *command);
enum status verb_help(struct command *command);
enum status verb_version(struct command *command);

#endif
