// SPDX-License-Identifier: BSD-2-Clause
/* What an image asks for, done by io_uring on a file that the kernel keeps at hand. */
#include <stdlib.h>
#include <unistd.h>

#include "backends/block/engine.h"

struct engine_file {
	struct engine engine;
	struct loop *loop;
	int file;
	bool registered;
};

static void engine_done(struct loop_operation *loop, int result)
{
	struct engine_operation *operation = (struct engine_operation *)loop;

	operation->done(operation, result);
}

static void engine_transfer(struct io_uring_sqe *entry, int file,
			    const struct engine_operation *operation)
{
	bool read = operation->kind == ENGINE_READ;
	const struct iovec *piece = operation->piece;

	if (operation->buffer >= 0 && read)
		io_uring_prep_read_fixed(entry, file, piece->iov_base, (unsigned)piece->iov_len,
					 operation->offset, operation->buffer);
	else if (operation->buffer >= 0)
		io_uring_prep_write_fixed(entry, file, piece->iov_base, (unsigned)piece->iov_len,
					  operation->offset, operation->buffer);
	else if (read)
		io_uring_prep_readv(entry, file, piece, operation->pieces, operation->offset);
	else
		io_uring_prep_writev(entry, file, piece, operation->pieces, operation->offset);
	if (operation->durable)
		entry->rw_flags = RWF_DSYNC;
}

static void engine_prepare(struct io_uring_sqe *entry, int file,
			   const struct engine_operation *operation)
{
	if (operation->kind == ENGINE_SYNC)
		io_uring_prep_fsync(entry, file, IORING_FSYNC_DATASYNC);
	else if (operation->kind == ENGINE_ALLOCATE)
		io_uring_prep_fallocate(entry, file, operation->mode, (off_t)operation->offset,
					(off_t)operation->bytes);
	else
		engine_transfer(entry, file, operation);
}

static void engine_start(struct engine *engine, struct engine_operation *operation)
{
	struct engine_file *this = (struct engine_file *)engine;
	struct io_uring_sqe *entry = loop_prepare(this->loop, &operation->loop);

	operation->loop.done = engine_done;
	engine_prepare(entry, this->registered ? 0 : this->file, operation);
	io_uring_sqe_set_data(entry, &operation->loop);
	if (this->registered)
		io_uring_sqe_set_flags(entry, IOSQE_FIXED_FILE);
}

static void engine_close(struct engine *engine)
{
	struct engine_file *this = (struct engine_file *)engine;

	if (this->registered)
		io_uring_unregister_files(&this->loop->ring);
	close(this->file);
	free(this);
}

struct engine *engine_file_open(struct loop *loop, int file)
{
	struct engine_file *this = calloc(1, sizeof(*this));

	if (!this)
		return NULL;
	this->engine = (struct engine){ engine_start, engine_close };
	this->loop = loop;
	this->file = file;
	this->registered = io_uring_register_files(&loop->ring, &file, 1) == 0;
	return &this->engine;
}
