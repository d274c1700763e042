// SPDX-License-Identifier: BSD-2-Clause
/* In the static program, which is for RAM disks: libnbd needs shared libraries. */
#include "backends/block/image.h"

static bool refuse(struct image *image, char *error, size_t size)
{
	return image_fail(error, size,
			  "%s: format %s: this rf-block is static, and has only raw images",
			  image->path, image->kind->name);
}

const struct image_kind image_nbd = { .name = "nbd", .open = refuse };
const struct image_kind image_qcow2 = { .name = "qcow2", .open = refuse };
const struct image_kind image_vpc = { .name = "vpc", .open = refuse };
const struct image_kind image_vhdx = { .name = "vhdx", .open = refuse };
const struct image_kind image_vmdk = { .name = "vmdk", .open = refuse };
