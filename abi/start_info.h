/* SPDX-License-Identifier: MIT */
/*
 * What a domain finds when it starts: one page of facts, at a guest-physical address that is in
 * RDI when vCPU 0 begins at the entry of its ELF note, in guest-kernel mode, on the note's
 * root, with interrupts off, RSP zero and every other register zero. The image stands at the
 * physical addresses of its program headers; the page of facts is the first after the image.
 * (version.h says how it is for a compressed Linux kernel.) All other memory of the control domain
 * holds whatever it held before; that of other domains is zero.
 */
#ifndef RINGFENCE_ABI_START_INFO_H
#define RINGFENCE_ABI_START_INFO_H

#include <stdint.h>

#define RF_START_MAGIC	     0x4543464e47524e52ULL
#define RF_START_RANGES	     64
#define RF_COMMAND_LINE_SIZE 2048

#define RF_START_CONTROL     0x1 /* this is the control domain: guest-physical is machine-physical */

/* Kinds of memory, with the numbers of the BIOS e820 map. */
#define RF_RANGE_RAM	     1
#define RF_RANGE_RESERVED    2
#define RF_RANGE_ACPI	     3
#define RF_RANGE_NVS	     4
#define RF_RANGE_UNUSABLE    5
#define RF_RANGE_FOREIGN                                                                           \
	0x100 /* RAM of the machine that is another domain's, or free (control domain only) */

/* Sorted. If there are more pieces than fit, short ones of RAM are left out. */
struct rf_start_range {
	uint64_t start;
	uint64_t size;
	uint32_t kind;
	uint32_t reserved;
};

struct rf_start_info {
	uint64_t magic;
	uint32_t abi_version;
	uint32_t flags;
	uint32_t domain;
	uint32_t vcpus;
	uint64_t memory_bytes; /* RAM the domain owns */
	uint64_t initrd_start; /* guest-physical; zero size: none */
	uint64_t initrd_size;
	uint64_t acpi_rsdp; /* control domain only, else zero */
	uint64_t tsc_khz;
	uint32_t ranges;
	uint32_t store_port; /* a port of the control domain that listens for it (io/store.h); 0: no store */
	struct rf_start_range range[RF_START_RANGES];
	char command_line[RF_COMMAND_LINE_SIZE];
};

_Static_assert(sizeof(struct rf_start_range) == 24, "rf_start_range layout");
_Static_assert(sizeof(struct rf_start_info) == 3656, "rf_start_info layout, within a page");

#endif
