/* SPDX-License-Identifier: MIT */
/*
 * The version of the contract. RF_ABI_VERSION goes up by one with every BREAKING change of a
 * layout or a meaning; a compatible addition (a new hypercall at the end, a field in reserved
 * space that reads as zero) leaves it alone. CHANGELOG.md classes every change.
 *
 * A guest image carries the version it was built for in an ELF note; another version is refused
 * by name.
 */
#ifndef RINGFENCE_ABI_VERSION_H
#define RINGFENCE_ABI_VERSION_H

#include <stdint.h>

#define RF_ABI_VERSION 1

/*
 * The ELF note: in a PT_NOTE segment, owner name "Ringfence", type RF_NOTE_TYPE, this structure
 * as its body.
 */
#define RF_NOTE_NAME   "Ringfence"
#define RF_NOTE_TYPE   1

struct rf_note {
	uint32_t abi_version; /* RF_ABI_VERSION */
	uint32_t flags;	      /* must be zero */
	uint64_t entry;	      /* virtual address at which vCPU 0 starts */
	uint64_t root;	      /* guest-physical address of the level-4 table it starts on */
};

_Static_assert(sizeof(struct rf_note) == 24, "rf_note layout");

/*
 * A compressed Linux kernel (bzImage) has this in place of the note, as a part of the data after its
 * kernel_info. It starts at RF_BOOT_MAP + the physical address of its entry, on tables that the
 * hypervisor makes: their root is in the page after the start information, and they map the
 * first GiB of guest-physical memory at RF_BOOT_MAP, writable and executable, and nothing else.
 * It unpacks itself, and goes on to tables of its own.
 */
#define RF_KERNEL_INFO_MAGIC 0x7a624652 /* RFbz */
#define RF_BOOT_MAP	     0xffffffff80000000ULL

struct rf_kernel_info {
	uint32_t magic;	      /* RF_KERNEL_INFO_MAGIC */
	uint32_t size;	      /* of this structure */
	uint32_t abi_version; /* RF_ABI_VERSION */
	uint32_t flags;	      /* must be zero */
	int32_t entry;	      /* where vCPU 0 starts, counted from kernel_info */
	int32_t end; /* of the compressed kernel in memory, page aligned; counted likewise */
};

_Static_assert(sizeof(struct rf_kernel_info) == 24, "rf_kernel_info layout");

#endif
