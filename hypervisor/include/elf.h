/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Checking an ELF64 guest image that lies in memory (elf.c). Knows nothing of domains; runs on
 * the host for the fuzzer.
 */
#ifndef HYPERVISOR_ELF_H
#define HYPERVISOR_ELF_H

#include <stddef.h>
#include <stdint.h>

#include "abi/version.h"

#define ELF_SEGMENTS 16

struct elf_segment {
	uint64_t offset; /* in the file */
	uint64_t file_size;
	uint64_t physical;
	uint64_t memory_size;
};

struct elf_image {
	struct rf_note note;
	uint32_t segments;
	struct elf_segment segment[ELF_SEGMENTS]; /* loadable ones, sorted, not overlapping */
	uint64_t lowest;			  /* physical address of the first byte */
	uint64_t highest;			  /* and of the first one after the last */
};

/* NULL when the image is good, else one line that names the field and the limit. */
const char *elf_parse(const void *file, size_t size, struct elf_image *image);

#endif
