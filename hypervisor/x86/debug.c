// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest's breakpoints: checked, and loaded only while in use.
 *
 * Interface: debug.h, and the hypercall set_debug_register. No locks: they belong to the current
 * vCPU. They stay loaded while the hypervisor runs, which touches no address that a guest may name
 * here; see entry.S for the one that a load of SS holds back.
 */
#include "debug.h"

#include <stddef.h>

#include "abi/errno.h"
#include "arch_hypercall.h"
#include "index.h"
#include "pte.h"
#include "string.h"
#include "vcpu.h"

#define BREAKPOINTS	4
#define CAUSE		6
#define CONTROL		7

#define CAUSE_RESET	0xffff0ff0ULL
#define CONTROL_RESET	0x400ULL
/* Local and global enable bits, exact match, and the four kinds and lengths. */
#define CONTROL_ENABLES 0xffULL
#define CONTROL_ALLOWED (0xffff03ffULL | CONTROL_RESET)

#define KIND_EXECUTE	0
#define KIND_PORT	2

#define READ(n)                                                                                    \
	({                                                                                         \
		uint64_t value_;                                                                   \
		asm volatile("mov %%db" #n ", %0" : "=r"(value_));                                 \
		value_;                                                                            \
	})
#define WRITE(n, value) asm volatile("mov %0, %%db" #n : : "r"((uint64_t)(value)))

void debug_reset(uint64_t registers[8])
{
	memset(registers, 0, 8 * sizeof(registers[0]));
	registers[CAUSE] = CAUSE_RESET;
	registers[CONTROL] = CONTROL_RESET;
}

void debug_unload(void)
{
	WRITE(7, CONTROL_RESET);
}

void debug_load(const uint64_t registers[8], const uint64_t *previous)
{
	if (registers[CONTROL] & CONTROL_ENABLES) {
		WRITE(7, CONTROL_RESET);
		WRITE(0, registers[0]);
		WRITE(1, registers[1]);
		WRITE(2, registers[2]);
		WRITE(3, registers[3]);
		WRITE(7, registers[CONTROL]);
	} else if (previous && (previous[CONTROL] & CONTROL_ENABLES)) {
		WRITE(7, CONTROL_RESET);
	}
}

/* A CPU may report a breakpoint that is not enabled, and was another vCPU's. */
uint64_t debug_take_cause(uint64_t control)
{
	uint64_t cause = READ(6);

	WRITE(6, CAUSE_RESET);
	for (unsigned i = 0; i < BREAKPOINTS; i++) {
		if (!(control >> 2 * i & 3))
			cause &= ~(1ULL << i);
	}
	return cause;
}

/* Ports would match the hypervisor's own accesses; an odd length of an instruction is undefined. */
static bool control_good(uint64_t value)
{
	if (value & ~CONTROL_ALLOWED)
		return false;
	for (unsigned i = 0; i < BREAKPOINTS; i++) {
		unsigned kind = value >> (16 + 4 * i) & 3;
		unsigned length = value >> (18 + 4 * i) & 3;

		if (kind == KIND_PORT || (kind == KIND_EXECUTE && length))
			return false;
	}
	return true;
}

/* A breakpoint covers up to 8 bytes, aligned to as many: it does not reach into another page. */
static bool address_good(uint64_t address)
{
	return address_is_canonical(address) && !address_is_hypervisor(address);
}

int64_t do_set_debug_register(uint64_t number, uint64_t value)
{
	struct vcpu *v = vcpu_current();

	if (number < BREAKPOINTS) {
		if (!address_good(value))
			return -EINVAL;
		v->arch.debug[index_clamp(number, BREAKPOINTS)] = value;
	} else if (number == CAUSE) {
		v->page->dr6 = (value & 0xe00f) | CAUSE_RESET;
		return 0;
	} else if (number == CONTROL) {
		if (!control_good(value))
			return -EINVAL;
		v->arch.debug[CONTROL] = value | CONTROL_RESET;
	} else {
		return -EINVAL;
	}
	debug_unload();
	debug_load(v->arch.debug, NULL);
	return 0;
}
