// SPDX-License-Identifier: BSD-2-Clause
/*
 * The check of guest images: one good file, and that file spoilt in every way that matters.
 */
#include "unit.h"

#include "fake_elf.h"
#include "guest_image.h"

static const char *parse(const struct fake_elf *elf, struct guest_image *image)
{
	return guest_image_parse(elf, sizeof(*elf), image);
}

static void test_good(void **state)
{
	struct fake_elf elf;
	struct guest_image image;

	(void)state;
	fake_elf_init(&elf);
	assert_null(parse(&elf, &image));
	assert_int_equal(image.segments, 2);
	assert_int_equal(image.lowest, FAKE_ELF_PHYSICAL);
	assert_int_equal(image.highest, FAKE_ELF_PHYSICAL + 0x13000);
	assert_int_equal(image.segment[1].file_size, 100);
	assert_int_equal(image.segment[1].memory_size, 0x3000);
	assert_int_equal(image.note.entry, FAKE_ELF_ENTRY);
	assert_int_equal(image.note.root, FAKE_ELF_PHYSICAL + 4096);
}

static void test_order_does_not_matter(void **state)
{
	struct fake_elf elf;
	struct guest_image image;
	Elf64_Phdr first;

	(void)state;
	fake_elf_init(&elf);
	first = elf.program[0];
	elf.program[0] = elf.program[2];
	elf.program[2] = first;
	assert_null(parse(&elf, &image));
	assert_int_equal(image.segment[0].physical, FAKE_ELF_PHYSICAL);
	assert_int_equal(image.segment[1].physical, FAKE_ELF_PHYSICAL + 0x10000);
}

static void test_foreign_notes_are_skipped(void **state)
{
	struct fake_elf elf;
	struct guest_image image;
	Elf64_Nhdr *other = (Elf64_Nhdr *)elf.text;

	(void)state;
	fake_elf_init(&elf);
	*other = (Elf64_Nhdr){ 4, 3, 1 };
	memcpy(elf.text + 12, "GNU", 4);
	memcpy(elf.text + 20, &elf.note_header, 12 + 12 + sizeof(elf.note));
	elf.program[2].p_offset = offsetof(struct fake_elf, text);
	elf.program[2].p_filesz = 20 + 24 + sizeof(elf.note);
	assert_null(parse(&elf, &image));
	assert_int_equal(image.note.entry, FAKE_ELF_ENTRY);
}

struct spoilt {
	size_t offset;
	size_t size;
	uint64_t value;
	const char *message;
};

#define SPOIL(field, value, message)                                                               \
	{                                                                                          \
		offsetof(struct fake_elf, field), sizeof(((struct fake_elf *)0)->field), value,    \
			message                                                                    \
	}

static const struct spoilt files[] = {
	SPOIL(header.e_ident[0], 0, "not an ELF file"),
	SPOIL(header.e_ident[3], 'f', "not an ELF file"),
	SPOIL(header.e_ident[4], 1, "ELF class 1"),
	SPOIL(header.e_ident[5], 2, "data encoding 2"),
	SPOIL(header.e_ident[6], 0, "ELF version"),
	SPOIL(header.e_version, 2, "ELF version 2"),
	SPOIL(header.e_machine, 3, "ELF machine 3, only 62"),
	SPOIL(header.e_type, ET_DYN, "ELF type 3"),
	SPOIL(header.e_type, ET_REL, "ELF type 1"),
	SPOIL(header.e_ehsize, 52, "ELF header size 52"),
	SPOIL(header.e_phentsize, 32, "program header size 32"),
	SPOIL(header.e_phentsize, 0, "program header size 0"),
	SPOIL(header.e_phnum, 0, "0 program headers"),
	SPOIL(header.e_phnum, 65, "65 program headers, 1 to 64"),
	SPOIL(header.e_phnum, 0xffff, "65535 program headers"),
	SPOIL(header.e_phoff, sizeof(struct fake_elf), "end beyond the file"),
	SPOIL(header.e_phoff, sizeof(struct fake_elf) - 167, "end beyond the file"),
	SPOIL(header.e_phoff, UINT64_MAX, "end beyond the file"),
	SPOIL(header.e_phoff, UINT64_MAX - 100, "end beyond the file"),
	SPOIL(program[0].p_offset, sizeof(struct fake_elf), "program header 0: file range"),
	SPOIL(program[0].p_offset, UINT64_MAX, "program header 0: file range"),
	SPOIL(program[0].p_filesz, 8193, "program header 0: memory size"),
	SPOIL(program[0].p_filesz, UINT64_MAX, "program header 0: file range"),
	SPOIL(program[1].p_filesz, 120, "program header 1: file range"),
	SPOIL(program[1].p_memsz, 99, "program header 1: memory size 0x63 is less"),
	SPOIL(program[1].p_memsz, 0, "program header 1: memory size"),
	SPOIL(program[1].p_memsz, UINT64_MAX, "program header 1: physical range"),
	SPOIL(program[1].p_paddr, UINT64_MAX - 4095, "program header 1: physical range"),
	SPOIL(program[1].p_paddr, 1ULL << 42, "program header 1: physical range"),
	SPOIL(program[1].p_paddr, FAKE_ELF_PHYSICAL, "overlap"),
	SPOIL(program[1].p_paddr, FAKE_ELF_PHYSICAL + 8191, "overlap"),
	SPOIL(program[1].p_paddr, FAKE_ELF_PHYSICAL - 1, "overlap"),
	SPOIL(program[0].p_type, PT_DYNAMIC, "in no loadable segment"),
	SPOIL(program[2].p_type, PT_NULL, "no Ringfence note"),
	SPOIL(program[2].p_offset, UINT64_MAX - 10, "program header 2: file range"),
	SPOIL(program[2].p_filesz, sizeof(struct fake_elf), "program header 2: file range"),
	SPOIL(program[2].p_filesz, 0, "no Ringfence note"),
	SPOIL(program[2].p_filesz, 11, "a note's header ends beyond"),
	SPOIL(program[2].p_filesz, 47, "ends beyond the segment"),
	SPOIL(note_header.n_namesz, 0, "ends beyond the segment"),
	SPOIL(note_header.n_namesz, 9, "no Ringfence note"),
	SPOIL(note_header.n_namesz, UINT32_MAX, "ends beyond the segment"),
	SPOIL(note_header.n_descsz, UINT32_MAX, "ends beyond the segment"),
	SPOIL(note_header.n_descsz, 23, "has 23 bytes, should have 24"),
	SPOIL(note_header.n_descsz, 0, "has 0 bytes"),
	SPOIL(note_header.n_type, 2, "no Ringfence note"),
	SPOIL(note_name[0], 'r', "no Ringfence note"),
	SPOIL(note.abi_version, 7, "built for ABI version 7, this hypervisor has version 1"),
	SPOIL(note.abi_version, 0, "built for ABI version 0"),
	SPOIL(note.flags, 1, "note: flags 0x1"),
	SPOIL(note.entry, 0x0000800000000000, "note: entry 0x800000000000"),
	SPOIL(note.entry, 0xffff800000100000, "note: entry 0xffff800000100000"),
	SPOIL(note.root, FAKE_ELF_PHYSICAL + 1, "note: root 0x1000001 is not page aligned"),
	SPOIL(note.root, FAKE_ELF_PHYSICAL + 8192, "in no loadable segment"),
	SPOIL(note.root, UINT64_MAX - 4095, "in no loadable segment"),
};

