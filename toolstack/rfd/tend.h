/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What guests have besides themselves (tend.c): their place in a store that came later than they, the back ends of
 * their devices, started again when they are gone; and what is left of guests that are no more, which is taken away.
 */
#ifndef TOOLSTACK_RFD_TEND_H
#define TOOLSTACK_RFD_TEND_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>

#include "toolstack/rfd/daemon.h"
#include "toolstack/store/client/rfstore.h"

struct tend {
	struct daemon *daemon;
	struct access access;
	pthread_t thread;
	struct rfstore *store; /* NULL: there was none yet */
	bool changed;	       /* who is introduced, or the store is another */
	int stop;	       /* an eventfd: readable when it is to end */
};

bool tend_start(struct tend *tend, struct daemon *daemon, struct report *report);
void tend_stop(struct tend *tend);
/* Once; what the thread does. For tests: between tend_open and tend_close. */
void tend_look(struct tend *tend);
bool tend_open(struct tend *tend, struct daemon *daemon, struct report *report);
void tend_close(struct tend *tend);

/* Adds an object for each back end to a list; nothing without a store. */
void tend_list(struct daemon *daemon, json_t *list);

#endif
