/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_KEYS_H
#define BACKENDS_COMMON_KEYS_H

/* Keys of the store as numbers, in a folder whose path is given: what docs/io.md says of them. */
#include <stdbool.h>
#include <stdint.h>

#include "toolstack/store/client/rfstore.h"

#define KEYS_PATH 256

/* States of devices. */
enum keys_state {
	STATE_NONE, /* there is no such key, or no such number */
	STATE_INITIALISING,
	STATE_WAITING,
	STATE_INITIALISED,
	STATE_CONNECTED,
	STATE_CLOSING,
	STATE_CLOSED,
};

/* False: it is not there, no decimal number, or out of range. */
bool keys_number(struct rfstore *store, const char *folder, const char *name, uint64_t least,
		 uint64_t most, uint64_t *value);
/* Nothing is written into a folder that is not there. */
bool keys_write(struct rfstore *store, const char *folder, const char *name, uint64_t value);
bool keys_write_text(struct rfstore *store, const char *folder, const char *name, const char *text);
void keys_remove(struct rfstore *store, const char *folder, const char *name);
/* NULL: it is not there. free() it. */
char *keys_text(struct rfstore *store, const char *folder, const char *name);
bool keys_there(struct rfstore *store, const char *path);
enum keys_state keys_state(struct rfstore *store, const char *folder);

#endif
