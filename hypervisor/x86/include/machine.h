/* SPDX-License-Identifier: BSD-2-Clause */
/* Stopping the other processors before the machine ends, or while a panic is printed (machine.c). */
#ifndef X86_MACHINE_H
#define X86_MACHINE_H

/* How to, once there are any. It must not wait for an answer. */
void machine_set_stop_hook(void (*stop)(void));
void machine_stop_others(void);

#endif
