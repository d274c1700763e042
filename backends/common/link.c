// SPDX-License-Identifier: BSD-2-Clause
/* What is the same for every link: that nothing is mapped or connected twice, or let go twice. */
#include "backends/common/link.h"

static int link_map_memory(struct link *link, struct link_memory *memory)
{
	int error = link->methods->map(link, memory);

	if (error)
		memory->address = NULL;
	return error;
}

int link_map(struct link *link, struct link_memory *memory, uint32_t grant, uint32_t first,
	     uint32_t frames)
{
	*memory = (struct link_memory){ .grant = grant, .first = first, .frames = frames };
	return link_map_memory(link, memory);
}

int link_map_to_read(struct link *link, struct link_memory *memory, uint32_t grant, uint32_t first,
		     uint32_t frames)
{
	*memory = (struct link_memory){ .grant = grant,
					.first = first,
					.frames = frames,
					.read_only = true };
	return link_map_memory(link, memory);
}

void link_unmap(struct link *link, struct link_memory *memory)
{
	if (memory->address)
		link->methods->unmap(link, memory);
	memory->address = NULL;
}

int link_connect(struct link *link, struct link_port *port, uint32_t number)
{
	int error;

	*port = (struct link_port){ .file = -1, .other = -1, .port = number };
	error = link->methods->connect(link, port);
	if (error)
		port->file = -1;
	return error;
}

void link_disconnect(struct link *link, struct link_port *port)
{
	if (port->file >= 0)
		link->methods->disconnect(link, port);
	port->file = -1;
}

void link_send(struct link *link, const struct link_port *port)
{
	link->methods->send(link, port);
}

void link_close(struct link *link)
{
	link->methods->close(link);
}
