/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things are in the memory of a domain that starts (guest_layout.c). Knows nothing of domains:
 * the toolstack builds guests by the same rules.
 */
#ifndef HYPERVISOR_GUEST_LAYOUT_H
#define HYPERVISOR_GUEST_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "guest_image.h"
#include "abi/start_info.h"

#define GUEST_LAYOUT_TABLES 3 /* pages of them, for an image that brings none */

/* Guest-physical addresses. */
struct guest_layout {
	uint64_t start_info; /* the page after the image */
	uint64_t tables;     /* the pages after that; zero: the image brings its own */
	uint64_t end;	     /* of all of these */
	uint64_t initrd;     /* zero: none */
};

/* What the start information of a domain other than the control domain says. */
struct guest_layout_facts {
	uint32_t domain;
	uint32_t vcpus;
	uint32_t store_port;
	uint64_t memory_bytes;
	uint64_t tsc_khz;
	uint64_t initrd_start;
	uint64_t initrd_size;
	const char *command_line;
	size_t command_line_length; /* less than RF_COMMAND_LINE_SIZE */
};

/* Everything but the initrd; says in the image's note where its tables are. */
void guest_layout_place(struct guest_layout *layout, struct guest_image *image);
/* At the end of so much memory, or of the first 4 GiB; false: it does not fit beside the image. */
bool guest_layout_place_initrd(struct guest_layout *layout, uint64_t memory, uint64_t size);
/* Page `number` of the tables, 512 entries. */
void guest_layout_table(const struct guest_layout *layout, unsigned number, uint64_t *table);
void guest_layout_describe(struct rf_start_info *info, const struct guest_layout_facts *facts);

#endif
