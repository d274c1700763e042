/* SPDX-License-Identifier: GPL-2.0 */
/* Messages to the store and from it, between store.c, which knows what they mean, and the page. */
#ifndef _RINGFENCE_STORE_LINK_H
#define _RINGFENCE_STORE_LINK_H

#include <linux/types.h>

/* The protocol is xenstore's; the numbers are those of its messages that a guest uses. */
enum store_type {
	STORE_DIRECTORY		= 1,
	STORE_READ		= 2,
	STORE_WATCH		= 4,
	STORE_UNWATCH		= 5,
	STORE_TRANSACTION_START	= 6,
	STORE_TRANSACTION_END	= 7,
	STORE_WRITE		= 11,
	STORE_MKDIR		= 12,
	STORE_RM		= 13,
	STORE_WATCH_EVENT	= 15,
	STORE_ERROR		= 16,
	STORE_RESET_WATCHES	= 21,
	STORE_DIRECTORY_PART	= 22,
};

#define STORE_BODY_MAX	4096

/* A request, of several pieces, and what is answered. */
struct store_call {
	enum store_type type;
	u32 transaction;
	const struct kvec *pieces;
	unsigned int count;
	char *reply;		/* out: to be freed; has a zero behind it */
	u32 length;		/* out: without that zero */
};

/* 0 or an error: of the store, or of the connection (store.h). */
int store_link_call(struct store_call *call);

/* As the store would say it. */
const char *store_link_error_name(int error);

/* How often there was a new connection; 0: none ever. */
u32 store_link_generation(void);

/*
 * Called by the link; must not wait for it. An event, which is only to be read meanwhile, with a zero behind
 * it; a new connection.
 */
void store_watch_event(const char *body, u32 length);
void store_connected(void);

int store_link_start(void);

#endif
