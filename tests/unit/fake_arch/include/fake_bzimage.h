/* SPDX-License-Identifier: BSD-2-Clause */
/* A small good compressed kernel, for tests of the loader to spoil. */
#ifndef FAKE_BZIMAGE_H
#define FAKE_BZIMAGE_H

#include <stdint.h>

#include "abi/version.h"

#define FAKE_BZIMAGE_ADDRESS 0x1000000UL
#define FAKE_BZIMAGE_MEMORY  0x20000UL
#define FAKE_BZIMAGE_KERNEL  0x3000UL /* in memory */
#define FAKE_BZIMAGE_PLACE   (FAKE_BZIMAGE_ADDRESS + FAKE_BZIMAGE_MEMORY - FAKE_BZIMAGE_KERNEL)
#define FAKE_BZIMAGE_ENTRY   0x40

struct fake_bzimage {
	uint8_t before[0x1f1];
	struct {
		uint8_t setup_sects;
		uint16_t root_flags;
		uint32_t syssize;
		uint8_t ram_size[6];
		uint16_t boot_flag;
		uint16_t jump;
		uint32_t magic;
		uint16_t version;
		uint8_t realmode_swtch[9];
		uint8_t loadflags;
		uint8_t setup_move_size[36];
		uint16_t xloadflags;
		uint8_t cmdline_size[32];
		uint64_t pref_address;
		uint32_t init_size;
		uint32_t handover_offset;
		uint32_t kernel_info_offset;
	} __attribute__((packed)) header;
	uint8_t setup[1024 - 0x26c];

	uint8_t text[256];
	struct {
		uint32_t magic;
		uint32_t size;
		uint32_t size_total;
		uint32_t setup_type_max;
	} info;
	uint32_t other_part[3];
	struct rf_kernel_info part;
	uint8_t data[4096 - 256 - 16 - 12 - 24];
} __attribute__((packed));

void fake_bzimage_init(struct fake_bzimage *image);

#endif
