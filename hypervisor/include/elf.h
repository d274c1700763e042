/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest images in ELF64 files (elf.c). */
#ifndef HYPERVISOR_ELF_H
#define HYPERVISOR_ELF_H

#include <stddef.h>

#include "guest_image.h"

/* As guest_image_parse. */
const char *elf_parse(const void *file, size_t size, struct guest_image *image);

#endif
