// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guest images: which format a file has, and what the formats have in common.
 *
 * Interface: guest_image.h. Locks: none; the message of the last refusal is in static memory, as
 * images are looked at one at a time, at boot.
 */
#include "guest_image.h"

#include <stdarg.h>

#include "bzimage.h"
#include "elf.h"
#include "printf.h"
#include "string.h"

const char *guest_image_refuse(const char *format, ...)
{
	static char message[160];
	va_list arguments;

	va_start(arguments, format);
	format_string(message, sizeof(message), format, arguments);
	va_end(arguments);
	return message;
}

const char *guest_image_check_version(uint32_t version)
{
	if (version == RF_ABI_VERSION)
		return NULL;
	return guest_image_refuse("built for ABI version %u, this hypervisor has version %u",
				  version, RF_ABI_VERSION);
}

const char *guest_image_parse(const void *file, size_t size, struct guest_image *image)
{
	memset(image, 0, sizeof(*image));
	if (bzimage_is(file, size))
		return bzimage_parse(file, size, image);
	return elf_parse(file, size, image);
}
