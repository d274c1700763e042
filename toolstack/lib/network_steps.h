/* SPDX-License-Identifier: BSD-2-Clause */
/* Performs plans of networks, and takes them back (network_steps.c). */
#ifndef TOOLSTACK_LIB_NETWORK_STEPS_H
#define TOOLSTACK_LIB_NETWORK_STEPS_H

#include <jansson.h>
#include <stdbool.h>

#include "toolstack/lib/report.h"

/*
 * The commands that take it back, in the order for that. NULL: nothing of it is left, and the report says what
 * failed.
 */
json_t *network_steps_do(const json_t *plan, struct report *report);
/* What fails is gone already, or cannot be helped. */
void network_steps_undo(const json_t *commands);
/* Has the process of that file read its own files again. */
void network_steps_signal(const char *pid_file, int signal);
bool network_steps_write(const char *path, const char *text);
/* Whether a program is where plans look for it. */
bool network_steps_find(const char *program);

#endif
