/* SPDX-License-Identifier: BSD-2-Clause */
/* Which devices' memory is the hypervisor's own (device.c). */
#ifndef X86_DEVICE_H
#define X86_DEVICE_H

#include <stdint.h>

/* No domain may map any page of it, from now on. At boot. paging_map_device() says it, too. */
void device_keep(uint64_t physical, uint64_t size);

#endif
