// SPDX-License-Identifier: BSD-2-Clause
/*
 * A file or block device, byte for byte: opened past the page cache where that can be, locked, and done in steps.
 *
 * The lock belongs to the open file (F_OFD_SETLK), and requests that the kernel has under way keep the file open. So
 * when this program is killed its successor gets the image only after the last of them is done, and waits for that.
 * QEMU's locks on images exclude it, too.
 *
 * Odd: flush is fdatasync() even past the page cache, since the disk has a cache as well; and what a file system
 * cannot do (zeroes in place) is found out when it refuses, and then written.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "backends/block/image.h"

#define ZEROES	      65536
#define FILE_PHYSICAL 4096
#define ALIGN	      4096

static unsigned raw_patience = 150; /* pauses */
static const struct timespec raw_pause = { .tv_nsec = 100000000 };

static uint8_t raw_zeroes[ZEROES] __attribute__((aligned(ALIGN)));

/* --- Opening --- */

void image_raw_patience(unsigned pauses)
{
	raw_patience = pauses;
}

/* Whoever had it before may have requests under way that have to end first. */
static bool raw_lock(int file, bool read_only)
{
	struct flock lock = { .l_type = read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };

	for (unsigned i = 0; i < raw_patience; i++) {
		if (fcntl(file, F_OFD_SETLK, &lock) == 0)
			return true;
		if (errno != EAGAIN && errno != EACCES)
			return false;
		nanosleep(&raw_pause, NULL);
	}
	return false;
}

/* Can single sectors be read past the page cache? An empty file cannot tell. */
static bool raw_direct(int file, uint32_t sector_size)
{
	return pread(file, raw_zeroes, sector_size, 0) == (ssize_t)sector_size &&
	       memset(raw_zeroes, 0, sector_size);
}

static void raw_buffered(struct image *image)
{
	int flags = fcntl(image->file, F_GETFL);

	fcntl(image->file, F_SETFL, flags & ~O_DIRECT);
}

static int raw_open_file(const struct image *image)
{
	/* O_EXCL: of a block device, so that one that is mounted is not written. */
	int flags = (image->read_only ? O_RDONLY : O_RDWR | O_EXCL) | O_CLOEXEC;
	int file = open(image->path, flags | O_DIRECT);

	return file < 0 && errno == EINVAL ? open(image->path, flags) : file;
}

/* Its predecessor may not be quite gone. */
static int raw_open_patiently(const struct image *image)
{
	int file = raw_open_file(image);

	for (unsigned i = 0; i < raw_patience && file < 0 && errno == EBUSY; i++) {
		nanosleep(&raw_pause, NULL);
		file = raw_open_file(image);
	}
	return file;
}

static bool raw_queue_value(dev_t device, const char *name, uint64_t *value)
{
	char path[128];
	FILE *file;
	int found;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/%s", major(device), minor(device),
		 name);
	file = fopen(path, "re");
	if (!file)
		return false;
	found = fscanf(file, "%lu", value);
	fclose(file);
	return found == 1;
}

static bool raw_describe_device(struct image *image, dev_t device)
{
	int logical = 0;
	unsigned physical = 0;
	uint64_t value;

	if (ioctl(image->file, BLKGETSIZE64, &image->bytes) < 0 ||
	    ioctl(image->file, BLKSSZGET, &logical) < 0 ||
	    ioctl(image->file, BLKPBSZGET, &physical) < 0)
		return false;
	image->sector_size = (uint32_t)logical;
	image->physical_size = physical > 4096 ? 4096 : physical;
	image->discard = raw_queue_value(device, "discard_max_bytes", &value) && value;
	image->discard_granularity = image->sector_size;
	if (raw_queue_value(device, "discard_granularity", &value) && value)
		image->discard_granularity = (uint32_t)value;
	return true;
}

/* Beyond the end there is nothing to take away: only whether it could be is asked. */
static bool raw_can_punch(int file, uint64_t bytes)
{
	uint64_t end = (bytes + ALIGN - 1) / ALIGN * ALIGN;

	return fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)end, ALIGN) == 0;
}

static void raw_describe_file(struct image *image, const struct stat *status)
{
	image->bytes = (uint64_t)status->st_size;
	image->sector_size = RF_BLOCK_SECTOR;
	image->physical_size = FILE_PHYSICAL;
	image->discard_granularity = FILE_PHYSICAL;
	image->discard = !image->read_only && raw_can_punch(image->file, image->bytes);
}

static bool raw_describe(struct image *image, char *error, size_t size)
{
	struct stat status;

	if (fstat(image->file, &status) < 0)
		return image_fail(error, size, "%s: %s", image->path, strerror(errno));
	if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode))
		return image_fail(error, size, "%s: neither a file nor a block device",
				  image->path);
	if (S_ISREG(status.st_mode))
		raw_describe_file(image, &status);
	else if (!raw_describe_device(image, status.st_rdev))
		return image_fail(error, size, "%s: %s", image->path, strerror(errno));
	if (image->bytes < image->sector_size)
		return image_fail(error, size, "%s: not even one sector of %u bytes", image->path,
				  image->sector_size);
	if (!raw_direct(image->file, image->sector_size))
		raw_buffered(image);
	return true;
}

static bool raw_opened(struct image *image, char *error, size_t size)
{
	if (!raw_lock(image->file, image->read_only))
		return image_fail(error, size,
				  "%s: in use: somebody else has it open for writing%s",
				  image->path, image->read_only ? "" : ", or reads it");
	if (!raw_describe(image, error, size))
		return false;
	image->flush = !image->read_only;
	image->write_zeroes = !image->read_only;
	image->engine = engine_file_open(image->loop, image->file);
	return image->engine || image_fail(error, size, "%s: no memory", image->path);
}

