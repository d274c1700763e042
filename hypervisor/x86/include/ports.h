/* SPDX-License-Identifier: BSD-2-Clause */
/* Which I/O ports the control domain may use (ports.c). */
#ifndef X86_PORTS_H
#define X86_PORTS_H

struct tss;

/* Fills in the bitmap of one CPU; who may use it is decided by io_map_base. */
void ports_init_tss(struct tss *tss);

#endif
