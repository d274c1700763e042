/* SPDX-License-Identifier: BSD-2-Clause */
/* Between boot_info.c and the readers of single protocols: how these look at loader memory, and
 * hand over what they found. */
#ifndef HYPERVISOR_BOOT_COLLECT_H
#define HYPERVISOR_BOOT_COLLECT_H

#include <stdbool.h>
#include <stdint.h>

/* The readers, one for each protocol. */
void boot_multiboot1_read(uint64_t physical);
void boot_multiboot2_read(uint64_t physical);
void boot_pvh_read(uint64_t physical);

/*
 * Physical memory of the low 4 GiB, as the early page tables map it; refuses anything beyond.
 * `what` names it in the refusal.
 */
const void *boot_physical(uint64_t physical, uint64_t size, const char *what);

/* A string in loader memory: refused if it has no end within `room` bytes. */
const char *boot_physical_string(uint64_t physical, uint64_t room, const char *what);

/* Each copies what it is given. */
void boot_add_range(uint64_t start, uint64_t size, uint32_t type);
void boot_add_module(uint64_t start, uint64_t size, const char *command_line);
void boot_set_command_line(const char *text);
void boot_set_loader(const char *name);

/* If the module at `physical` is a bundle, add what is in it and return true (boot_bundle.c). */
bool boot_bundle_split(uint64_t physical, uint64_t size);

/* Find the ACPI root pointer where the firmware put it (boot_acpi.c). */
uint64_t boot_acpi_search_bios(void);
uint64_t boot_acpi_search_efi(uint64_t system_table);
/* Keep a copy that the loader made; returns the address of ours, 0 if it is damaged. */
uint64_t boot_acpi_keep_copy(const void *rsdp, uint32_t size);

#endif
