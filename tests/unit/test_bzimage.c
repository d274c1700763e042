// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of compressed kernels: one good file, and that file spoilt in every way that matters.
 */
#include "unit.h"

#include "fake_bzimage.h"
#include "guest_image.h"

static void test_good(void **state)
{
	struct fake_bzimage file;
	struct guest_image image;

	(void)state;
	fake_bzimage_init(&file);
	assert_null(guest_image_parse(&file, sizeof(file), &image));
	assert_int_equal(image.segments, 1);
	assert_int_equal(image.segment[0].offset, 1024);
	assert_int_equal(image.segment[0].file_size, 4096);
	assert_int_equal(image.segment[0].physical, FAKE_BZIMAGE_PLACE);
	assert_int_equal(image.segment[0].memory_size, FAKE_BZIMAGE_KERNEL);
	assert_int_equal(image.lowest, FAKE_BZIMAGE_ADDRESS);
	assert_int_equal(image.highest, FAKE_BZIMAGE_ADDRESS + FAKE_BZIMAGE_MEMORY);
	assert_int_equal(image.note.entry, RF_BOOT_MAP + FAKE_BZIMAGE_PLACE + FAKE_BZIMAGE_ENTRY);
	assert_true(image.needs_tables);
}

/* What is after the kernel is not its own: a checksum, or a signature. */
static void test_longer(void **state)
{
	struct {
		struct fake_bzimage file;
		char more[20];
	} longer;
	struct guest_image image;

	(void)state;
	fake_bzimage_init(&longer.file);
	assert_null(guest_image_parse(&longer, sizeof(longer), &image));
	assert_int_equal(image.segment[0].file_size, 4096);
}

struct spoilt {
	size_t offset;
	size_t size;
	uint64_t value;
	const char *message;
};

#define SPOIL(field, value, message)                                                               \
	{                                                                                          \
		offsetof(struct fake_bzimage, field), sizeof(((struct fake_bzimage *)0)->field),   \
			value, message                                                             \
	}

