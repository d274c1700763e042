// SPDX-License-Identifier: BSD-2-Clause
/*
 * One io_uring for everything a back end's thread waits for: one system call a turn sends and waits.
 *
 * Odd: the kernel may still know a watch or a timer that was ended, so their memory stays until `armed` is false.
 */
#include <poll.h>
#include <time.h>

#include "backends/common/loop.h"

int loop_open(struct loop *loop, unsigned entries, unsigned buffers)
{
	struct io_uring_params parameters = { .flags = IORING_SETUP_CLAMP };
	int error;

	*loop = (struct loop){ 0 };
	error = io_uring_queue_init_params(entries, &loop->ring, &parameters);
	/* Without them everything works, at some cost. */
	if (!error && buffers)
		io_uring_register_buffers_sparse(&loop->ring, buffers);
	return error;
}

void loop_close(struct loop *loop)
{
	io_uring_queue_exit(&loop->ring);
}

static unsigned loop_handle(struct loop *loop)
{
	struct io_uring_cqe *entry;
	unsigned count = 0;

	while (io_uring_peek_cqe(&loop->ring, &entry) == 0) {
		struct loop_operation *operation = io_uring_cqe_get_data(entry);
		int result = entry->res;

		io_uring_cqe_seen(&loop->ring, entry);
		if (operation)
			operation->done(operation, result);
		count++;
	}
	return count;
}

unsigned loop_turn(struct loop *loop, bool wait)
{
	/* The kernel need not be asked for what is there already. */
	if (wait || io_uring_sq_ready(&loop->ring))
		io_uring_submit_and_wait(&loop->ring, wait);
	return loop_handle(loop);
}

struct io_uring_sqe *loop_prepare(struct loop *loop, struct loop_operation *operation)
{
	struct io_uring_sqe *entry = io_uring_get_sqe(&loop->ring);

	/* Sending makes room: the kernel takes all of them, and keeps what it cannot tell at once. */
	while (!entry) {
		io_uring_submit(&loop->ring);
		entry = io_uring_get_sqe(&loop->ring);
	}
	io_uring_prep_nop(entry);
	io_uring_sqe_set_data(entry, operation);
	return entry;
}

/* Preparing an entry clears its data. */
static void loop_arm(struct loop_watch *watch)
{
	struct io_uring_sqe *entry = loop_prepare(watch->loop, &watch->operation);

	io_uring_prep_poll_add(entry, watch->file, watch->events);
	io_uring_sqe_set_data(entry, &watch->operation);
	watch->armed = true;
}

static void loop_ready(struct loop_operation *operation, int result)
{
	struct loop_watch *watch = (struct loop_watch *)operation;

	watch->armed = false;
	if (watch->active && result >= 0)
		watch->ready(watch);
	if (watch->active && !watch->armed)
		loop_arm(watch);
}

static void loop_watch_for(struct loop *loop, struct loop_watch *watch, int file, unsigned events,
			   void (*ready)(struct loop_watch *watch))
{
	*watch = (struct loop_watch){ .operation = { loop_ready },
				      .loop = loop,
				      .file = file,
				      .events = events,
				      .active = true,
				      .ready = ready };
	loop_arm(watch);
}

void loop_watch(struct loop *loop, struct loop_watch *watch, int file,
		void (*ready)(struct loop_watch *watch))
{
	loop_watch_for(loop, watch, file, POLLIN, ready);
}

void loop_watch_writing(struct loop *loop, struct loop_watch *watch, int file,
			void (*ready)(struct loop_watch *watch))
{
	loop_watch_for(loop, watch, file, POLLOUT, ready);
}

void loop_unwatch(struct loop_watch *watch)
{
	struct io_uring_sqe *entry;

	watch->active = false;
	if (!watch->armed)
		return;
	entry = loop_prepare(watch->loop, NULL);
	io_uring_prep_poll_remove(entry, (uint64_t)(uintptr_t)&watch->operation);
	io_uring_sqe_set_data(entry, NULL);
	io_uring_submit(&watch->loop->ring);
}

static void loop_due(struct loop_operation *operation, int result)
{
	struct loop_timer *timer = (struct loop_timer *)operation;

	(void)result;
	timer->armed = false;
	timer->due(timer);
}

void loop_timer(struct loop *loop, struct loop_timer *timer, uint64_t nanoseconds,
		void (*due)(struct loop_timer *timer))
{
	struct io_uring_sqe *entry;

	if (timer->armed)
		return;
	*timer = (struct loop_timer){ .operation = { loop_due },
				      .loop = loop,
				      .armed = true,
				      .due = due };
	timer->time.tv_sec = (int64_t)(nanoseconds / 1000000000);
	timer->time.tv_nsec = (long long)(nanoseconds % 1000000000);
	entry = loop_prepare(loop, &timer->operation);
	io_uring_prep_timeout(entry, &timer->time, 0, 0);
	io_uring_sqe_set_data(entry, &timer->operation);
}

bool loop_buffer(struct loop *loop, unsigned number, void *address, size_t bytes)
{
	struct iovec piece = { address, bytes };
	__u64 tag = 0;

	return io_uring_register_buffers_update_tag(&loop->ring, number, &piece, &tag, 1) == 1;
}

uint64_t loop_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
