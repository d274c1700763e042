/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A tiny domain to measure with, at the other end of an event channel: it answers each event, makes
 * hypercalls that do nothing if it is told to, and grants some pages (peer.c).
 */
#ifndef TOOLSTACK_MEASURE_PEER_H
#define TOOLSTACK_MEASURE_PEER_H

#include "toolstack/share/grant.h"
#include "toolstack/share/share.h"

#define PEER_GRANT_PAGES 16U

struct peer {
	struct share *share;
	uint32_t domain;
	int port; /* a file; negative: none */
};

/*
 * It runs, and ends with the share's file at the latest. 0, or a negative error, and nothing is left of it. In any case
 * peer_close may follow.
 */
int peer_open(struct peer *peer, struct share *share);
void peer_close(struct peer *peer);
/* An event, and the answer to it. */
int peer_call(struct peer *peer);
/* Before it answers the next ones it makes so many hypercalls. */
int peer_set_hypercalls(struct peer *peer, uint64_t count);
/* Maps the first pages of those that it grants, at most PEER_GRANT_PAGES, and reads a byte of each. */
int peer_map(struct peer *peer, struct grant *grant, uint32_t pages);
/* Copies the first page that it grants. */
int peer_copy(struct peer *peer, void *page);

#endif
