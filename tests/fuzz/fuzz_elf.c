// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of guest images on any bytes. What it accepts must be true of the file: a loader that
 * believes it stays inside.
 *
 * options: -runs=1000000
 * full-options: -runs=20000000
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "fake_elf.h"
#include "guest_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

static void check(const struct guest_image *image, size_t size)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < image->segments; i++) {
		const struct guest_image_segment *s = &image->segment[i];

		if (s->offset > size || s->file_size > size - s->offset ||
		    s->file_size > s->memory_size || s->physical < end ||
		    s->physical + s->memory_size < s->physical)
			abort();
		end = s->physical + s->memory_size;
	}
	if (image->segments == 0 || image->segments > GUEST_IMAGE_SEGMENTS ||
	    end != image->highest || image->note.abi_version != RF_ABI_VERSION ||
	    image->note.root % 4096 || image->note.root >= end)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_image image;

	if (!guest_image_parse(data, size, &image))
		check(&image, size);
	return 0;
}

/* Most inputs are made from a good file, or nothing would get past the first bytes. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	struct fake_elf elf;
	size_t start;

	if (seed % 4 == 0 || max_size < sizeof(elf))
		return LLVMFuzzerMutate(data, size, max_size);
	if (size < sizeof(elf)) {
		fake_elf_init(&elf);
		__builtin_memcpy(data, &elf, sizeof(elf));
		size = sizeof(elf);
	}
	/* Eight bytes of the headers. */
	start = (seed >> 2) % (offsetof(struct fake_elf, text) - 8);
	LLVMFuzzerMutate(data + start, 8, 8);
	return size;
}
