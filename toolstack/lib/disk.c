// SPDX-License-Identifier: BSD-2-Clause
/*
 * Disks of guests, each served by an rf-block.
 *
 * Interface: disk.h. Locks: none.
 */
#include "toolstack/lib/disk.h"

#include "toolstack/lib/device.h"

static const struct device_key keys[] = {
	{ "name", "name", true, 0 },
	{ "image", "private/image", false, 0 },
	{ "mode", "private/mode", false, 0 },
	{ "paused", "paused", false, 0 },
	{ "error", "error", false, 0 },
	{ "size", "sectors", false, 512 },
	{ NULL, NULL, false, 0 },
};

static const struct device_class class = {
	.name = "block",
	.program = "rf-block",
	.what = "disk",
	.hint = "; is it mounted?",
	.keys = keys,
};

bool disk_attach(uint32_t domain, const json_t *disk, unsigned *id, struct report *report)
{
	return device_attach(&class, domain, disk, id, report);
}

bool disk_attach_all(uint32_t domain, const json_t *disks, struct report *report)
{
	json_t *disk;
	unsigned id;
	size_t i;

	json_array_foreach(disks, i, disk) {
		if (!disk_attach(domain, disk, &id, report))
			return false;
	}
	return true;
}

bool disk_detach(uint32_t domain, unsigned id, unsigned seconds, bool force, struct report *report)
{
	return device_detach(&class, domain, id, seconds, force, report);
}

void disk_forget_all(uint32_t domain)
{
	device_forget_all(&class, domain);
}

json_t *disk_list(uint32_t domain, struct report *report)
{
	return device_list(&class, domain, report);
}

bool disk_find(uint32_t domain, const char *word, unsigned *id, struct report *report)
{
	return device_find(&class, domain, word, id, report);
}

bool disk_change(uint32_t domain, unsigned id, const char *key, const char *value,
		 struct report *report)
{
	return device_change(&class, domain, id, key, value, report);
}
