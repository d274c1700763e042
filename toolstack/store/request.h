/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_REQUEST_H
#define STORE_REQUEST_H

#include "buffer.h"
#include "client/wire.h"
#include "session.h"

/* Does what a whole message asks for; exactly one reply is added to out. payload has header->length bytes. */
void request_handle(struct session *session, const struct wire_header *header, const char *payload,
		    struct buffer *out);

#endif
