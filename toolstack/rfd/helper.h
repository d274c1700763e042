/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs that guests need, such as the store (helper.c): started, and started again when they end. They outlive the
 * daemon, and the next one takes them over.
 */
#ifndef TOOLSTACK_RFD_HELPER_H
#define TOOLSTACK_RFD_HELPER_H

#include <jansson.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "toolstack/lib/report.h"

#define HELPERS		16
#define HELPER_NAME	32
#define HELPER_WORDS	32
#define HELPER_QUICK_MS 3000 /* one that ends sooner has not lasted */
#define HELPER_WAIT_MAX 8    /* seconds before it is started again, at most */
#define HELPER_TRIES	20   /* that did not last, one after the other: then it is left */

struct daemon;

struct helper {
	char name[HELPER_NAME];
	char *text;		       /* the command line, cut into words */
	char *words[HELPER_WORDS + 1]; /* NULL at the end */
	pid_t process;
	int file;	 /* a pidfd; negative: it does not run */
	uint64_t since;	 /* in milliseconds, when it was started, or taken over */
	uint64_t due;	 /* when it is to be started, if it does not run */
	unsigned quick;	 /* tries that did not last */
	uint64_t starts; /* by this daemon */
};

struct helper_table {
	pthread_mutex_t lock; /* of what changes: others list them. Zeroes are a good one */
	size_t count;
	struct helper helpers[HELPERS];
};

/* `NAME=PROGRAM WORD...`, cut at blanks. */
bool helper_add(struct helper_table *table, const char *text, struct report *report);
/* Takes over those that run, and starts those that are due. */
void helper_look(struct daemon *daemon);
/* Waits until one has ended, or the other file has something to read (true), or so long. */
bool helper_wait(struct helper_table *table, int other, unsigned milliseconds);
/* Adds an object for each to a list; any thread. */
void helper_list(struct helper_table *table, json_t *list);
/* Those that run go on. */
void helper_close(struct helper_table *table);
/* How many milliseconds one that has ended is to wait; negative: for ever. */
int64_t helper_delay(struct helper *helper, uint64_t lived_ms);

#endif
