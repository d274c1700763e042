/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fake architecture keeps of a vCPU. */
#ifndef FAKE_ARCH_VCPU_H
#define FAKE_ARCH_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/vcpu.h"

struct arch_vcpu {
	bool created;
	bool user_mode;
	bool loaded; /* between being switched to and switched from: two CPUs at once is a bug */
	uint64_t user_table;
	uint64_t kernel_table;
	uint64_t stack;			/* of user mode; zero: where nothing can be */
	struct rf_vcpu_context context; /* of the last reset */
	uint32_t resets;
	uint64_t entries[3];   /* of set_entries */
	uint32_t delivered;    /* vectors given */
	uint8_t vector_log[8]; /* the latest of them, at [delivered % 8] before it is counted */
};

#endif
