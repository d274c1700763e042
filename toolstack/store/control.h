/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CONTROL_H
#define STORE_CONTROL_H

#include <stddef.h>

struct session;

/* A command of domain 0, with a parameter or NULL. What it has to say is in text, which ends with a zero. */
int control_do(struct session *session, const char *command, const char *parameter, char *text,
	       size_t size);

#endif
