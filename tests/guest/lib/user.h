/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * User mode. A function marked USER_CODE lives in a section of its own, which user_map_code() maps
 * at USER_CODE in any root; user_address() is its address there. Such a function must use nothing
 * but its arguments, its stack and other such functions, and end in user_syscall().
 *
 *	struct user user;
 *
 *	user_prepare(root, user_code);          // code, a stack; once for each root
 *	root_load(root);
 *	user_init(&user, user_address(user_code), argument);
 *	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "...");
 *	... user.frame.rax, user.frame.rip ... are what the user left
 *
 * user_run() returns at the user's syscall and at each exception without a handler; calling it
 * again goes on from there. Vectors from 32 up are counted and the user goes on.
 */
#ifndef USER_H
#define USER_H

#include <stdint.h>

#include "trap.h"

#define USER_CODE_BASE 0x400000UL
#define USER_STACK_TOP 0x7ffffff00000UL

#define USER_CODE      __attribute__((section(".user"), noinline, used))

struct user {
	struct trap_frame frame; /* first: entry.S loads it */
	uint64_t gs_base;
	uint64_t kernel_sp; /* zero: what is free of the stack of user_run() */
	uint64_t cr2;
	uint64_t dr6;
};

void user_map_code(uint64_t root);
/* Four pages of stack below `top`. */
void user_map_stack(uint64_t root, uint64_t top);
/* Both, the stack at USER_STACK_TOP. */
void user_prepare(uint64_t root);
uint64_t user_address(const void *function);

/* Everything zero but RIP, RSP, selectors, RFLAGS.IF and RDI. */
void user_init(struct user *user, uint64_t rip, uint64_t argument);

/*
 * By the iret site (all registers as in the frame) or the sysret site. Returns the vector,
 * VECTOR_SYSCALL for a syscall.
 */
uint64_t user_run(struct user *user);
uint64_t user_run_sysret(struct user *user);

/*
 * In user code: a syscall with a number and three arguments; what user_run() then finds in rax,
 * rdi, rsi, rdx.
 */
static inline __attribute__((always_inline)) uint64_t user_syscall(uint64_t number, uint64_t a,
								   uint64_t b, uint64_t c)
{
	asm volatile("syscall" : "+a"(number) : "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return number;
}

/* For user code that is assembly: defines `name` as the code. */
#define USER_ASM(name, code)                                                                       \
	asm(".pushsection .user, \"ax\"\n.globl " #name "\n" #name ":\n" code "\n.popsection");    \
	extern const char name[]

/* entry.S and trap.c */
void user_enter(struct user *user, uint64_t by_sysret);
_Noreturn void user_leave(void);
_Noreturn void user_exit(const struct trap_frame *frame);

#endif
