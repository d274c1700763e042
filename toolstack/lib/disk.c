// SPDX-License-Identifier: BSD-2-Clause
/*
 * Disks of guests, each served by an rf-block.
 *
 * Interface: disk.h. Locks: none.
 */
#include "toolstack/lib/disk.h"

static const struct device_key keys[] = {
	{ "name", "name", true, 0 },
	{ "image", "private/image", false, 0 },
	{ "mode", "private/mode", false, 0 },
	{ "paused", "paused", false, 0 },
	{ "error", "error", false, 0 },
	{ "size", "sectors", false, 512 },
	{ NULL, NULL, false, 0 },
};

const struct device_class disk_class = {
	.name = "block",
	.program = "rf-block",
	.what = "disk",
	.hint = "; is it mounted?",
	.keys = keys,
};

bool disk_attach_all(uint32_t domain, const json_t *disks, struct report *report)
{
	json_t *disk;
	unsigned id;
	size_t i;

	json_array_foreach(disks, i, disk) {
		if (!device_attach(&disk_class, domain, disk, &id, report))
			return false;
	}
	return true;
}
