// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an NBD server serves. Format "nbd" is an address of one; the other formats are of qemu-nbd, which this starts
 * with the image in a jail of its own (server.h), and which ends with the connection. qemu-nbd locks what it has open
 * as QEMU does, so the successor of a worker that was killed gets the image when the old server is done with it, and
 * not before.
 *
 * Of a server somewhere else nobody knows when it has done what a dead worker had asked for: what was not answered
 * may be written after it was made again.
 *
 * Odd: when the server goes away the worker ends. Its successor connects anew, and the front end, which keeps all
 * that has no answer, makes it again; an error would be lost data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <libnbd.h>

#include "backends/block/image.h"
#include "backends/block/server.h"

#define PATIENCE 150 /* pauses of a tenth of a second */

struct nbd_state {
	struct nbd_handle *nbd;
	struct loop_watch in;
	struct loop_watch out; /* only while there is something that could not be sent */
};

static struct nbd_state *nbd_state(const struct image *image)
{
	return image->state;
}

/* --- Opening --- */

static int nbd_start_server(struct nbd_handle *nbd, const struct image *image)
{
	const char *arguments[] = { "/proc/self/exe",
				    SERVER_WORD,
				    image->path,
				    image->read_only ? "r" : "w",
				    "qemu-nbd",
				    "--format",
				    image->kind->name,
				    "--discard",
				    "unmap",
				    "--cache",
				    "writeback",
				    "--detect-zeroes",
				    "off",
				    image->path,
				    image->read_only ? "--read-only" : NULL,
				    NULL };

	return nbd_connect_systemd_socket_activation(nbd, (char **)arguments);
}

static int nbd_connect_once(struct nbd_handle *nbd, const struct image *image)
{
	return image->kind == &image_nbd ? nbd_connect_uri(nbd, image->path)
					 : nbd_start_server(nbd, image);
}

/* A handle connects once. Its image may be in use still by a server that is ending. */
static struct nbd_handle *nbd_connect(const struct image *image)
{
	const struct timespec pause = { .tv_nsec = 100000000 };

