/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_SETTINGS_H
#define BACKENDS_NET_SETTINGS_H

/* What the toolstack wrote into the private folder of an interface. */
#include <stddef.h>

#include "backends/net/message.h"
#include "toolstack/store/client/rfstore.h"

/* False: the text says which key is wrong. */
bool settings_read(struct rfstore *store, const char *folder, struct message_settings *settings,
		   char *error, size_t size);

#endif
