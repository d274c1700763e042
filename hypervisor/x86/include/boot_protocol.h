/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the loader called us, the first argument of main_start(). For Multiboot it is the number the
 * loader left in EAX; for PVH it is the magic number of the start information. Read by assembly.
 */
#ifndef HYPERVISOR_BOOT_PROTOCOL_H
#define HYPERVISOR_BOOT_PROTOCOL_H

#define BOOT_PROTOCOL_MULTIBOOT1 0x2badb002
#define BOOT_PROTOCOL_MULTIBOOT2 0x36d76289
#define BOOT_PROTOCOL_PVH	 0x336ec578

#endif
