/* SPDX-License-Identifier: BSD-2-Clause */
/* A small good guest image, for tests of the loader to spoil. */
#ifndef FAKE_ELF_H
#define FAKE_ELF_H

#include <elf.h>
#include <stdint.h>

#include "abi/version.h"

#define FAKE_ELF_PHYSICAL 0x1000000UL
#define FAKE_ELF_ENTRY	  0xffffffff81000000UL

/* Text with the root, data with a bss, a note. */
struct fake_elf {
	Elf64_Ehdr header;
	Elf64_Phdr program[3];
	Elf64_Nhdr note_header;
	char note_name[12];
	struct rf_note note;
	uint8_t text[8192];
	uint8_t data[100];
};

void fake_elf_init(struct fake_elf *elf);

#endif
