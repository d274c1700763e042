// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is the same for all kinds of images: which there are, and that after a failed sync nothing is durable any
 * more.
 *
 * A durable write is a write and a sync in one. If it fails for lack of space or rights, it was the write that
 * failed; of anything else it is not known.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "backends/block/image.h"

static const struct image_kind *const image_kinds[] = {
	&image_raw, &image_nbd, &image_qcow2, &image_vpc, &image_vhdx, &image_vmdk,
};

#define IMAGE_KINDS (sizeof(image_kinds) / sizeof(image_kinds[0]))

const struct image_kind *image_kind(const char *name)
{
	for (size_t i = 0; i < IMAGE_KINDS; i++) {
		if (strcmp(image_kinds[i]->name, name) == 0)
			return image_kinds[i];
	}
	return NULL;
}

bool image_fail(char *error, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, size, format, arguments);
	va_end(arguments);
	return false;
}

bool image_open(struct image *image, char *error, size_t size)
{
	return image->kind->open(image, error, size);
}

static bool image_syncs(const struct image_work *work)
{
	return work->operation == RF_BLOCK_FLUSH || work->durable;
}

static void image_fail_now(struct loop_operation *operation, int result)
{
	struct engine_operation *step = (struct engine_operation *)operation;
	struct image_work *work =
		(struct image_work *)((char *)step - offsetof(struct image_work, step));

	(void)result;
	image_finish(work, step->mode);
}

void image_fail_later(struct image_work *work, int error)
{
	work->step.mode = error;
	work->step.loop.done = image_fail_now;
	loop_prepare(work->image->loop, &work->step.loop);
}

void image_start(struct image *image, struct image_work *work)
{
	work->image = image;
	work->moved = 0;
	if (!image->failed || !image_syncs(work))
		image->kind->start(image, work);
	else
		image_fail_later(work, EIO);
}

static bool image_sync_error(int error)
{
	return error != ENOSPC && error != EDQUOT && error != EOPNOTSUPP && error != EINVAL;
}

void image_finish(struct image_work *work, int error)
{
	if (error && image_syncs(work) && image_sync_error(error))
		work->image->failed = true;
	/* What was under way when it became known is not durable either. */
	if (!error && image_syncs(work) && work->image->failed)
		error = EIO;
	work->done(work, error);
}

bool image_resize(struct image *image)
{
	return image->kind->resize(image);
}

void image_close(struct image *image)
{
	image->kind->close(image);
}
