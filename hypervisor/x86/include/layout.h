/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where things are in the hypervisor's address space: slots 256-271 of every root. Read by
 * assembly as well.
 */
#ifndef X86_LAYOUT_H
#define X86_LAYOUT_H

#define LAYOUT_IMAGE	      0xffff800000000000 /* virtual = this + physical, for the image only */
#define LAYOUT_DEVICES	      0xffff804000000000 /* mapped device pages */
#define LAYOUT_STACKS	      0xffff806000000000 /* per-CPU stacks between guard pages */
#define LAYOUT_FRAME_TABLE    0xffff808000000000 /* slot 257 */
#define LAYOUT_DIRECT_MAP     0xffff840000000000 /* slots 264-271: all RAM, 4 TiB at most */
#define LAYOUT_DIRECT_MAP_END 0xffff880000000000

/* Selectors: the order that SYSCALL, SYSRET and Linux expect. */
#define SELECTOR_KERNEL_CODE  0x10
#define SELECTOR_KERNEL_DATA  0x18
#define SELECTOR_USER_CODE32  0x23
#define SELECTOR_USER_DATA    0x2b
#define SELECTOR_USER_CODE    0x33
#define SELECTOR_TSS	      0x40
#define GDT_TLS_FIRST                                                                              \
	12 /* 12-14 thread-local storage, 15 for the CPU number: the guest's, checked */
#define GDT_TLS_COUNT 4
#define GDT_ENTRIES   16

#endif
