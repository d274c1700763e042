// SPDX-License-Identifier: BSD-2-Clause
/* Messages between monitor and worker. All are of one length, so that a broken one cannot be taken for another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/common/message.h"

static bool message_put(int socket, const struct message *message)
{
	return send(socket, message, sizeof(*message), MSG_NOSIGNAL) == sizeof(*message);
}

bool message_send(int socket, uint32_t kind, const void *content, size_t bytes)
{
	struct message message = { .kind = kind };

	if (bytes)
		memcpy(message.content, content, bytes);
	return message_put(socket, &message);
}

bool message_tell(int socket, uint32_t kind, const char *text)
{
	struct message message = { .kind = kind };

	snprintf(message.text, sizeof(message.text), "%s", text ? text : "");
	return message_put(socket, &message);
}

int message_receive(int socket, struct message *message)
{
	ssize_t length = recv(socket, message, sizeof(*message), MSG_DONTWAIT);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return length == sizeof(*message) ? 1 : -1;
}

const void *message_content(const struct message *message)
{
	return message->content;
}

const char *message_text(struct message *message)
{
	message->text[MESSAGE_TEXT - 1] = '\0';
	return message->text;
}
