/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_ENGINE_H
#define BACKENDS_BLOCK_ENGINE_H

/*
 * What an image asks of the system, on one open file. engine_file.c does it by io_uring; a test does it in memory,
 * with a log of what would be on the disk if the power went.
 */
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "backends/common/loop.h"

enum engine_kind {
	ENGINE_READ,
	ENGINE_WRITE,
	ENGINE_SYNC,	 /* data, and what is needed to find them */
	ENGINE_ALLOCATE, /* as fallocate() */
};

struct engine_operation {
	struct loop_operation loop;
	enum engine_kind kind;
	bool durable; /* writes: on the disk when they are done */
	int mode;     /* of fallocate() */
	int buffer;   /* registered, with the only piece in it; negative: none */
	uint64_t offset;
	uint64_t bytes;		   /* of ENGINE_ALLOCATE */
	const struct iovec *piece; /* these stay until it is done */
	unsigned pieces;
	/* Bytes, or a negative error number. Never from within engine->start(). */
	void (*done)(struct engine_operation *operation, int result);
};

struct engine {
	void (*start)(struct engine *engine, struct engine_operation *operation);
	void (*close)(struct engine *engine);
};

/* NULL: no memory. The file belongs to it. */
struct engine *engine_file_open(struct loop *loop, int file);

#endif
