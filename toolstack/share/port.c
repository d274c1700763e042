// SPDX-License-Identifier: BSD-2-Clause
/*
 * Event channels to other domains. Interface: port.h. Locks: none.
 */
#include "toolstack/share/port.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static int open_port(struct share *share, uint32_t command, struct rf_control_event *c)
{
	int64_t error = share->call(share, command, c);

	if (error < 0)
		return (int)error;
	fcntl(c->file, F_SETFL, O_NONBLOCK);
	return c->file;
}

int port_listen(struct share *share, uint32_t domain, uint32_t *port)
{
	struct rf_control_event c = { .domain = domain };
	int file = open_port(share, RF_CONTROL_EVENT_LISTEN, &c);

	*port = c.port;
	return file;
}

int port_connect(struct share *share, uint32_t domain, uint32_t port)
{
	struct rf_control_event c = { .domain = domain, .port = port };

	return open_port(share, RF_CONTROL_EVENT_CONNECT, &c);
}

int port_send(int file)
{
	const uint64_t one = 1;

	return write(file, &one, sizeof(one)) < 0 ? -errno : 0;
}

bool port_take(int file)
{
	uint64_t count;

	return read(file, &count, sizeof(count)) == sizeof(count);
}
