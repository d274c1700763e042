/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exceptions and vectors. For each one, in this order:
 *  - the handler set with trap_set_handler(), if it returns true, and execution goes on from the
 *    frame (which it may change), to guest-kernel or user mode, by the iret site;
 *  - out of user mode: user_run() returns;
 *  - in guest-kernel mode: the TRY block it happened in ends and its struct trap says what
 *    happened;
 *  - vectors from 32 up are counted (vcpu->vectors) and forgotten;
 *  - anything else prints the frame and ends the test as an ERROR.
 *
 *	struct trap trap;
 *
 *	TRY(&trap)
 *		asm volatile("ud2");
 *	CHECK_EQ(trap.vector, VECTOR_UD, "ud2");
 *
 * A local that is changed inside the block must be volatile. Do not leave it by return or goto.
 */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <stdint.h>

#include "layout.h"

#define VECTOR_DE   0
#define VECTOR_DB   1
#define VECTOR_NMI  2
#define VECTOR_BP   3
#define VECTOR_OF   4
#define VECTOR_BR   5
#define VECTOR_UD   6
#define VECTOR_NM   7
#define VECTOR_DF   8
#define VECTOR_TS   10
#define VECTOR_NP   11
#define VECTOR_SS   12
#define VECTOR_GP   13
#define VECTOR_PF   14
#define VECTOR_MF   16
#define VECTOR_AC   17
#define VECTOR_XM   19
#define VECTOR_NONE 0x1000 /* nothing happened */

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* What a TRY block ran into. vector is VECTOR_NONE when it came to its end. */
struct trap {
	uint64_t vector;
	uint64_t error;
	uint64_t rip, cs, rflags, rsp, ss;
	uint64_t cr2;
	uint64_t dr6;
	uint64_t resume[8];
	struct trap *outer;
};

#define TRY(trap)                                                                                  \
	for (int try_first = trap_try(trap, try_save((trap)->resume)); try_first;                  \
	     try_first = 0, trap_end(trap))

typedef bool trap_handler(struct trap_frame *frame);
/* NULL takes it away. Handlers run with the virtual interrupt flag clear, on the vCPU concerned. */
void trap_set_handler(uint32_t vector, trap_handler *handler);

/*
 * Registers a stub for all 256 vectors, none of them for user `int n`, and the system-call entry.
 */
void trap_init(void);
/* Registers one vector again: rip zero means none. 0 or the error. */
int64_t trap_register(uint32_t vector, uint64_t rip, uint32_t flags);
/* The stubs: of hardware exceptions, and of `int n` (which has no error code for any n). */
uint64_t trap_stub(uint32_t vector);
uint64_t soft_stub(uint32_t vector);

void trap_print(const struct trap_frame *frame);

/* Behind the macro, and called by assembly. */
extern char trap_stubs[], soft_stubs[], iret_site[], sysret_site[], syscall_entry[];
int try_save(uint64_t *registers) __attribute__((returns_twice));
_Noreturn void try_restore(const uint64_t *registers);
int trap_try(struct trap *trap, int again);
void trap_end(struct trap *trap);
void trap_dispatch(struct trap_frame *frame);

#endif