static void test_spoilt(void **state)
{
	struct fake_elf elf;
	struct guest_image image;

	(void)state;
	assert_true(sizeof(files) / sizeof(files[0]) >= 30);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		const char *error;

		fake_elf_init(&elf);
		memcpy((char *)&elf + files[i].offset, &files[i].value, files[i].size);
		error = parse(&elf, &image);
		if (!error || !strstr(error, files[i].message))
			fail_msg("file %zu: \"%s\" instead of \"%s\"", i, error ? error : "good",
				 files[i].message);
	}
}

/* Cut at every length: refused, and nothing beyond the end is read (the sanitizer watches). */
static void test_cut(void **state)
{
	struct fake_elf elf;
	struct guest_image image;

	(void)state;
	fake_elf_init(&elf);
	for (size_t size = 0; size < sizeof(elf) - 4; size++) {
		char *copy = malloc(size ? size : 1);

		memcpy(copy, &elf, size);
		assert_non_null(guest_image_parse(copy, size, &image));
		free(copy);
	}
}

static void test_two_notes(void **state)
{
	struct fake_elf elf;
	struct guest_image image;

	(void)state;
	fake_elf_init(&elf);
	elf.header.e_phnum = 2;
	elf.program[1] = elf.program[2];
	assert_null(parse(&elf, &image));
	elf.program[2] = elf.program[1];
	elf.header.e_phnum = 3;
	assert_string_equal(parse(&elf, &image), "more than one Ringfence note");
}

static void test_too_many_segments(void **state)
{
	struct {
		struct fake_elf elf;
		Elf64_Phdr program[20];
	} file;
	struct guest_image image;

	(void)state;
	fake_elf_init(&file.elf);
	memset(file.program, 0, sizeof(file.program));
	for (unsigned i = 0; i < 17; i++)
		file.program[i] =
			(Elf64_Phdr){ .p_type = PT_LOAD, .p_paddr = i << 12, .p_memsz = 9 };
	file.elf.header.e_phoff = offsetof(typeof(file), program);
	file.elf.header.e_phnum = 17;
	assert_string_equal(guest_image_parse(&file, sizeof(file), &image),
			    "more than 16 loadable segments");
}

static void test_too_many_notes(void **state)
{
	struct fake_elf elf;
	struct guest_image image;

	(void)state;
	fake_elf_init(&elf);
	memset(elf.text, 0, sizeof(elf.text));
	elf.program[2].p_offset = offsetof(struct fake_elf, text);
	elf.program[2].p_filesz = 12 * 65;
	assert_string_equal(parse(&elf, &image), "more than 64 notes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_order_does_not_matter),
		cmocka_unit_test(test_foreign_notes_are_skipped),
		cmocka_unit_test(test_spoilt),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_two_notes),
		cmocka_unit_test(test_too_many_segments),
		cmocka_unit_test(test_too_many_notes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
