/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The files that a guest starts from, mapped and checked (image.c). The checks and the places are those of
 * the hypervisor's own builder: the same source files are compiled for both.
 */
#ifndef TOOLSTACK_LIB_IMAGE_H
#define TOOLSTACK_LIB_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hypervisor/include/guest_layout.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/report.h"

struct image_file {
	const char *path;
	const char *data; /* NULL: there is none */
	size_t size;
};

struct image {
	struct image_file kernel;
	struct image_file initrd;
	struct guest_image content;
	struct guest_layout layout;
};

/* False: the report names the file, the field and the limit. In any case image_close. */
bool image_open(struct image *image, const struct config *config, struct report *report);
void image_close(struct image *image);

#endif
