// SPDX-License-Identifier: BSD-2-Clause
/*
 * The protocol's bytes through a stream socket.
 *
 * Interface: transport_socket.
 */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport.h"

static bool may_come(void)
{
	return errno == EAGAIN || errno == EINTR;
}

static ssize_t socket_read(struct transport *transport, void *data, size_t size)
{
	ssize_t done = recv(transport->file, data, size, MSG_DONTWAIT);

	if (done > 0)
		return done;
	return done < 0 && may_come() ? 0 : -1;
}

static ssize_t socket_write(struct transport *transport, const void *data, size_t size)
{
	ssize_t done = send(transport->file, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (done >= 0)
		return done;
	return may_come() ? 0 : -1;
}

static void socket_close(struct transport *transport)
{
	close(transport->file);
}

static const struct transport_methods methods = {
	.read = socket_read,
	.write = socket_write,
	.close = socket_close,
};

void transport_socket(struct transport *transport, int socket)
{
	*transport = (struct transport){ .methods = &methods, .file = socket };
}