static bool raw_open(struct image *image, char *error, size_t size)
{
	image->file = raw_open_patiently(image);
	if (image->file < 0)
		return image_fail(error, size, "%s: %s", image->path, strerror(errno));
	if (raw_opened(image, error, size))
		return true;
	close(image->file);
	return false;
}

/* --- Working --- */

static void raw_step(struct image_work *work);

static struct image_work *raw_work(struct engine_operation *step)
{
	return (struct image_work *)((char *)step - offsetof(struct image_work, step));
}

static void raw_start_step(struct image_work *work, enum engine_kind kind)
{
	work->step.kind = kind;
	work->step.offset = work->offset + work->moved;
	work->image->engine->start(work->image->engine, &work->step);
}

/* What is left of the pieces after some bytes. */
static unsigned raw_rest(struct image_work *work)
{
	uint64_t skip = work->moved;
	unsigned count = 0;

	for (unsigned i = 0; i < work->pieces; i++) {
		const struct iovec *piece = &work->piece[i];

		if (skip >= piece->iov_len) {
			skip -= piece->iov_len;
			continue;
		}
		work->rest[count++] =
			(struct iovec){ (uint8_t *)piece->iov_base + skip, piece->iov_len - skip };
		skip = 0;
	}
	return count;
}

/* Reads and writes may be short; nothing at all is an end where none should be. */
static void raw_moved(struct engine_operation *step, int result)
{
	struct image_work *work = raw_work(step);

	if (result == -EINTR || result == -EAGAIN)
		result = 0;
	else if (result == 0)
		result = -EIO;
	if (result < 0) {
		image_finish(work, -result);
		return;
	}
	work->moved += (uint64_t)result;
	raw_step(work);
}

static void raw_transfer(struct image_work *work)
{
	work->step.piece = work->rest;
	work->step.pieces = raw_rest(work);
	work->step.buffer = work->step.pieces == 1 ? work->buffer : -1;
	work->step.durable = work->durable;
	work->step.done = raw_moved;
	raw_start_step(work, work->operation == RF_BLOCK_READ ? ENGINE_READ : ENGINE_WRITE);
}

static void raw_finished(struct engine_operation *step, int result)
{
	struct image_work *work = raw_work(step);

	if (result == -EINTR || result == -EAGAIN)
		raw_step(work);
	else
		image_finish(work, result < 0 ? -result : 0);
}

static void raw_sync(struct image_work *work)
{
	work->step.done = raw_finished;
	raw_start_step(work, ENGINE_SYNC);
}

static void raw_discard(struct image_work *work)
{
	work->step.mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	work->step.bytes = work->bytes;
	work->step.done = raw_finished;
	raw_start_step(work, ENGINE_ALLOCATE);
}

/* Zeroes by the file system; it may be that they have to be written instead, now and from now on. */
static void raw_zeroed(struct engine_operation *step, int result)
{
	struct image_work *work = raw_work(step);

	if (result == -EOPNOTSUPP || result == -ENOSYS || result == -ENODEV) {
		work->image->no_zero_range = true;
		raw_step(work);
	} else if (result < 0 && result != -EINTR && result != -EAGAIN) {
		image_finish(work, -result);
	} else {
		if (result >= 0)
			work->moved = work->bytes;
		raw_step(work);
	}
}

static void raw_zero_range(struct image_work *work)
{
	bool punch = !work->keep && work->image->discard;

	work->step.mode = (punch ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE) |
			  FALLOC_FL_KEEP_SIZE;
	work->step.bytes = work->bytes;
	work->step.done = raw_zeroed;
	raw_start_step(work, ENGINE_ALLOCATE);
}

static void raw_write_zeroes(struct image_work *work)
{
	uint64_t left = work->bytes - work->moved;

	work->rest[0] = (struct iovec){ raw_zeroes, left < ZEROES ? left : ZEROES };
	work->step.piece = work->rest;
	work->step.pieces = 1;
	work->step.buffer = -1;
	work->step.durable = false;
	work->step.done = raw_moved;
	raw_start_step(work, ENGINE_WRITE);
}

static void raw_zero(struct image_work *work)
{
	if (work->moved == work->bytes && work->durable)
		raw_sync(work);
	else if (work->moved == work->bytes)
		image_finish(work, 0);
	else if (work->image->no_zero_range)
		raw_write_zeroes(work);
	else
		raw_zero_range(work);
}

/* The next step of some work, by what it is and how far it has come. */
static void raw_step(struct image_work *work)
{
	if (work->operation == RF_BLOCK_FLUSH)
		raw_sync(work);
	else if (work->operation == RF_BLOCK_DISCARD)
		raw_discard(work);
	else if (work->operation == RF_BLOCK_WRITE_ZEROES)
		raw_zero(work);
	else if (work->moved == work->bytes)
		image_finish(work, 0);
	else
		raw_transfer(work);
}

static void raw_start(struct image *image, struct image_work *work)
{
	(void)image;
	raw_step(work);
}

static bool raw_resize(struct image *image)
{
	uint64_t bytes = image->bytes;
	struct stat status;

	if (fstat(image->file, &status) < 0)
		return false;
	if (S_ISREG(status.st_mode))
		bytes = (uint64_t)status.st_size;
	else if (ioctl(image->file, BLKGETSIZE64, &bytes) < 0)
		return false;
	if (bytes == image->bytes || bytes < image->sector_size)
		return false;
	image->bytes = bytes;
	return true;
}

static void raw_close(struct image *image)
{
	image->engine->close(image->engine);
}

const struct image_kind image_raw = { "raw", raw_open, raw_start, raw_resize, raw_close };
