/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_BLOCK_IMAGE_H
#define BACKENDS_BLOCK_IMAGE_H

/*
 * What is behind a disk. One interface, a kind for each way to store it:
 *
 *   image_raw.c   a file or block device, byte for byte
 *   image_nbd.c   what an NBD server serves: qcow2 and all else that qemu-nbd and nbdkit know
 *
 * Work is started and done in the loop's thread, in any order, any number at once. Whatever it is, its range is
 * within the image.
 *
 * A sync that failed is never followed by one that succeeds: the system may have thrown away what it could not
 * write, and would say of the rest that all is well. From then on every sync and durable write fails.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/io/block.h"
#include "backends/block/engine.h"

struct image;

struct image_work {
	uint8_t operation; /* RF_BLOCK_... */
	bool durable;	   /* RF_BLOCK_FUA */
	bool keep;	   /* RF_BLOCK_KEEP */
	int buffer;	   /* as of struct engine_operation */
	uint64_t offset;
	uint64_t bytes;
	struct iovec piece[RF_BLOCK_SEGMENTS_MAX]; /* of data, if there are */
	unsigned pieces;
	/* Zero or an error number. Never from within image_start(). */
	void (*done)(struct image_work *work, int error);

	/* The image's own. */
	struct image *image;
	struct engine_operation step;
	struct iovec rest[RF_BLOCK_SEGMENTS_MAX];
	uint64_t moved;
};

struct image_kind {
	const char *name;
	/* Before the loop runs. False: the text says why not. */
	bool (*open)(struct image *image, char *error, size_t size);
	void (*start)(struct image *image, struct image_work *work);
	/* Its size now. False: as it was. */
	bool (*resize)(struct image *image);
	void (*close)(struct image *image);
};

struct image {
	const struct image_kind *kind;
	struct loop *loop;
	const char *path;
	bool read_only;
	uint64_t bytes;
	uint32_t sector_size;
	uint32_t physical_size;
	bool flush; /* writes are not durable by themselves */
	bool discard;
	bool write_zeroes;
	uint32_t discard_granularity;
	bool failed; /* to sync */

	/* The kind's own. */
	struct engine *engine;
	int file;
	bool no_zero_range; /* zeroes have to be written */
	void *state;
};

extern const struct image_kind image_raw;
extern const struct image_kind image_nbd, image_qcow2, image_vpc, image_vhdx, image_vmdk;
/* For how long, in tenths of a second, an image that is in use is waited for. */
void image_raw_patience(unsigned pauses);

/* The kind of that name, or NULL. */
const struct image_kind *image_kind(const char *name);
bool image_open(struct image *image, char *error, size_t size);
void image_start(struct image *image, struct image_work *work);
bool image_resize(struct image *image);
void image_close(struct image *image);

/* For kinds: the work is done. */
void image_finish(struct image_work *work, int error);
/* The same for one that fails before it has begun. */
void image_fail_later(struct image_work *work, int error);
/* False: the text. */
bool image_fail(char *error, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
