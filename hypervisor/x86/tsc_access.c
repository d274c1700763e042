// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest kernel may forbid its user mode to read the TSC, as CR4.TSD does on hardware.
 *
 * Interface: tsc_access.h; the guest's is RF_MSR_NO_USER_TSC. No locks: it belongs to the current
 * vCPU, and the flag of the CPU says what its CR4 has.
 * Odd: the bit is for all of ring 3, where the guest's kernel is too. So while it is set, the
 * kernel's own reads fault, and are done here; few processes ask for this.
 */
#include "tsc_access.h"

#include "arch.h"
#include "cpu.h"
#include "flags.h"
#include "guest_access.h"
#include "instructions.h"
#include "registers.h"
#include "vcpu.h"

#define CR4_TSD 0x4ULL

void tsc_access_load(const struct vcpu *v)
{
	struct arch_cpu *cpu = &this_cpu()->arch;

	if (cpu->no_tsc == v->arch.no_user_tsc)
		return;
	cpu->no_tsc = v->arch.no_user_tsc;
	cr4_write(cpu->no_tsc ? cr4_read() | CR4_TSD : cr4_read() & ~CR4_TSD);
}

int tsc_access_set(struct vcpu *v, uint64_t forbidden)
{
	v->arch.no_user_tsc = forbidden != 0;
	tsc_access_load(v);
	return 0;
}

/* How long the instruction is; zero when it is another. No compiler gives it a prefix. */
static unsigned length_at(uint64_t rip, bool *with_aux)
{
	uint8_t code[3];

	if (copy_from_guest(code, rip, 2))
		return 0;
	*with_aux = false;
	if (code[0] == 0x0f && code[1] == 0x31)
		return 2;
	*with_aux = true;
	if (copy_from_guest(code, rip, 3))
		return 0;
	return code[0] == 0x0f && code[1] == 0x01 && code[2] == 0xf9 ? 3 : 0;
}

bool tsc_access_emulate(const struct vcpu *v, struct registers *r)
{
	uint64_t value;
	unsigned length;
	bool with_aux;

	if (!v->arch.no_user_tsc || v->arch.user_mode || r->error)
		return false;
	length = length_at(r->rip, &with_aux);
	if (!length)
		return false;
	value = arch_tsc();
	r->rax = (uint32_t)value;
	r->rdx = value >> 32;
	if (with_aux)
		r->rcx = (uint32_t)v->arch.tsc_aux;
	r->rip += length;
	r->rflags &= ~(uint64_t)FLAGS_RESUME;
	return true;
}
