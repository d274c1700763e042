/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_FRONT_H
#define BACKENDS_NET_FRONT_H

/* What a front end wrote into its folder before it said that its rings are there. */
#include <stddef.h>

#include "backends/net/message.h"
#include "toolstack/store/client/rfstore.h"

/* False: the text says which key is wrong. */
bool front_read(struct rfstore *store, const char *folder, struct message_connect *connect,
		char *error, size_t size);

#endif
