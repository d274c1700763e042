/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed Linux kernels (bzimage.c). */
#ifndef HYPERVISOR_BZIMAGE_H
#define HYPERVISOR_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "guest_image.h"

bool bzimage_is(const void *file, size_t size);
/* As guest_image_parse, of a file that bzimage_is. */
const char *bzimage_parse(const void *file, size_t size, struct guest_image *image);

#endif
