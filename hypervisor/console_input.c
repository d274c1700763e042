// SPDX-License-Identifier: BSD-2-Clause
/*
 * A domain's keyboard: a ring of what was typed, and the vector that says so.
 *
 * Interface: console_input.h, abi/console.h.
 * Locks: the input's, for a few instructions; nothing is called with it held. Bytes are taken out
 * only after they were copied, so two readers at once may see the same: one vCPU reads.
 */
#include "console_input.h"

#include "domain.h"
#include "guest_access.h"
#include "interrupt.h"
#include "vcpu.h"
#include "abi/console.h"
#include "abi/errno.h"

uint64_t console_input_put(struct domain *d, const char *bytes, uint64_t count, bool whole)
{
	struct console_input *input = &d->input;
	bool was_empty;
	uint64_t room;

	spin_lock(&input->lock);
	was_empty = input->put == input->taken;
	room = CONSOLE_INPUT_SIZE - (input->put - input->taken);
	if (count > room)
		count = whole ? 0 : room;
	for (uint64_t i = 0; i < count; i++)
		input->ring[input->put++ % CONSOLE_INPUT_SIZE] = bytes[i];
	spin_unlock(&input->lock);
	if (was_empty && count)
		interrupt_post(d->vcpus[0], RF_VECTOR_CONSOLE);
	return count;
}

bool console_input_has_room(struct domain *d)
{
	struct console_input *input = &d->input;
	bool room;

	spin_lock(&input->lock);
	room = input->put - input->taken < CONSOLE_INPUT_SIZE;
	spin_unlock(&input->lock);
	return room;
}

/* Copies what waits without taking it. */
static uint64_t input_peek(struct console_input *input, char *to, uint64_t length)
{
	uint64_t count;

	spin_lock(&input->lock);
	count = input->put - input->taken;
	if (count > length)
		count = length;
	for (uint64_t i = 0; i < count; i++)
		to[i] = input->ring[(input->taken + i) % CONSOLE_INPUT_SIZE];
	spin_unlock(&input->lock);
	return count;
}

int64_t console_input_take(struct domain *d, uint64_t text, uint64_t length)
{
	struct console_input *input = &d->input;
	char bytes[CONSOLE_INPUT_SIZE];
	uint64_t count = input_peek(input, bytes, length);

	if (copy_to_guest(text, bytes, count))
		return -EFAULT;
	spin_lock(&input->lock);
	input->taken += count <= input->put - input->taken ? count : 0;
	spin_unlock(&input->lock);
	return (int64_t)count;
}
