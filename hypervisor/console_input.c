// SPDX-License-Identifier: BSD-2-Clause
/*
 * The control domain's keyboard: a ring of what was typed, and the vector that says so.
 *
 * Interface: console_input.h, abi/console.h.
 * Locks: input_lock, for a few instructions; nothing is called with it held. Bytes are taken out
 * only after they were copied, so two readers at once may see the same: one vCPU reads.
 */
#include "console_input.h"

#include <stdbool.h>

#include "domain.h"
#include "guest_access.h"
#include "interrupt.h"
#include "spinlock.h"
#include "vcpu.h"
#include "abi/console.h"
#include "abi/errno.h"

static struct spinlock input_lock = SPINLOCK_INIT;
static char input[CONSOLE_INPUT_SIZE];
static uint64_t input_put, input_taken; /* bytes since the start */

static void tell_control_domain(void)
{
	struct domain *d = domain_find(0);

	if (!d)
		return;
	interrupt_post(d->vcpus[0], RF_VECTOR_CONSOLE);
	domain_put(d);
}

void console_input_put(char byte)
{
	bool was_empty, full;

	spin_lock(&input_lock);
	was_empty = input_put == input_taken;
	full = input_put - input_taken == CONSOLE_INPUT_SIZE;
	if (!full)
		input[input_put++ % CONSOLE_INPUT_SIZE] = byte;
	spin_unlock(&input_lock);
	if (was_empty)
		tell_control_domain();
}

/* Copies what waits without taking it. */
static uint64_t input_peek(char *to, uint64_t length)
{
	uint64_t count;

	spin_lock(&input_lock);
	count = input_put - input_taken;
	if (count > length)
		count = length;
	for (uint64_t i = 0; i < count; i++)
		to[i] = input[(input_taken + i) % CONSOLE_INPUT_SIZE];
	spin_unlock(&input_lock);
	return count;
}

int64_t do_console_read(uint64_t text, uint64_t length)
{
	char bytes[CONSOLE_INPUT_SIZE];
	uint64_t count = input_peek(bytes, length);

	if (copy_to_guest(text, bytes, count))
		return -EFAULT;
	spin_lock(&input_lock);
	input_taken += count <= input_put - input_taken ? count : 0;
	spin_unlock(&input_lock);
	return (int64_t)count;
}
