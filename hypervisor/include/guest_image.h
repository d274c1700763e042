/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest image that lies in memory, checked, whatever its format (guest_image.c, elf.c, bzimage.c).
 * Knows nothing of domains; runs on the host for the fuzzers.
 */
#ifndef HYPERVISOR_GUEST_IMAGE_H
#define HYPERVISOR_GUEST_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/version.h"

#define GUEST_IMAGE_SEGMENTS 16
/* More memory than any machine has, and so little that sums of a few do not wrap. */
#define GUEST_IMAGE_LIMIT    (1ULL << 42)

struct guest_image_segment {
	uint64_t offset; /* in the file */
	uint64_t file_size;
	uint64_t physical;
	uint64_t memory_size;
};

struct guest_image {
	struct rf_note note;
	bool needs_tables; /* it brings none: note.root says nothing */
	uint32_t segments;
	struct guest_image_segment segment[GUEST_IMAGE_SEGMENTS]; /* sorted, not overlapping */
	uint64_t lowest;  /* physical address of the first byte */
	uint64_t highest; /* and of the first one after the last */
};

/* NULL when the image is good, else one line that names the field and the limit. */
const char *guest_image_parse(const void *file, size_t size, struct guest_image *image);

/* For the formats: makes that line. There is one at a time. */
const char *guest_image_refuse(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* NULL unless the image is for another version of the ABI. */
const char *guest_image_check_version(uint32_t version);

/* `start` and the `size` bytes after it lie below `limit`. */
static inline bool guest_image_inside(uint64_t start, uint64_t size, uint64_t limit)
{
	return start <= limit && size <= limit - start;
}

#endif
