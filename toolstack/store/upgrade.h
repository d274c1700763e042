/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_UPGRADE_H
#define STORE_UPGRADE_H

#include "server.h"

/*
 * Executes the program anew with these arguments; file descriptors stay. Returns only if that fails, and then
 * everything is as it was.
 */
void upgrade_execute(struct server *server, const char *program, char *const arguments[]);

/* In the new program, after its journal has been read: the state that its argument UPGRADE_OPTION=FILE names. */
#define UPGRADE_OPTION "--resume"
bool upgrade_resume(struct server *server, int file);

/* The state as bytes, and back; for upgrade_execute and for tests. */
void upgrade_save(const struct server *server, struct buffer *state);
bool upgrade_load(struct server *server, const char *state, size_t length);

#endif
