// SPDX-License-Identifier: BSD-2-Clause
/*
 * Makes a guest image for tests.
 *
 * Interface: fake_elf.h. Locks: none.
 */
#include "fake_elf.h"

#include <stddef.h>
#include <string.h>

static Elf64_Phdr segment(uint32_t type, uint64_t offset, uint64_t physical, uint64_t size)
{
	return (Elf64_Phdr){
		.p_type = type,
		.p_offset = offset,
		.p_vaddr = 0xffffffff80000000 + physical,
		.p_paddr = physical,
		.p_filesz = size,
		.p_memsz = size,
	};
}

void fake_elf_init(struct fake_elf *elf)
{
	memset(elf, 0, sizeof(*elf));
	elf->header = (Elf64_Ehdr){
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = offsetof(struct fake_elf, program),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 3,
	};
	elf->program[0] = segment(PT_LOAD, offsetof(struct fake_elf, text), FAKE_ELF_PHYSICAL,
				  sizeof(elf->text));
	elf->program[1] = segment(PT_LOAD, offsetof(struct fake_elf, data),
				  FAKE_ELF_PHYSICAL + 0x10000, sizeof(elf->data));
	elf->program[1].p_memsz = 0x3000;
	elf->program[2] = segment(PT_NOTE, offsetof(struct fake_elf, note_header), 0,
				  sizeof(Elf64_Nhdr) + 12 + sizeof(struct rf_note));
	elf->note_header = (Elf64_Nhdr){ 10, sizeof(struct rf_note), RF_NOTE_TYPE };
	strcpy(elf->note_name, RF_NOTE_NAME);
	elf->note = (struct rf_note){
		.abi_version = RF_ABI_VERSION,
		.entry = FAKE_ELF_ENTRY,
		.root = FAKE_ELF_PHYSICAL + 4096,
	};
	memset(elf->text, 0x90, sizeof(elf->text));
	memset(elf->data, 0xdd, sizeof(elf->data));
}
