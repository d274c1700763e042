// SPDX-License-Identifier: BSD-2-Clause
/*
 * The I/O bitmap: all ports, save for those of devices that are the hypervisor's own. It is for
 * the control domain's kernel; everybody else has an io_map_base beyond the segment's limit.
 *
 * Interface: ports.h. No locks: written once, before the CPU runs guests.
 */
#include "ports.h"

#include <stddef.h>
#include <stdint.h>

#include "arch_cpu.h"
#include "exit_status.h"
#include "string.h"

static const struct {
	uint16_t first;
	uint16_t last;
} owned[] = {
	{ 0x20, 0x21 }, /* interrupt controllers */
	{ 0xa0, 0xa1 },
	{ 0x4d0, 0x4d1 },
	{ 0x40, 0x43 }, /* timer, and its gate */
	{ 0x61, 0x61 },
	{ 0x3f8, 0x3ff }, /* serial console */
	{ EXIT_PORT, EXIT_PORT + 3 },
};

void ports_init_tss(struct tss *tss)
{
	memset(tss->io_bitmap, 0, TSS_IO_BITMAP_BYTES - 1);
	tss->io_bitmap[TSS_IO_BITMAP_BYTES - 1] = 0xff;
	for (size_t i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		for (uint32_t port = owned[i].first; port <= owned[i].last; port++)
			tss->io_bitmap[port / 8] |= (uint8_t)(1U << port % 8);
	}
	tss->io_map_base = TSS_IO_MAP_NONE;
}
