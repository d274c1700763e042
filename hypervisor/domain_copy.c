// SPDX-License-Identifier: BSD-2-Clause
/*
 * Copying between a domain's memory and the control domain's: building a domain, and looking at it.
 *
 * Interface: domain_copy.h, abi/domain.h.
 * Locks: memory.lock of the other domain for each page, while it is found and held; none while it is
 * copied. Held, it is not given to anybody else, even if the domain releases it meanwhile.
 * Odd: the bytes go from frame to frame and are not looked at, so it does not matter who changes them.
 */
#include "domain_copy.h"

#include "domain.h"
#include "guest_access.h"
#include "abi/errno.h"

#define PIECE 16 /* operations copied in at once */

struct batch {
	struct domain *domain;
	uint64_t done;
	uint64_t bytes;
};

static int copy_page(const struct rf_domain_copy *op, char *page, uint64_t offset, uint64_t size)
{
	char *at = page + (op->physical + offset) % FRAME_SIZE;

	if (op->direction == RF_COPY_TO)
		return copy_from_guest(at, op->address + offset, size);
	return copy_to_guest(op->address + offset, at, size);
}

static int copy_in_page(struct domain *d, const struct rf_domain_copy *op, uint64_t offset,
			uint64_t size)
{
	uint64_t mfn = memory_hold_other(d, (op->physical + offset) >> FRAME_SHIFT);
	int error;

	if (mfn == FRAME_NONE)
		return -ENOENT;
	error = copy_page(op, arch_frame_pointer(mfn), offset, size);
	frame_put(mfn);
	return error;
}

static bool is_valid(const struct rf_domain_copy *op)
{
	return op->direction <= RF_COPY_TO && op->size <= RF_COPY_SIZE &&
	       op->physical + op->size >= op->physical && op->address + op->size >= op->address;
}

static int copy(struct batch *batch, const struct rf_domain_copy *op)
{
	uint64_t offset = 0;
	int error = is_valid(op) ? 0 : -EINVAL;

	while (offset < op->size && !error) {
		uint64_t left = FRAME_SIZE - (op->physical + offset) % FRAME_SIZE;
		uint64_t size = op->size - offset < left ? op->size - offset : left;

		error = copy_in_page(batch->domain, op, offset, size);
		offset += size;
	}
	batch->bytes += offset;
	return error;
}

static int copy_piece(struct batch *batch, uint64_t address, uint64_t count)
{
	struct rf_domain_copy operations[PIECE];
	int error = copy_from_guest(operations, address, count * sizeof(operations[0]));

	for (uint64_t i = 0; i < count && !error; i++) {
		if (batch->bytes >= RF_COPY_BYTES)
			return -EAGAIN;
		error = copy(batch, &operations[i]);
		batch->done += !error;
	}
	return error;
}

static int64_t copy_all(struct domain *d, uint64_t address, uint64_t count)
{
	struct batch batch = { .domain = d };
	int error = 0;

	/* From here on it is not taken apart before this CPU leaves the hypervisor. */
	if (!domain_is_there(d))
		return -ESRCH;
	while (batch.done < count && !error) {
		uint64_t left = count - batch.done;

		error = copy_piece(&batch, address + batch.done * sizeof(struct rf_domain_copy),
				   left < PIECE ? left : PIECE);
	}
	return batch.done ? (int64_t)batch.done : error;
}

int64_t do_domain_copy(uint64_t id, uint64_t operations, uint64_t count)
{
	struct domain *d;
	int64_t result;

	if (count > RF_COPY_MAX)
		return -E2BIG;
	if (operations + count * sizeof(struct rf_domain_copy) < operations)
		return -EFAULT;
	d = domain_find(id);
	if (!d)
		return -ESRCH;
	result = d->control ? -EINVAL : copy_all(d, operations, count);
	domain_put(d);
	return result;
}
