// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of compressed kernels on any bytes. What it accepts must be true of the file: a loader
 * that believes it stays inside.
 *
 * options: -max_len=6000 -runs=500000
 * full-options: -max_len=6000 -runs=20000000
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "bzimage.h"
#include "fake_bzimage.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static void check(const struct guest_image *image, size_t size)
{
	const struct guest_image_segment *s = &image->segment[0];

	if (image->segments != 1 || s->offset > size || s->file_size > size - s->offset ||
	    s->file_size > s->memory_size || s->physical % 4096 || s->physical < image->lowest ||
	    s->physical + s->memory_size != image->highest || image->highest > 512UL << 20)
		abort();
	if (image->note.abi_version != RF_ABI_VERSION || !image->needs_tables ||
	    image->note.entry - RF_BOOT_MAP < s->physical ||
	    image->note.entry - RF_BOOT_MAP >= s->physical + s->file_size)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_image image = { .segments = 0 };

	if (bzimage_is(data, size) && !bzimage_parse(data, size, &image))
		check(&image, size);
	return 0;
}

static void mutate(uint8_t *data, size_t first, size_t end, unsigned int seed)
{
	LLVMFuzzerMutate(data + first + seed % (end - first - 8), 8, 8);
}

/* Most inputs are made from a good file, or nothing would get past the first bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct fake_bzimage file;

	if (seed % 4 == 0 || max_size < sizeof(file))
		return LLVMFuzzerMutate(data, size, max_size);
	if (size < sizeof(file)) {
		fake_bzimage_init(&file);
		__builtin_memcpy(data, &file, sizeof(file));
		size = sizeof(file);
	}
	/* Eight bytes of the setup header, or of kernel_info. */
	if (seed & 4)
		mutate(data, 0x1f1, 0x26c, seed >> 3);
	else
		mutate(data, offsetof(struct fake_bzimage, info),
		       offsetof(struct fake_bzimage, data), seed >> 3);
	return size;
}
