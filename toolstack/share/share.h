/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program of the control domain shares with other domains: ports (port.h) and memory (grant.h), by an open
 * file of /dev/ringfence to which all of it belongs. Tests put something else in its place.
 */
#ifndef TOOLSTACK_SHARE_SHARE_H
#define TOOLSTACK_SHARE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/control_device.h"

struct share {
	/* A call of abi/control_device.h; 0 or more, or a negative error. */
	int64_t (*call)(struct share *share, uint32_t command, void *argument);
	/* Shows what is at that offset; NULL: errno says why not. */
	void *(*show)(struct share *share, uint64_t offset, size_t size, bool write);
	void (*hide)(struct share *share, void *memory, size_t size);
	int device; /* readable when there is news of domains; see share_take_news() */
};

/* 0, or a negative error. */
int share_open(struct share *share);
void share_close(struct share *share);
/* From now on it serves that domain only. */
int share_lock(struct share *share, uint32_t domain);
/* Of the domain that has that number now, and no other will ever have; 0: there is none. */
uint64_t share_serial(struct share *share, uint32_t domain);
/* There was news: whoever waits for something of domains looks at all of them. */
bool share_take_news(struct share *share);

#endif
