// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that each exception and each `int n`, from guest-kernel and user mode, arrives at the
 * registered address with the frame that hardware would have made.
 */
/* covers: set_traps */
#include "test.h"

const char test_title[] = "traps";

/* Kernel: `int n; ret`, 4 bytes each. User: `int n; syscall`, 4 bytes each. */
#define TABLE(after) ".set n, 0\n.rept 256\n.byte 0xcd, n, " after "\n.set n, n + 1\n.endr"

USER_ASM(int_table, TABLE("0xc3, 0x90"));
USER_ASM(user_int_table, TABLE("0x0f, 0x05"));
USER_ASM(user_int3, "int3; syscall");
USER_ASM(user_divide, "xor %ecx, %ecx; divl %ecx");
USER_ASM(user_undefined, "ud2");
USER_ASM(user_load, "mov (%rdi), %al");
USER_ASM(user_store, "mov %al, (%rdi)");
USER_ASM(user_push, "mov %rdi, %rsp; push %rax");
USER_ASM(user_jump, "jmp *%rdi");
USER_ASM(user_segment, "mov %edi, %ds");

static struct trap_frame caught;
static uint32_t catches;
static uint32_t caught_flag;

static bool catch (struct trap_frame *f)
{
	caught = *f;
	caught_flag = this_page()->interrupt_flag;
	catches++;
	/* A fault comes back to its instruction; those here are two bytes long. */
	if (f->vector == VECTOR_GP && f->error)
		f->rip += 2;
	return true;
}

/* What came of one `int n` in guest-kernel mode. */
static void kernel_int(uint32_t n)
{
	catches = 0;
	((void (*)(void))(int_table + 4 * n))();
	CHECK_EQ(catches, 1, "int %u: traps", n);
	CHECK_EQ(caught.cs, RF_KERNEL_CS, "int %u", n);
	CHECK_EQ(caught.ss, RF_KERNEL_SS, "int %u", n);
	CHECK_EQ(caught.rflags & (FLAG_IOPL | FLAG_VM | FLAG_NESTED_TASK), 0, "int %u", n);
}

static void kernel_ints(bool registered)
{
	uint32_t n;

	for (n = 0; n < 256; n++) {
		uint64_t at = ADDRESS(int_table) + 4 * n;

		if (!registered && n == VECTOR_GP)
			continue; /* it is how the others are told */
		kernel_int(n);
		CHECK_EQ(caught.vector, registered ? n : VECTOR_GP, "int %u", n);
		CHECK_EQ(caught.error, registered ? 0 : n * 8 + 2, "int %u", n);
		CHECK_EQ(caught.rip, registered ? at + 2 : at, "int %u", n);
	}
}

/* Vector 13 keeps the stub with an error code unless `soft`. */
static void register_all(bool registered, uint32_t flags)
{
	uint32_t n;

	for (n = 0; n < 256; n++) {
		if (!registered && n == VECTOR_GP)
			trap_register(n, trap_stub(n), 0);
		else
			CHECK_EQ(trap_register(n, registered ? soft_stub(n) : 0, flags), 0, "%u",
				 n);
	}
}

static void kernel_int_sweep(void)
{
	uint32_t n;

	for (n = 0; n < 256; n++)
		trap_set_handler(n, catch);
	register_all(true, 0);
	kernel_ints(true);
	register_all(false, 0);
	kernel_ints(false);
	for (n = 0; n < 256; n++)
		trap_set_handler(n, NULL);
	trap_init();
}

static void user_int(uint32_t n, bool allowed)
{
	uint64_t at = user_address(user_int_table) + 4 * n;
	struct user user;

	user_init(&user, at, 0);
	CHECK_EQ(user_run(&user), allowed ? n : VECTOR_GP, "user int %u", n);
	CHECK_EQ(user.frame.error, allowed ? 0 : n * 8 + 2, "user int %u", n);
	CHECK_EQ(user.frame.rip, allowed ? at + 2 : at, "user int %u", n);
	CHECK_EQ(user.frame.cs, RF_USER_CS, "user int %u", n);
	CHECK_EQ(user.frame.ss, RF_USER_SS, "user int %u", n);
	CHECK_EQ(user.frame.rsp, USER_STACK_TOP - 8, "user int %u", n);
}

/* A vector from 32 up does not end user_run(): then the syscall after the `int` does. */
static bool leave_user(struct trap_frame *f)
{
	if ((f->cs & 3) == 3)
		user_exit(f);
	return false;
}

