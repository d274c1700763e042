/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the image goes: linked in the high half, virtual = LAYOUT_IMAGE + physical, loaded at
 * physical 1 MiB by 32-bit loaders, which see only the load addresses (AT).
 *
 * Every segment begins on its own page so that the final page tables can give text, read-only
 * data and writable data different rights. The low 32 bits of LAYOUT_IMAGE are zero, so the copy
 * converted to ELF32 has virtual == physical, which is what Multiboot and PVH loaders want.
 *
 * .boot_header stands first: a Multiboot header must lie within the first 8 KiB of the file. The
 * PVH copy of the image drops that section, as QEMU would otherwise prefer Multiboot.
 */
#include "layout.h"

#define LOAD_ADDRESS	0x100000
#define LOAD_LIMIT	0x1000000

OUTPUT_FORMAT("elf64-x86-64")
OUTPUT_ARCH(i386:x86-64)
ENTRY(boot_multiboot)

PHDRS
{
	text PT_LOAD FLAGS(5);
	rodata PT_LOAD FLAGS(4);
	data PT_LOAD FLAGS(6);
	note PT_NOTE FLAGS(4);
}

SECTIONS
{
	. = LAYOUT_IMAGE + LOAD_ADDRESS;
	image_start = .;

	.boot_header : AT(ADDR(.boot_header) - LAYOUT_IMAGE) {
		KEEP(*(.boot_header))
	} :text

	.text : AT(ADDR(.text) - LAYOUT_IMAGE) {
		*(.boot_text)
		*(.text .text.*)
	} :text

	. = ALIGN(4096);
	image_text_end = .;

	.note : AT(ADDR(.note) - LAYOUT_IMAGE) {
		KEEP(*(.note.Xen))
	} :rodata :note

	.rodata : AT(ADDR(.rodata) - LAYOUT_IMAGE) {
		*(.rodata .rodata.*)
		. = ALIGN(8);
		fixup_table_start = .;
		KEEP(*(.fixup_table))
		fixup_table_end = .;
		/* Last, since it is empty when the image is linked for the first time. */
		*(.symbols)
	} :rodata

	. = ALIGN(4096);
	image_rodata_end = .;

	.data : AT(ADDR(.data) - LAYOUT_IMAGE) {
		*(.data .data.*)
	} :data

	.bss : AT(ADDR(.bss) - LAYOUT_IMAGE) {
		. = ALIGN(4096);
		image_bss_start = .;
		*(.bss.page_aligned)
		*(.bss .bss.* COMMON)
		. = ALIGN(4096);
	} :data
	image_bss_end = .;
	image_end = .;

	.got : { *(.got .got.plt .igot .igot.plt) }
	.relocations : { *(.rel.* .rela.* .dynamic .dynsym .dynstr .hash .gnu.hash .plt .iplt) }

	/DISCARD/ : {
		*(.comment .eh_frame .note.gnu.* .note.GNU-stack)
	}
}

ASSERT(image_end - LAYOUT_IMAGE <= LOAD_LIMIT, "the image ends above physical 16 MiB")
ASSERT(SIZEOF(.got) == 0, "the image has a global offset table")
ASSERT(SIZEOF(.relocations) == 0, "the image has relocations left")
