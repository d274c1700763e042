/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_FAKE_LINK_H
#define UNIT_FAKE_LINK_H

/*
 * A link (backends/common/link.h) whose grants are memory of the test, for tests and fuzzers that play the front
 * end.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "backends/common/link.h"

#define FAKE_GRANTS 4

struct fake_grant {
	uint8_t *memory; /* NULL: it is none */
	uint32_t frames;
};

static struct fake_grant fake_grant[FAKE_GRANTS]; /* by number; set by the test */
static unsigned fake_mapped;

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int fake_map(struct link *link, struct link_memory *map)
{
	(void)link;
	if (map->grant >= FAKE_GRANTS || !fake_grant[map->grant].memory ||
	    (uint64_t)map->first + map->frames > fake_grant[map->grant].frames)
		return -1;
	map->address = fake_grant[map->grant].memory + (size_t)map->first * LINK_FRAME;
	fake_mapped++;
	return 0;
}

static void fake_unmap(struct link *link, struct link_memory *map)
{
	(void)link;
	(void)map;
	require(fake_mapped-- > 0);
}

static int fake_connect(struct link *link, struct link_port *connected)
{
	(void)link;
	connected->file = eventfd(0, EFD_NONBLOCK);
	require(connected->file >= 0);
	return 0;
}

static void fake_disconnect(struct link *link, struct link_port *connected)
{
	(void)link;
	close(connected->file);
}

static void fake_send(struct link *link, const struct link_port *connected)
{
	(void)link;
	(void)connected;
}

static const struct link_methods fake_methods = { fake_map,	   fake_unmap, fake_connect,
						  fake_disconnect, fake_send,  NULL };

/* True: for a device that maps single requests, too. */
static struct link fake_link = { &fake_methods, true };

#endif
