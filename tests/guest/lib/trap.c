// SPDX-License-Identifier: BSD-2-Clause
/*
 * What happens with an exception or a vector; see trap.h. Called by entry.S on the kernel stack.
 * No locks: handlers are set while nobody uses them, all else is per vCPU.
 */
#include "trap.h"

#include "test.h"

#define STUB_SIZE 16

static trap_handler *handlers[VECTOR_SYSCALL + 1];

_Static_assert(offsetof(struct trap_frame, rcx) == FRAME_RCX, "layout.h");
_Static_assert(offsetof(struct trap_frame, r11) == FRAME_R11, "layout.h");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "layout.h");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "layout.h");
_Static_assert(offsetof(struct trap_frame, ss) == FRAME_SS, "layout.h");
_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "layout.h");

uint64_t trap_stub(uint32_t vector)
{
	return ADDRESS(trap_stubs) + vector * STUB_SIZE;
}

uint64_t soft_stub(uint32_t vector)
{
	return ADDRESS(soft_stubs) + vector * STUB_SIZE;
}

void trap_set_handler(uint32_t vector, trap_handler *handler)
{
	handlers[vector] = handler;
}

int64_t trap_register(uint32_t vector, uint64_t rip, uint32_t flags)
{
	struct rf_trap trap = { .rip = rip, .vector = (uint8_t)vector, .flags = (uint8_t)flags };

	return hv_set_traps(ADDRESS(&trap), 1);
}

void trap_init(void)
{
	static struct rf_trap traps[256];
	uint32_t i;
	int64_t result;

	for (i = 0; i < 256; i++)
		traps[i] = (struct rf_trap){ .rip = trap_stub(i), .vector = (uint8_t)i };
	result = hv_set_traps(ADDRESS(traps), 256);
	if (result)
		ERROR("set_traps: %ld", result);
	result = hv_set_entries(ADDRESS(syscall_entry), ADDRESS(sysret_site), ADDRESS(iret_site));
	if (result)
		ERROR("set_entries: %ld", result);
}

int trap_try(struct trap *trap, int again)
{
	struct vcpu *v = this_vcpu();

	if (again) {
		v->try = trap->outer;
		return 0;
	}
	trap->vector = VECTOR_NONE;
	trap->outer = v->try;
	v->try = trap;
	return 1;
}

void trap_end(struct trap *trap)
{
	this_vcpu()->try = trap->outer;
}

void trap_print(const struct trap_frame *f)
{
	printf("vector %lu error %#lx at %#lx cs %#lx flags %#lx cr2 %#lx vcpu %u\n", f->vector,
	       f->error, f->rip, f->cs, f->rflags, this_page()->cr2, this_vcpu()->id);
	printf("  rsp %#lx ss %#lx rax %#lx rbx %#lx rcx %#lx rdx %#lx\n", f->rsp, f->ss, f->rax,
	       f->rbx, f->rcx, f->rdx);
	printf("  rsi %#lx rdi %#lx rbp %#lx\n", f->rsi, f->rdi, f->rbp);
}

static _Noreturn void try_fail(const struct trap_frame *f)
{
	struct trap *t = this_vcpu()->try;

	t->vector = f->vector;
	t->error = f->error;
	t->rip = f->rip;
	t->cs = f->cs;
	t->rflags = f->rflags;
	t->rsp = f->rsp;
	t->ss = f->ss;
	t->cr2 = this_page()->cr2;
	t->dr6 = this_page()->dr6;
	if (f->rflags & FLAG_INTERRUPT)
		interrupts_on();
	try_restore(t->resume);
}

void trap_dispatch(struct trap_frame *f)
{
	trap_handler *handler = handlers[f->vector];

	if (f->vector < 256)
		this_vcpu()->vectors[f->vector]++;
	if (handler && handler(f))
		return;
	if (f->vector >= 32 && f->vector < 256)
		return;
	if ((f->cs & 3) == 3 && this_vcpu()->user)
		user_exit(f);
	if ((f->cs & 3) != 3 && this_vcpu()->try)
		try_fail(f);
	trap_print(f);
	ERROR("unexpected trap");
}