	for (unsigned i = 0; i < PATIENCE / 10; i++) {
		struct nbd_handle *nbd = nbd_create();

		if (!nbd || nbd_connect_once(nbd, image) == 0)
			return nbd;
		nbd_close(nbd);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static uint32_t nbd_size(struct nbd_handle *nbd, int which, uint32_t least)
{
	int64_t size = nbd_get_block_size(nbd, which);

	return size > least && size <= 4096 ? (uint32_t)size : least;
}

static bool nbd_describe(struct image *image, struct nbd_handle *nbd)
{
	int64_t bytes = nbd_get_size(nbd);

	if (bytes < RF_BLOCK_SECTOR)
		return false;
	image->bytes = (uint64_t)bytes;
	image->sector_size = nbd_size(nbd, LIBNBD_SIZE_MINIMUM, RF_BLOCK_SECTOR);
	image->physical_size = nbd_size(nbd, LIBNBD_SIZE_PREFERRED, image->sector_size);
	image->discard_granularity = image->physical_size;
	image->read_only |= nbd_is_read_only(nbd) == 1;
	image->flush = nbd_can_flush(nbd) == 1 && !image->read_only;
	image->discard = nbd_can_trim(nbd) == 1 && !image->read_only;
	image->write_zeroes = nbd_can_zero(nbd) == 1 && !image->read_only;
	return true;
}

static void nbd_readable(struct loop_watch *watch);

static bool nbd_opened(struct image *image, struct nbd_handle *nbd)
{
	struct nbd_state *state = calloc(1, sizeof(*state));

	if (!state)
		return false;
	state->nbd = nbd;
	image->state = state;
	loop_watch(image->loop, &state->in, nbd_aio_get_fd(nbd), nbd_readable);
	return true;
}

static bool nbd_open(struct image *image, char *error, size_t size)
{
	struct nbd_handle *nbd = nbd_connect(image);

	if (!nbd)
		return image_fail(error, size, "%s: %s", image->path, nbd_get_error());
	if (nbd_describe(image, nbd) && nbd_opened(image, nbd))
		return true;
	nbd_close(nbd);
	return image_fail(error, size, "%s: not even one sector, or no memory", image->path);
}

/* --- Working --- */

static void nbd_writable(struct loop_watch *watch);

/* What could not be sent at once is sent when there is room. */
static void nbd_look(struct nbd_state *state)
{
	unsigned direction = nbd_aio_get_direction(state->nbd);

	if (nbd_aio_is_dead(state->nbd) == 1 || nbd_aio_is_closed(state->nbd) == 1) {
		fprintf(stderr, "rf-block: the NBD server has gone away\n");
		_exit(1);
	}
	if (direction & LIBNBD_AIO_DIRECTION_WRITE && !state->out.active && !state->out.armed)
		loop_watch_writing(state->in.loop, &state->out, state->in.file, nbd_writable);
}

static void nbd_readable(struct loop_watch *watch)
{
	struct nbd_state *state =
		(struct nbd_state *)((char *)watch - offsetof(struct nbd_state, in));

	if (nbd_aio_get_direction(state->nbd) & LIBNBD_AIO_DIRECTION_READ)
		nbd_aio_notify_read(state->nbd);
	nbd_look(state);
}

static void nbd_writable(struct loop_watch *watch)
{
	struct nbd_state *state =
		(struct nbd_state *)((char *)watch - offsetof(struct nbd_state, out));

	if (nbd_aio_get_direction(state->nbd) & LIBNBD_AIO_DIRECTION_WRITE)
		nbd_aio_notify_write(state->nbd);
	watch->active = nbd_aio_get_direction(state->nbd) & LIBNBD_AIO_DIRECTION_WRITE;
	nbd_look(state);
}

static void nbd_step(struct image_work *work);

/* `moved` counts the pieces that are done. */
static void nbd_continue(struct loop_operation *operation, int result)
{
	struct engine_operation *step = (struct engine_operation *)operation;
	struct image_work *work =
		(struct image_work *)((char *)step - offsetof(struct image_work, step));

	(void)result;
	/* If the connection is dead, that is why there is an error: this does not return. */
	nbd_look(nbd_state(work->image));
	work->moved++;
	if (step->mode || work->moved >= work->pieces)
		image_finish(work, step->mode);
	else
		nbd_step(work);
}

/* The library's lock is held here, so nothing can be asked of it. */
static int nbd_stepped(void *argument, int *error)
{
	struct image_work *work = argument;

	work->step.mode = *error;
	work->step.loop.done = nbd_continue;
	loop_prepare(work->image->loop, &work->step.loop);
	return 1;
}

static int64_t nbd_transfer(struct nbd_handle *nbd, struct image_work *work,
			    nbd_completion_callback stepped, uint32_t flags)
{
	const struct iovec *piece = &work->piece[work->moved];
	uint64_t offset = work->offset;

	for (uint64_t i = 0; i < work->moved; i++)
		offset += work->piece[i].iov_len;
	if (work->operation == RF_BLOCK_READ)
		return nbd_aio_pread(nbd, piece->iov_base, piece->iov_len, offset, stepped, 0);
	return nbd_aio_pwrite(nbd, piece->iov_base, piece->iov_len, offset, stepped, flags);
}

static int64_t nbd_ask(struct nbd_handle *nbd, struct image_work *work)
{
	const nbd_completion_callback stepped = { .callback = nbd_stepped, .user_data = work };
	uint32_t flags = work->durable ? LIBNBD_CMD_FLAG_FUA : 0;

	switch (work->operation) {
	case RF_BLOCK_FLUSH:
		return nbd_aio_flush(nbd, stepped, 0);
	case RF_BLOCK_DISCARD:
		return nbd_aio_trim(nbd, work->bytes, work->offset, stepped, 0);
	case RF_BLOCK_WRITE_ZEROES:
		flags |= work->keep ? LIBNBD_CMD_FLAG_NO_HOLE : 0;
		return nbd_aio_zero(nbd, work->bytes, work->offset, stepped, flags);
	default:
		return nbd_transfer(nbd, work, stepped, flags);
	}
}

static void nbd_step(struct image_work *work)
{
	struct nbd_state *state = nbd_state(work->image);

	if (nbd_ask(state->nbd, work) < 0)
		image_fail_later(work, nbd_get_errno() ?: EIO);
	nbd_look(state);
}

static void nbd_start(struct image *image, struct image_work *work)
{
	(void)image;
	nbd_step(work);
}

/* A server says its size once. */
static bool nbd_resize(struct image *image)
{
	(void)image;
	return false;
}

static void nbd_end(struct image *image)
{
	nbd_close(nbd_state(image)->nbd);
	free(image->state);
}

#define KIND(kind)                                                                                 \
	const struct image_kind image_##kind = { #kind, nbd_open, nbd_start, nbd_resize, nbd_end }

KIND(nbd);
KIND(qcow2);
KIND(vpc);
KIND(vhdx);
KIND(vmdk);
