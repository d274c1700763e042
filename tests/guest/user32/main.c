// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that user mode may run 32-bit code: it returns to it by the iret site, faults come back
 * with its selector, and none of the ways a 32-bit system call could be made leads anywhere.
 */
/* covers: set_entries, set_tls */
#include "test.h"

const char test_title[] = "32-bit user code";

USER_ASM(user_undefined32, ".code32; mov $0x12345678, %eax; ud2; .code64");
USER_ASM(user_syscall32, ".code32; syscall; ud2; .code64");
USER_ASM(user_sysenter32, ".code32; sysenter; ud2; .code64");
USER_ASM(user_int32, ".code32; int $0x80; ud2; .code64");
USER_ASM(user_into32, ".code32; movb $0x7f, %al; addb $1, %al; into; ud2; .code64");
USER_ASM(user_far32, ".code32; ljmp $0x33, $0x400000; .code64");

/* On the stack segment in EDI, comes back through IRET by a fault that only fills; then shows ESP. */
USER_ASM(user_stack32, ".code32; mov %edi, %ss; mov (%esi), %al; mov %esp, %ebx; mov $0x2b, %eax;"
		       "mov %eax, %ss; ud2; .code64");

static uint64_t run(const char *code, struct user *user)
{
	user_init(user, user_address(code), 0);
	user->frame.cs = RF_USER32_CS;
	user->frame.rsp = 0x10000;
	return user_run(user);
}

static void faults(void)
{
	struct user user;

	CHECK_EQ(run(user_undefined32, &user), VECTOR_UD, "ud2");
	CHECK_EQ(user.frame.cs, RF_USER32_CS, "ud2");
	CHECK_EQ(user.frame.rip, user_address(user_undefined32) + 5, "ud2");
	CHECK_EQ(user.frame.rax, 0x12345678, "it was 32-bit code");
	CHECK_EQ(user.frame.rsp, 0x10000, "ud2");
}

static void system_calls(void)
{
	struct user user;

	CHECK_EQ(run(user_syscall32, &user), VECTOR_UD, "syscall");
	CHECK_EQ(user.frame.cs, RF_USER32_CS, "syscall");
	CHECK_EQ(user.frame.rip, user_address(user_syscall32), "syscall");
	CHECK_EQ(user.frame.rsp, 0x10000, "syscall");
	CHECK(run(user_sysenter32, &user) == VECTOR_GP || user.frame.vector == VECTOR_UD,
	      "sysenter: %lu", user.frame.vector);
	CHECK_EQ(user.frame.rip, user_address(user_sysenter32), "sysenter");
	CHECK_EQ(run(user_int32, &user), VECTOR_GP, "int 0x80");
	CHECK_EQ(user.frame.error, 0x80 * 8 + 2, "int 0x80");
	CHECK_EQ(user.frame.rip, user_address(user_int32), "int 0x80");
	CHECK_EQ(run(user_into32, &user), VECTOR_GP, "into");
	CHECK_EQ(user.frame.error, VECTOR_OF * 8 + 2, "into");
	CHECK_EQ(user.frame.rip, user_address(user_into32) + 4, "into");
}

/* EIP has 32 bits: such a frame is refused, and the guest hears of it as user mode's fault. */
static void too_high(void)
{
	struct user user;

	user_init(&user, 0x100000000, 0);
	user.frame.cs = RF_USER32_CS;
	CHECK_EQ(user_run(&user), VECTOR_GP, "rip");
	CHECK_EQ(user.frame.rip, 0x100000000, "rip");
	CHECK_EQ(user.frame.cs, RF_USER32_CS, "rip");
}

/* Out of 32-bit code by a far jump: code at 0x400000 is 64-bit again. */
static void far_jump(void)
{
	struct user user;

	run(user_far32, &user);
	CHECK_EQ(user.frame.cs, RF_USER_CS, "far jump");
}

/*
 * A stack of 16 bits: IRET gives back the lower half of ESP only, and what is in the upper one then
 * is the hypervisor's. So there is no such segment.
 */
static void small_stack(void)
{
	struct user user;
	uint64_t page = user_address(user_stack32) + 0x100000;
	uint32_t i;

	for (i = 0; i < 4; i++)
		root_map_new(root_boot(), page + i * PAGE_SIZE, PTE_USER_RW);
	if (hv_set_tls(0, 0x008ff2000000ffff))
		return;
	user_init(&user, user_address(user_stack32), 0x63);
	user.frame.cs = RF_USER32_CS;
	user.frame.rsp = 0x10000;
	user.frame.rsi = page + 3 * PAGE_SIZE;
	CHECK_EQ(user_run(&user), VECTOR_UD, "16-bit stack");
	CHECK_EQ(user.frame.rbx, 0x10000, "ESP");
	hv_set_tls(0, 0);
}

void test_main(void)
{
	user_prepare(root_boot());
	faults();
	system_calls();
	too_high();
	far_jump();
	small_stack();
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