static const struct spoilt files[] = {
	SPOIL(header.boot_flag, 0, "not an ELF file"),
	SPOIL(header.magic, 0, "not an ELF file"),
	SPOIL(header.version, 0x20e, "boot protocol 2.14, 2.15 or later"),
	SPOIL(header.version, 0, "boot protocol 0.0"),
	SPOIL(header.loadflags, 0xfe, "not a 64-bit kernel"),
	SPOIL(header.xloadflags, 0xfffe, "not a 64-bit kernel"),
	SPOIL(header.setup_sects, 2, "setup_sects 2 and syssize 0x100 end beyond"),
	SPOIL(header.setup_sects, 0, "setup_sects 4 and syssize 0x100 end beyond"),
	SPOIL(header.setup_sects, 255, "setup_sects 255"),
	SPOIL(header.syssize, 0x101, "syssize 0x101 end beyond the file (0x1400)"),
	SPOIL(header.syssize, 0xffffffff, "syssize 0xffffffff end beyond"),
	SPOIL(header.syssize, 0, "kernel_info_offset 0x100 ends beyond the kernel (0)"),
	SPOIL(header.pref_address, 0x1001000, "pref_address 0x1001000 is not a multiple"),
	SPOIL(header.pref_address, 512UL << 20, "ends beyond 0x20000000"),
	SPOIL(header.pref_address, UINT64_MAX - 0x1fffff, "ends beyond 0x20000000"),
	SPOIL(header.init_size, 0x20001, "init_size 0x20001 is not a multiple of 0x1000"),
	SPOIL(header.init_size, 0xfffff000, "init_size 0xfffff000 ends beyond"),
	SPOIL(header.init_size, 0x2000, "from the kernel's 4096 bytes to init_size (0x2000)"),
	SPOIL(header.init_size, 0, "to init_size (0)"),
	SPOIL(header.kernel_info_offset, 4096, "kernel_info_offset 0x1000 ends beyond"),
	SPOIL(header.kernel_info_offset, 4085, "kernel_info_offset 0xff5 ends beyond"),
	SPOIL(header.kernel_info_offset, UINT32_MAX, "kernel_info_offset 0xffffffff ends"),
	SPOIL(header.kernel_info_offset, 0, "kernel_info begins with 0x90909090"),
	SPOIL(info.magic, 0x504f544c, "kernel_info begins with 0x504f544c"),
	SPOIL(info.size, 11, "kernel_info: size 0xb: should be from 12"),
	SPOIL(info.size, 53, "kernel_info: size 0x35: should be"),
	SPOIL(info.size_total, 15, "kernel_info: size 0x10: should be"),
	SPOIL(info.size_total, 16, "no part of kernel_info for Ringfence"),
	SPOIL(info.size_total, 28, "no part of kernel_info for Ringfence"),
	SPOIL(info.size_total, 30, "the header of a part ends beyond size_total"),
	SPOIL(info.size_total, 51, "a part's size 0x18: should be"),
	SPOIL(info.size_total, 3841, "size_total 0xf01: at most 0x1000, and inside"),
	SPOIL(info.size_total, 4097, "size_total 0x1001: at most 0x1000"),
	SPOIL(info.size_total, UINT32_MAX, "size_total 0xffffffff: at most 0x1000"),
	SPOIL(other_part[1], 0, "a part's size 0: should be"),
	SPOIL(other_part[1], 7, "a part's size 0x7: should be"),
	SPOIL(other_part[1], 8, "a part's size 0x7a624652: should be"),
	SPOIL(other_part[1], UINT32_MAX, "a part's size 0xffffffff: should be"),
	SPOIL(part.magic, 0, "no part of kernel_info for Ringfence"),
	SPOIL(part.size, 23, "part for Ringfence has 23 bytes, should have 24"),
	SPOIL(part.size, 25, "a part's size 0x19: should be"),
	SPOIL(part.abi_version, 9, "built for ABI version 9, this hypervisor has version 1"),
	SPOIL(part.flags, 4, "flags 0x4, should be 0"),
	SPOIL(part.entry, -257, "entry at -1 is not inside the kernel (0x1000)"),
	SPOIL(part.entry, 4096 - 256, "entry at 4096 is not inside the kernel"),
	SPOIL(part.entry, INT32_MAX, "is not inside the kernel"),
	SPOIL(part.entry, INT32_MIN, "is not inside the kernel"),
	SPOIL(part.end, 0x3001 - 256, "end at 12289: should be whole pages"),
	SPOIL(part.end, 0, "end at 256: should be whole pages"),
	SPOIL(part.end, 0x21000 - 256, "end at 135168: should be whole pages"),
	SPOIL(part.end, INT32_MIN, "should be whole pages"),
	SPOIL(part.end, INT32_MAX, "should be whole pages"),
};

static void test_spoilt(void **state)
{
	struct fake_bzimage file;
	struct guest_image image;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *error;

		fake_bzimage_init(&file);
		memcpy((char *)&file + files[i].offset, &files[i].value, files[i].size);
		error = guest_image_parse(&file, sizeof(file), &image);
		if (!error || !strstr(error, files[i].message))
			fail_msg("file %zu: \"%s\" instead of \"%s\"", i, error ? error : "good",
				 files[i].message);
	}
}

/* Cut at every length: refused, and nothing beyond the end is read (the sanitizer watches). */
static void test_cut(void **state)
{
	struct fake_bzimage file;
	struct guest_image image;

	(void)state;
	fake_bzimage_init(&file);
	for (size_t size = 0; size < sizeof(file); size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, &file, size);
		assert_non_null(guest_image_parse(copy, size, &image));
		free(copy);
	}
}

/* As much as it may have. */
static void test_limits(void **state)
{
	struct fake_bzimage file;
	struct guest_image image;

	(void)state;
	fake_bzimage_init(&file);
	file.header.pref_address = (512UL << 20) - 0x200000;
	file.header.init_size = 0x200000;
	file.part.entry = 4095 - 256;
	file.part.end = 0x200000 - 256;
	assert_null(guest_image_parse(&file, sizeof(file), &image));
	assert_int_equal(image.highest, 512UL << 20);
	assert_int_equal(image.segment[0].physical, (512UL << 20) - 0x200000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),   cmocka_unit_test(test_longer),
		cmocka_unit_test(test_spoilt), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
