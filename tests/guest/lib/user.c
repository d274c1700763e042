// SPDX-License-Identifier: BSD-2-Clause
/* User mode; see user.h. No locks: all state is of the vCPU or of the caller. */
#include "user.h"

#include "test.h"

extern const char user_code_start[], user_code_end[];

_Static_assert(offsetof(struct user, gs_base) == USER_GS_BASE, "layout.h");
_Static_assert(offsetof(struct user, kernel_sp) == USER_KERNEL_SP, "layout.h");

uint64_t user_address(const void *function)
{
	return USER_CODE_BASE + ((uint64_t)function - ADDRESS(user_code_start));
}

void user_map_code(uint64_t root)
{
	const char *page;

	for (page = user_code_start; page < user_code_end; page += PAGE_SIZE)
		root_map(root, user_address(page), physical_of(page), PTE_USER_RX);
}

void user_map_stack(uint64_t root, uint64_t top)
{
	uint64_t page;

	for (page = 1; page <= 4; page++)
		root_map_new(root, top - page * PAGE_SIZE, PTE_USER_RW);
}

void user_prepare(uint64_t root)
{
	user_map_code(root);
	user_map_stack(root, USER_STACK_TOP);
}

void user_init(struct user *user, uint64_t rip, uint64_t argument)
{
	memset(user, 0, sizeof(*user));
	user->frame.rip = rip;
	user->frame.cs = RF_USER_CS;
	user->frame.rflags = FLAG_FIXED | FLAG_INTERRUPT;
	user->frame.rsp = USER_STACK_TOP - 8; /* as after a call */
	user->frame.ss = RF_USER_SS;
	user->frame.rdi = argument;
}

void user_exit(const struct trap_frame *frame)
{
	struct vcpu *v = this_vcpu();

	v->user->frame = *frame;
	v->user->gs_base = v->page->user.gs_base;
	v->user->cr2 = v->page->cr2;
	v->user->dr6 = v->page->dr6;
	v->user = NULL;
	user_leave();
}

static uint64_t run(struct user *user, bool by_sysret)
{
	struct vcpu *v = this_vcpu();
	bool on = interrupts_off();

	v->user = user;
	user_enter(user, by_sysret);
	v->user = NULL;
	if (on)
		interrupts_on();
	return user->frame.vector;
}

uint64_t user_run(struct user *user)
{
	return run(user, false);
}

uint64_t user_run_sysret(struct user *user)
{
	return run(user, true);
}
