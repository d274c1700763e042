/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_LOOP_H
#define BACKENDS_COMMON_LOOP_H

/*
 * A thread that waits for many things at once, on one io_uring: files that can be read, times, and operations of the
 * kernel that are done. A loop belongs to one thread.
 */
#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

/* What the kernel is asked to do. `result` is as io_uring has it: negative is an error. */
struct loop_operation {
	void (*done)(struct loop_operation *operation, int result);
};

/* Calls ready() whenever a file can be read, or written; ready() may make it inactive. */
struct loop_watch {
	struct loop_operation operation;
	struct loop *loop;
	int file;
	unsigned events; /* as of poll() */
	bool active;	 /* asked for; until loop_unwatch() */
	bool armed;	 /* the kernel knows */
	void (*ready)(struct loop_watch *watch);
};

struct loop_timer {
	struct loop_operation operation;
	struct loop *loop;
	struct __kernel_timespec time;
	bool armed;
	void (*due)(struct loop_timer *timer);
};

struct loop {
	struct io_uring ring;
};

/* Zero or a negative error number. `buffers` is how many loop_buffer() may register. */
int loop_open(struct loop *loop, unsigned entries, unsigned buffers);
void loop_close(struct loop *loop);
/* Sends what was prepared, waits until something is there (if it may wait), and handles all of it: how many. */
unsigned loop_turn(struct loop *loop, bool wait);

/* An entry to be filled, never NULL; done() is called once. */
struct io_uring_sqe *loop_prepare(struct loop *loop, struct loop_operation *operation);

void loop_watch(struct loop *loop, struct loop_watch *watch, int file,
		void (*ready)(struct loop_watch *watch));
void loop_watch_writing(struct loop *loop, struct loop_watch *watch, int file,
			void (*ready)(struct loop_watch *watch));
/* Its memory may be used again when `armed` is false. The file may be closed when this has returned. */
void loop_unwatch(struct loop_watch *watch);

/* One at a time; armed already: nothing happens. */
void loop_timer(struct loop *loop, struct loop_timer *timer, uint64_t nanoseconds,
		void (*due)(struct loop_timer *timer));

/* Memory that the kernel keeps at hand under a number. False: it does not. bytes 0: it forgets it. */
bool loop_buffer(struct loop *loop, unsigned number, void *address, size_t bytes);

uint64_t loop_now(void);

#endif
