/* SPDX-License-Identifier: MIT */
/*
 * The console. console_write is any domain's. What is typed at the serial line is the control
 * domain's, what the control domain sends by domain_trigger is another's: each takes its own with
 * console_read. RF_VECTOR_CONSOLE is posted to a domain's vCPU 0 when something was typed and all of
 * what came before had been taken, so whoever reads until there is nothing more misses none; and when
 * it is asked to end (requests in domain_info).
 *
 * The last RF_CONSOLE_RING bytes that a domain other than the control domain printed are kept. The
 * control domain reads them, with console_read, by position: bytes since the domain began. A position
 * whose byte is no longer kept moves to the first that is; so the new position, less the old, less
 * what was read is how much was lost. The hypervisor's log is read likewise.
 */
#ifndef RINGFENCE_ABI_CONSOLE_H
#define RINGFENCE_ABI_CONSOLE_H

#define RF_CONSOLE_RING	  16384
#define RF_VECTOR_CONSOLE 0xf7 /* as Linux: X86_PLATFORM_IPI_VECTOR */

/* What a break on the line reads as, Ctrl-O: Linux's hvc takes the key that follows for SysRq. */
#define RF_CONSOLE_BREAK  0x0f

#endif
