/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_LINK_H
#define BACKENDS_COMMON_LINK_H

/*
 * How a back end gets at what one front end shares: its grants as memory, its ports as events. A link serves one
 * domain. What can fail returns zero or a negative error number.
 *
 *   link_device.c   a guest, through the control device
 *   link_socket.c   a program of the same machine, which hands out memory and eventfds over a socket: for tests and
 *                   measurements without a hypervisor
 *
 * Calls may come from any thread, but not two for one mapping or port at once.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_FRAME 4096

struct link;

/* Frames of a grant, in this program's memory. */
struct link_memory {
	void *address; /* NULL: none */
	uint32_t grant;
	uint32_t first;
	uint32_t frames;
	bool read_only;
	uint64_t handle; /* the link's */
};

struct link_port {
	int file; /* an eventfd, which can be read when the front end has sent an event; -1: none */
	int other; /* the link's */
	uint32_t port;
};

struct link_methods {
	int (*map)(struct link *link, struct link_memory *memory);
	void (*unmap)(struct link *link, struct link_memory *memory);
	int (*connect)(struct link *link, struct link_port *port);
	void (*disconnect)(struct link *link, struct link_port *port);
	void (*send)(struct link *link, const struct link_port *port);
	void (*close)(struct link *link);
};

struct link {
	const struct link_methods *methods;
	bool single_grants; /* mapping for one request is worth offering */
};

/* NULL, and errno. What they return ends with link_close(). */
struct link *link_socket_open(const char *path);
struct link *link_device_open(uint32_t domain);

/* Frames [first, first + frames) of a grant, to be read and written. */
int link_map(struct link *link, struct link_memory *memory, uint32_t grant, uint32_t first,
	     uint32_t frames);
/* To be read only: that may be all that the grant allows. */
int link_map_to_read(struct link *link, struct link_memory *memory, uint32_t grant, uint32_t first,
		     uint32_t frames);
/* Nothing happens if there is none. */
void link_unmap(struct link *link, struct link_memory *memory);
int link_connect(struct link *link, struct link_port *port, uint32_t number);
void link_disconnect(struct link *link, struct link_port *port);
void link_send(struct link *link, const struct link_port *port);
void link_close(struct link *link);

#endif
