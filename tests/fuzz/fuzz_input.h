/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

/* The input of a fuzzer as a list of numbers; after its end they are zero. */
#include <stddef.h>
#include <stdint.h>

struct input {
	const uint8_t *data;
	size_t size;
};

static inline uint32_t take(struct input *input, unsigned bytes)
{
	uint32_t value = 0;

	for (; bytes && input->size; bytes--, input->size--)
		value = value << 8 | *input->data++;
	return value;
}

#endif
