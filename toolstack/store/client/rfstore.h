/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef RFSTORE_H
#define RFSTORE_H

/*
 * librfstore: a client of the store (docs/store.md). Link with -lrfstore -pthread.
 *
 * Every function but rfstore_close() may be called by any thread at any time. What can fail returns 0 or an error
 * number of <errno.h>: ENOENT, EACCES, EEXIST, ENOSPC, E2BIG, EINVAL and so on are the store's answers; ECONNREFUSED
 * and the like say that there is no store, ENOMEM that there is no memory, ETIMEDOUT that it has not answered for
 * 30 seconds.
 *
 * When the store goes away, the library connects again, for ten seconds by itself in each call and after that whenever
 * there is an occasion. Watches are set again, and each is told as if it had changed. A request whose answer was lost
 * is made again. A transaction does not survive: its operations return EAGAIN, as if it had met a conflict.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rfstore;
struct rfstore_watch;

/* path NULL: $XENSTORED_PATH, or $XENSTORED_RUNDIR/socket, or /run/xenstored/socket. */
int rfstore_open(struct rfstore **store, const char *path);

/* Ends its watches too. No other thread may be using it. */
void rfstore_close(struct rfstore *store);

/* A transaction; RFSTORE_NONE stands for none. */
struct rfstore_transaction {
	uint32_t id;
	uint32_t connection;
};

#define RFSTORE_NONE ((struct rfstore_transaction){ 0, 0 })

int rfstore_begin(struct rfstore *store, struct rfstore_transaction *transaction);

/*
 * EAGAIN: it met a conflict and has done nothing, begin another. ECONNRESET: the store went away before it had answered
 * to a commit, which may have been done.
 */
int rfstore_end(struct rfstore *store, struct rfstore_transaction transaction, bool commit);

/* Calls work in a transaction, again and again until there is no conflict; if it returns an error, nothing is done. */
typedef int rfstore_work(struct rfstore *store, struct rfstore_transaction transaction,
			 void *argument);
int rfstore_transact(struct rfstore *store, rfstore_work *work, void *argument);

/* A value is any bytes, at most 4096 less the path. A zero, which length does not count, follows it. free() it. */
int rfstore_read(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		 char **value, size_t *length);
int rfstore_write(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		  const void *value, size_t length);

/* Makes a node without a value, if there is none. */
int rfstore_mkdir(struct rfstore *store, struct rfstore_transaction transaction, const char *path);

/* With all in it. It is no error if it is not there. */
int rfstore_remove(struct rfstore *store, struct rfstore_transaction transaction, const char *path);

/* The names in a node, in order; count may be 0. One free() of names gives back all. However many there are. */
int rfstore_list(struct rfstore *store, struct rfstore_transaction transaction, const char *path,
		 char ***names, size_t *count);

/* access is n, r, w or b: nothing, read, write, both. The first names the owner, and what all others may. */
struct rfstore_permission {
	uint16_t domain;
	char access;
};

int rfstore_get_permissions(struct rfstore *store, struct rfstore_transaction transaction,
			    const char *path, struct rfstore_permission **list, size_t *count);
int rfstore_set_permissions(struct rfstore *store, struct rfstore_transaction transaction,
			    const char *path, const struct rfstore_permission *list, size_t count);

/*
 * Tells of every change at or below a path, and once at the start. path is what changed, or the watch's own: look at
 * everything again. It is called by rfstore_dispatch() and rfstore_wait() only, and may call anything but
 * rfstore_close().
 */
typedef void rfstore_changed(void *argument, const char *path);
int rfstore_watch(struct rfstore *store, const char *path, rfstore_changed *changed, void *argument,
		  struct rfstore_watch **watch);

/* When it has returned, changed is not called any more and not being called, unless it is changed that calls this. */
void rfstore_unwatch(struct rfstore_watch *watch);

/* For an event loop: readable when rfstore_dispatch() has something to do. It is the same until rfstore_close(). */
int rfstore_file(const struct rfstore *store);

/* Tells of what has changed; never waits for more. The number of calls. */
int rfstore_dispatch(struct rfstore *store);

/* Without an event loop: waits for a change, at most so many milliseconds (-1: for ever), and tells. */
int rfstore_wait(struct rfstore *store, int timeout);

/* Domains; for the control domain's programs. */
int rfstore_introduce(struct rfstore *store, uint16_t domain, uint64_t frame, uint32_t port);
int rfstore_release(struct rfstore *store, uint16_t domain);
int rfstore_is_introduced(struct rfstore *store, uint16_t domain, bool *introduced);
int rfstore_set_target(struct rfstore *store, uint16_t domain, uint16_t target);

/* From now on, and after reconnecting, it can do only what that domain can; before anything else is done with it. */
int rfstore_restrict(struct rfstore *store, uint16_t domain);

/* A command to the store itself: "stats", "check" and so on. parameter may be NULL. free() the text. */
int rfstore_control(struct rfstore *store, const char *command, const char *parameter, char **text);

#endif
