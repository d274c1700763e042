/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the parts of the image begin and end: symbols of hypervisor.lds.S and boot.S. */
#ifndef X86_IMAGE_H
#define X86_IMAGE_H

#include <stdint.h>

#include "layout.h"

extern const char image_start[], image_text_end[], image_rodata_end[], image_end[];

/* The early page tables lie from boot_l4 up to boot_stack. */
extern char boot_l4[], boot_stack[];

static inline uint64_t image_physical(const void *symbol)
{
	return (uint64_t)symbol - LAYOUT_IMAGE;
}

#endif
