/* SPDX-License-Identifier: BSD-2-Clause */
/* Bits of RFLAGS, and which of them a guest may choose. Read by assembly as well. */
#ifndef X86_FLAGS_H
#define X86_FLAGS_H

#define FLAGS_ONE	 0x2 /* always set */
#define FLAGS_TRAP	 0x100
#define FLAGS_INTERRUPT	 0x200
#define FLAGS_DIRECTION	 0x400
#define FLAGS_IOPL	 0x3000
#define FLAGS_NESTED	 0x4000
#define FLAGS_RESUME	 0x10000
#define FLAGS_VM	 0x20000
#define FLAGS_ALIGNMENT	 0x40000

/* What a guest has in any case. */
#define FLAGS_FORCED	 (FLAGS_ONE | FLAGS_INTERRUPT)
/* CF PF AF ZF SF DF OF AC ID */
#define FLAGS_GUEST	 0x240cd5
/* SYSRET cannot restore these two exactly. */
#define FLAGS_IRET_ONLY	 (FLAGS_TRAP | FLAGS_RESUME)
#define FLAGS_GUEST_IRET (FLAGS_GUEST | FLAGS_IRET_ONLY)

/* What is cleared when a guest's handler starts. */
#define FLAGS_HANDLER_CLEAR                                                                        \
	(FLAGS_TRAP | FLAGS_NESTED | FLAGS_RESUME | FLAGS_ALIGNMENT | FLAGS_DIRECTION | FLAGS_IOPL)

/* In ring 3 these must be exactly FLAGS_INTERRUPT. */
#define FLAGS_CRITICAL (FLAGS_INTERRUPT | FLAGS_IOPL | FLAGS_NESTED | FLAGS_VM)

#endif
