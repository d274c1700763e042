/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of the store share (verb_store.c). */
#ifndef TOOLSTACK_RF_VERB_STORE_H
#define TOOLSTACK_RF_VERB_STORE_H

#include "toolstack/rf/command.h"
#include "toolstack/store/client/rfstore.h"

/* STATUS_OK, or what went wrong has been said. */
enum status verb_store_open(const struct command *command, struct rfstore **store);
/* Says what the store answered about a path; error is not 0. */
enum status verb_store_fail(const struct command *command, const char *path, int error);
/* Bytes as text, in which backslashes and what cannot be printed are written as \xHH. free() it. */
char *verb_store_text(const char *value, size_t length);

#endif
