/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor tells the machine when it stops: written to EXIT_PORT, where QEMU's
 * isa-debug-exit device, if there is one, ends QEMU with status value * 2 + 1. tests/vm turns that
 * into its own exit status, value - EXIT_SUCCESS. Read by assembly as well.
 *
 * The values start at 16 so that none of QEMU's own failures (status 1) looks like one of them.
 */
#ifndef HYPERVISOR_EXIT_STATUS_H
#define HYPERVISOR_EXIT_STATUS_H

#define EXIT_PORT	  0xf4

#define EXIT_SUCCESS	  16 /* everything that was asked for ran and ended well */
#define EXIT_GUEST_FAILED 17 /* a domain crashed or reported failure */
#define EXIT_REFUSED	  18 /* the machine, an option or a module is not acceptable */
#define EXIT_PANIC	  19 /* the hypervisor found a bug in itself */
#define EXIT_REBOOT	  20 /* a reboot was asked for */

#endif
