/* SPDX-License-Identifier: BSD-2-Clause */
/* The reference, from the table of routes (manual.c). */
#ifndef TOOLSTACK_RFD_MANUAL_H
#define TOOLSTACK_RFD_MANUAL_H

/* Prints what is generated of docs/api.md. */
void manual_print(void);

#endif