static void user_int_sweep(void)
{
	uint32_t n;

	for (n = 32; n < 256; n++)
		trap_set_handler(n, leave_user);
	for (n = 0; n < 256; n++)
		user_int(n, false);
	/* Nothing registered but #GP: the same. */
	register_all(false, RF_TRAP_USER);
	for (n = 0; n < 256; n++)
		user_int(n, false);
	for (n = 0; n < 256; n++) {
		trap_init();
		trap_register(n, soft_stub(n), RF_TRAP_USER);
		user_int(n, true);
	}
	for (n = 32; n < 256; n++)
		trap_set_handler(n, NULL);
	trap_init();
}

/* The code of the user does as well in guest-kernel mode. */
static void kernel_trap(const char *code, uint64_t argument, uint64_t vector, uint64_t error,
			uint64_t offset)
{
	struct trap trap;

	TRY(&trap)
	((void (*)(uint64_t))code)(argument);
	CHECK_EQ(trap.vector, vector, "code at %p", code);
	CHECK_EQ(trap.error, error, "code at %p", code);
	CHECK_EQ(trap.rip, ADDRESS(code) + offset, "code at %p", code);
	CHECK_EQ(trap.cs, RF_KERNEL_CS, "code at %p", code);
	CHECK_EQ(trap.ss, RF_KERNEL_SS, "code at %p", code);
	if (vector == VECTOR_PF)
		CHECK_EQ(trap.cr2, argument, "code at %p", code);
}

static void kernel_exceptions(void)
{
	uint64_t hole = TEST_KERNEL_BASE + 0x123456;
	uint64_t text = ADDRESS(int_table);

	kernel_trap(user_undefined, 0, VECTOR_UD, 0, 0);
	kernel_trap(user_divide, 0, VECTOR_DE, 0, 2);
	kernel_trap(user_load, hole, VECTOR_PF, 0, 0);
	kernel_trap(user_store, hole, VECTOR_PF, FAULT_WRITE, 0);
	kernel_trap(user_store, text, VECTOR_PF, FAULT_WRITE | FAULT_PRESENT, 0);
	/* What the hypervisor has there is nobody's business: none of it is present. */
	kernel_trap(user_load, HYPERVISOR_START, VECTOR_PF, 0, 0);
	kernel_trap(user_store, HYPERVISOR_START + 0x100000, VECTOR_PF, FAULT_WRITE, 0);
	kernel_trap(user_load, HYPERVISOR_END - 1, VECTOR_PF, 0, 0);
	kernel_trap(user_load, 0x0000900000000000UL, VECTOR_GP, 0, 0);
	kernel_trap(user_segment, 0x1234, VECTOR_GP, 0x1234 & ~3, 0);
	kernel_trap(user_int3, 0, VECTOR_BP, 0, 1);
}

static void kernel_jump(void)
{
	struct trap trap;

	TRY(&trap)
	((void (*)(void))ADDRESS(this_page()))();
	CHECK_EQ(trap.vector, VECTOR_PF, "jump to data");
	CHECK_EQ(trap.error, FAULT_PRESENT | FAULT_FETCH, "jump to data");
	CHECK_EQ(trap.cr2, ADDRESS(this_page()), "jump to data");
	CHECK_EQ(trap.rip, ADDRESS(this_page()), "jump to data");
}

static void user_trap(const char *code, uint64_t argument, uint64_t vector, uint64_t error,
		      uint64_t offset)
{
	struct user user;

	user_init(&user, user_address(code), argument);
	CHECK_EQ(user_run(&user), vector, "user code at %p", code);
	CHECK_EQ(user.frame.error, error, "user code at %p", code);
	CHECK_EQ(user.frame.rip, user_address(code) + offset, "user code at %p", code);
	CHECK_EQ(user.frame.cs, RF_USER_CS, "user code at %p", code);
	if (vector == VECTOR_PF)
		CHECK_EQ(user.cr2, argument, "user code at %p", code);
}

/* A stack fault; QEMU without KVM calls it a protection fault. */
static void stack_fault(void)
{
	struct user user;

	user_init(&user, user_address(user_push), 0x0000900000000000UL);
	user_run(&user);
	CHECK(user.frame.vector == VECTOR_SS || user.frame.vector == VECTOR_GP, "vector %lu",
	      user.frame.vector);
	CHECK_EQ(user.frame.error, 0, "stack fault");
	CHECK_EQ(user.frame.rip, user_address(user_push) + 3, "stack fault");
}

