// SPDX-License-Identifier: BSD-2-Clause
/*
 * Reading consoles: what was typed for the caller; for the control domain also what another domain
 * printed, and the hypervisor's log.
 *
 * Interface: console_read.h, abi/console.h. Locks: the domain's console_lock for a piece.
 */
#include "console_read.h"

#include "domain.h"
#include "guest_access.h"
#include "log.h"
#include "abi/console.h"
#include "abi/errno.h"

#define PIECE 256 /* bytes on the stack */

/* d NULL: the log. */
static uint64_t read_piece(struct domain *d, uint64_t *position, char *to, uint64_t size)
{
	uint64_t copied;

	if (!d)
		return log_read(position, to, size);
	spin_lock(&d->console_lock);
	copied = console_output_read(&d->output, position, to, size);
	spin_unlock(&d->console_lock);
	return copied;
}

/* A position that moves because something was lost ends the call, so that its reader sees where. */
static int64_t read_from(struct domain *d, uint64_t text, uint64_t length, uint64_t *position)
{
	uint64_t done = 0, size, copied;
	char piece[PIECE];

	if (length > CONSOLE_READ_MAX)
		length = CONSOLE_READ_MAX;
	do {
		uint64_t at = *position;

		size = length - done < PIECE ? length - done : PIECE;
		copied = read_piece(d, &at, piece, size);
		if (done && at - copied != *position)
			break;
		if (copy_to_guest(text + done, piece, copied))
			return -EFAULT;
		*position = at;
		done += copied;
	} while (copied && done < length);
	return (int64_t)done;
}

static int64_t read_output(struct domain *d, uint64_t text, uint64_t length, uint64_t position)
{
	int64_t result;
	uint64_t at;

	if (copy_from_guest(&at, position, sizeof(at)))
		return -EFAULT;
	result = read_from(d, text, length, &at);
	if (result >= 0 && copy_to_guest(position, &at, sizeof(at)))
		return -EFAULT;
	return result;
}

static int64_t read_domain(uint64_t domain, uint64_t text, uint64_t length, uint64_t position)
{
	struct domain *d = domain_find(domain);
	int64_t result;

	if (!d)
		return -ESRCH;
	result = read_output(d, text, length, position);
	domain_put(d);
	return result;
}

int64_t do_console_read(uint64_t domain, uint64_t text, uint64_t length, uint64_t position)
{
	struct domain *self = domain_current();

	if (domain == RF_DOMAIN_SELF || domain == self->id)
		return position ? -EINVAL : console_input_take(self, text, length);
	if (!self->control)
		return -EPERM;
	if (domain == RF_DOMAIN_HYPERVISOR)
		return read_output(NULL, text, length, position);
	return read_domain(domain, text, length, position);
}
