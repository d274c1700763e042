// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes a compressed kernel for tests; there is nothing in it that could be unpacked.
 *
 * Interface: fake_bzimage.h. Locks: none.
 */
#include "fake_bzimage.h"

#include <stddef.h>
#include <string.h>

#define KERNEL	      offsetof(struct fake_bzimage, text)
#define INFO	      (offsetof(struct fake_bzimage, info) - KERNEL)
#define KERNEL_LENGTH (sizeof(struct fake_bzimage) - KERNEL)

_Static_assert(offsetof(struct fake_bzimage, text) == 1024, "two sectors");
_Static_assert(KERNEL_LENGTH == 4096, "whole paragraphs");

void fake_bzimage_init(struct fake_bzimage *image)
{
	memset(image, 0, sizeof(*image));
	image->header.setup_sects = 1;
	image->header.syssize = KERNEL_LENGTH / 16;
	image->header.boot_flag = 0xaa55;
	memcpy(&image->header.magic, "HdrS", 4);
	image->header.version = 0x20f;
	image->header.loadflags = 1;
	image->header.xloadflags = 1;
	image->header.pref_address = FAKE_BZIMAGE_ADDRESS;
	image->header.init_size = FAKE_BZIMAGE_MEMORY;
	image->header.kernel_info_offset = INFO;

	memset(image->text, 0x90, sizeof(image->text));
	memset(image->data, 0xdd, sizeof(image->data));
	memcpy(&image->info.magic, "LToP", 4);
	image->info.size = sizeof(image->info);
	image->info.size_total =
		sizeof(image->info) + sizeof(image->other_part) + sizeof(image->part);
	image->other_part[1] = sizeof(image->other_part);
	image->part = (struct rf_kernel_info){
		.magic = RF_KERNEL_INFO_MAGIC,
		.size = sizeof(image->part),
		.abi_version = RF_ABI_VERSION,
		.entry = FAKE_BZIMAGE_ENTRY - (int32_t)INFO,
		.end = FAKE_BZIMAGE_KERNEL - (int32_t)INFO,
	};
}
