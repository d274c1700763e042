/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_JAIL_H
#define BACKENDS_COMMON_JAIL_H

/*
 * What a back end gives up before it looks at anything of a guest: its user (when it was root), every capability,
 * the file system, new programs, and every system call but those that its loop and its link need. What is open stays
 * open. There is no way back.
 */
#include <stdbool.h>
#include <stddef.h>

/* False: the text says what could not be given up; then nothing may be served. */
bool jail_enter(unsigned user, char *error, size_t size);

#endif
