/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Instructions of the hypervisor that may fault, and where it goes on then. For use in the text of
 * an asm statement: FIXUP("1b", "2b"). traps.c looks them up.
 */
#ifndef X86_FIXUP_H
#define X86_FIXUP_H

#include <stdint.h>

/* Each is relative to itself. */
struct fixup {
	int32_t fault;
	int32_t resume;
};

extern const struct fixup fixup_table_start[], fixup_table_end[];

#define FIXUP(fault, resume)                                                                       \
	".pushsection .fixup_table, \"a\"\n"                                                       \
	".balign 4\n"                                                                              \
	".long (" fault ") - .\n"                                                                  \
	".long (" resume ") - .\n"                                                                 \
	".popsection\n"

#endif
