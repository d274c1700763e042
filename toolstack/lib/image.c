// SPDX-License-Identifier: BSD-2-Clause
/*
 * Maps a guest's kernel and initrd, checks the kernel by the hypervisor's own rules, and finds a place
 * for everything in the guest's memory.
 *
 * Interface: image.h. Locks: none; one at a time, as guest_image.c has one message.
 * Odd: the files are mapped, not read: only what is copied into the guest is ever touched. A file that
 * gets shorter meanwhile ends the program by SIGBUS, so images in use are replaced, not overwritten.
 */
#include "toolstack/lib/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static bool map_open(struct image_file *file, int descriptor, struct report *report)
{
	struct stat status;
	void *data;

	if (fstat(descriptor, &status))
		return report_fail(report, "%s: %s", file->path, strerror(errno));
	if (!S_ISREG(status.st_mode))
		return report_fail(report, "%s: is not a regular file", file->path);
	if (status.st_size == 0)
		return report_fail(report, "%s: is empty", file->path);
	data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
	if (data == MAP_FAILED)
		return report_fail(report, "%s: %s", file->path, strerror(errno));
	file->data = data;
	file->size = (size_t)status.st_size;
	return true;
}

static bool map_file(struct image_file *file, const char *path, struct report *report)
{
	/* A pipe is refused, too, not waited for: life.c has its lock held, and signals blocked. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool good;

	file->path = path;
	if (descriptor < 0)
		return report_fail(report, "%s: %s", path, strerror(errno));
	good = map_open(file, descriptor, report);
	close(descriptor);
	return good;
}

static bool place(struct image *image, uint64_t memory, struct report *report)
{
	unsigned long long kib = memory >> 10, end;

	guest_layout_place(&image->layout, &image->content);
	end = image->layout.end >> 10;
	if (image->layout.end > memory)
		return report_fail(report,
				   "%s: memory: %lluK: the image and what follows it need "
				   "%lluK",
				   image->kernel.path, kib, end);
	if (!image->initrd.data ||
	    guest_layout_place_initrd(&image->layout, memory, image->initrd.size))
		return true;
	return report_fail(report, "%s: memory: %lluK: no room for the image (%lluK) and %s (%zuK)",
			   image->kernel.path, kib, end, image->initrd.path,
			   image->initrd.size >> 10);
}

bool image_open(struct image *image, const struct config *config, struct report *report)
{
	const char *error;

	memset(image, 0, sizeof(*image));
	if (!map_file(&image->kernel, config->kernel, report))
		return false;
	if (config->initrd && !map_file(&image->initrd, config->initrd, report))
		return false;
	error = guest_image_parse(image->kernel.data, image->kernel.size, &image->content);
	if (error)
		return report_fail(report, "%s: %s", image->kernel.path, error);
	return place(image, config->memory, report);
}

void image_close(struct image *image)
{
	if (image->kernel.data)
		munmap((void *)image->kernel.data, image->kernel.size);
	if (image->initrd.data)
		munmap((void *)image->initrd.data, image->initrd.size);
	memset(image, 0, sizeof(*image));
}
