/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_CHECK_H
#define STORE_CHECK_H

#include <stdbool.h>
#include <stddef.h>

struct store;

/* Counts everything again. text says "OK", or the first thing that is wrong, and false is returned. */
bool check_store(struct store *store, char *text, size_t size);

#endif
