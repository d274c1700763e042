/* SPDX-License-Identifier: MIT */
/*
 * The serial console. console_write is any domain's; what is typed goes to the control domain, which
 * takes it with console_read. RF_VECTOR_CONSOLE is posted to its vCPU 0 when something was typed and
 * all of what came before had been taken, so whoever reads until there is nothing more misses none.
 */
#ifndef RINGFENCE_ABI_CONSOLE_H
#define RINGFENCE_ABI_CONSOLE_H

#define RF_VECTOR_CONSOLE 0xf7 /* as Linux: X86_PLATFORM_IPI_VECTOR */

/* What a break on the line reads as, Ctrl-O: Linux's hvc takes the key that follows for SysRq. */
#define RF_CONSOLE_BREAK  0x0f

#endif
