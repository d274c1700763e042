/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The store, as a domain's kernel uses it (docs/store.md). Paths are absolute, or below
 * /local/domain/N/ of this domain. Every function but rf_store_unwatch() sleeps until the store has answered.
 *
 * Errors: what the store answers (-ENOENT, -EACCES, -EEXIST, -ENOSPC, -EINVAL, ...); -ENODEV that this
 * domain has no store; -ENOTCONN that there has been none yet; -ETIMEDOUT that it has not answered for
 * RF_STORE_TIMEOUT; -EINTR that the task was killed; -EAGAIN that the transaction met another, or did
 * not survive the store: make another.
 *
 * A store that ends and comes back is nothing that callers see but for that: what had no answer is asked
 * again, watches are set again and called as at their start.
 */
#ifndef _RINGFENCE_STORE_H
#define _RINGFENCE_STORE_H

#include <linux/compiler_attributes.h>
#include <linux/jiffies.h>
#include <linux/types.h>

#define RF_STORE_TIMEOUT	(30 * HZ)
#define RF_STORE_VALUE_MAX	2048	/* of a value that a guest writes */
#define RF_STORE_PATH_MAX	256	/* of a path that this kernel makes, with the zero */

struct rf_store_transaction {
	u32 id;
	u32 connection;
};

#define RF_STORE_ALONE	((struct rf_store_transaction){ 0, 0 })

int rf_store_begin(struct rf_store_transaction *transaction);
int rf_store_end(struct rf_store_transaction transaction, bool commit);

/* What folder/name holds, and a zero; to be freed; or an error pointer. */
char *rf_store_read(struct rf_store_transaction transaction, const char *folder, const char *name);

/* Of a number, decimal; -EINVAL if it is none. */
int rf_store_read_number(struct rf_store_transaction transaction, const char *folder,
			 const char *name, u64 *number);

__printf(4, 5)
int rf_store_write(struct rf_store_transaction transaction, const char *folder, const char *name,
		   const char *format, ...);

int rf_store_mkdir(struct rf_store_transaction transaction, const char *folder, const char *name);

/* With all in it; no error if it is not there. */
int rf_store_remove(struct rf_store_transaction transaction, const char *folder, const char *name);

/* The names in it: one piece of memory, to be freed, each with a zero, and an empty one at the end. */
char *rf_store_list(struct rf_store_transaction transaction, const char *folder, const char *name);

/*
 * Calls `changed` at every change at or below the path, and once at the start; path is what changed,
 * or the watch's own: look at everything again. One task calls all of them, in order. They
 * may call everything here. NULL: no memory. It may be set before there is a store.
 */
struct rf_store_watch *rf_store_watch(const char *path,
				      void (*changed)(void *argument, const char *path),
				      void *argument);

/* When it returns `changed` does not run any more, unless that is what calls it. NULL: nothing. */
void rf_store_unwatch(struct rf_store_watch *watch);

#endif
