// SPDX-License-Identifier: BSD-2-Clause
/*
 * Strings and formatting: those of the hypervisor, which keep no state and so serve a guest too.
 * Interface: hypervisor/lib/string.h and printf.h. No locks.
 */
#include "hypervisor/lib/string.c"
#include "hypervisor/lib/printf.c"
