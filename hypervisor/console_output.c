// SPDX-License-Identifier: BSD-2-Clause
/*
 * What a domain printed: a ring of the last bytes, read by position.
 *
 * Interface: console_output.h. Locks: the caller's, the domain's console_lock.
 * Odd: the reader is told once, and then not again before it has read: a domain that prints without
 * end does not interrupt it without end.
 */
#include "console_output.h"

#include "frame.h"
#include "abi/console.h"
#include "abi/errno.h"

int console_output_create(struct console_output *output)
{
	output->ring = frame_alloc_pointer(RF_CONSOLE_RING);
	return output->ring ? 0 : -ENOMEM;
}

void console_output_destroy(struct console_output *output)
{
	if (output->ring)
		frame_free_pointer(output->ring, RF_CONSOLE_RING);
	output->ring = NULL;
}

bool console_output_put(struct console_output *output, const char *text, uint64_t size)
{
	bool tell = output->ring && size && !output->told;

	if (!output->ring)
		return false;
	for (uint64_t i = 0; i < size; i++)
		output->ring[(output->end + i) % RF_CONSOLE_RING] = text[i];
	__atomic_store_n(&output->end, output->end + size, __ATOMIC_RELAXED);
	output->told |= tell;
	return tell;
}

uint64_t console_output_read(struct console_output *output, uint64_t *position, char *to,
			     uint64_t size)
{
	uint64_t oldest = output->end > RF_CONSOLE_RING ? output->end - RF_CONSOLE_RING : 0;
	uint64_t copied = 0;

	output->told = false;
	if (*position < oldest || *position > output->end)
		*position = oldest;
	while (output->ring && copied < size && *position < output->end)
		to[copied++] = output->ring[(*position)++ % RF_CONSOLE_RING];
	return copied;
}
