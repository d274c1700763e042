/* SPDX-License-Identifier: GPL-2.0 */
/* What the hypervisor told at the start, and what drivers of this platform have in common. */
#ifndef _ASM_X86_RINGFENCE_START_H
#define _ASM_X86_RINGFENCE_START_H

#include <asm/ringfence/abi/start_info.h>
#include <asm/ringfence/domain.h>

struct kobject;

/* A copy. Of no meaning unless rf_domain(). */
extern struct rf_start_info rf_start_info;

/* /sys/kernel/ringfence, from device_initcall() on; NULL if there is none. */
extern struct kobject *rf_sysfs_folder;

static inline bool rf_is_control(void)
{
	return rf_start_info.flags & RF_START_CONTROL;
}

#endif