static void user_exceptions(void)
{
	uint64_t code = user_address(user_load);
	uint64_t kernel = ADDRESS(int_table);

	user_trap(user_undefined, 0, VECTOR_UD, 0, 0);
	user_trap(user_divide, 0, VECTOR_DE, 0, 2);
	user_trap(user_load, 0x1000, VECTOR_PF, FAULT_USER, 0);
	user_trap(user_store, 0x1000, VECTOR_PF, FAULT_USER | FAULT_WRITE, 0);
	user_trap(user_store, code, VECTOR_PF, FAULT_USER | FAULT_WRITE | FAULT_PRESENT, 0);
	user_trap(user_load, kernel, VECTOR_PF, FAULT_USER | FAULT_PRESENT, 0);
	user_trap(user_load, HYPERVISOR_START, VECTOR_PF, FAULT_USER, 0);
	user_trap(user_load, 0x0000900000000000UL, VECTOR_GP, 0, 0);
	stack_fault();
	user_trap(user_segment, 0x1234, VECTOR_GP, 0x1234 & ~3, 0);
	user_trap(user_int3, 0, VECTOR_GP, 3 * 8 + 2, 0);
	trap_register(VECTOR_BP, trap_stub(VECTOR_BP), RF_TRAP_USER);
	user_trap(user_int3, 0, VECTOR_BP, 0, 1);
	trap_init();
}

static void user_fetches(void)
{
	uint64_t stack = USER_STACK_TOP - 4096;
	struct user user;

	user_init(&user, user_address(user_jump), stack);
	CHECK_EQ(user_run(&user), VECTOR_PF, "jump to the stack");
	CHECK_EQ(user.frame.error, FAULT_USER | FAULT_FETCH | FAULT_PRESENT, "jump to the stack");
	CHECK_EQ(user.frame.rip, stack, "jump to the stack");
	user_init(&user, user_address(user_jump), ADDRESS(int_table));
	CHECK_EQ(user_run(&user), VECTOR_PF, "jump to the kernel");
	CHECK_EQ(user.frame.rip, ADDRESS(int_table), "jump to the kernel");
	CHECK(user.frame.error & FAULT_USER, "jump to the kernel: %#lx", user.frame.error);
}

/* Interrupt gates clear the virtual flag and trap gates keep it; the frame tells what it was. */
static void gates(void)
{
	uint32_t flags;
	uint32_t on;

	trap_set_handler(0x80, catch);
	for (flags = 0; flags <= RF_TRAP_KEEP_INTERRUPTS; flags += RF_TRAP_KEEP_INTERRUPTS) {
		for (on = 0; on <= 1; on++) {
			trap_register(0x80, soft_stub(0x80), flags);
			if (on)
				interrupts_on();
			kernel_int(0x80);
			CHECK_EQ(caught.rflags & FLAG_INTERRUPT, on ? FLAG_INTERRUPT : 0, "frame");
			CHECK_EQ(caught_flag, on && flags ? RF_INTERRUPT_FLAG : 0,
				 "in the handler");
			CHECK_EQ(interrupts_off(), on, "after the return");
		}
	}
	trap_set_handler(0x80, NULL);
	trap_init();
}

static void bad_registrations(void)
{
	struct rf_trap trap = { .rip = trap_stub(3), .vector = 3, .reserved = { [5] = 1 } };

	CHECK_EQ(hv_set_traps(ADDRESS(&trap), 1), -EINVAL, "reserved bytes");
	CHECK_EQ(trap_register(3, trap_stub(3), 4), -EINVAL, "unknown flag");
	CHECK_EQ(trap_register(3, trap_stub(3), 0x80), -EINVAL, "unknown flag");
	CHECK_EQ(trap_register(3, HYPERVISOR_START, 0), -EINVAL, "hypervisor");
	CHECK_EQ(trap_register(3, HYPERVISOR_END - 1, 0), -EINVAL, "hypervisor");
	CHECK_EQ(trap_register(3, 0x0000800000000000UL, 0), -EINVAL, "not canonical");
	CHECK_EQ(trap_register(3, 0x8000000000000000UL, 0), -EINVAL, "not canonical");
	CHECK(hv_set_traps(ADDRESS(&trap), 257) < 0, "too many");
	CHECK(hv_set_traps(0x1000, 1) < 0, "unmapped");
}

void test_main(void)
{
	user_prepare(root_boot());
	kernel_exceptions();
	kernel_jump();
	user_exceptions();
	user_fetches();
	kernel_int_sweep();
	user_int_sweep();
	gates();
	bad_registrations();
}
