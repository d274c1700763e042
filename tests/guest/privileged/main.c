// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that instructions for ring 0 raise what they raise in ring 3, in guest-kernel and in user
 * mode, and that what reads the machine's tables says nothing.
 */
/* covers: version */
#include "test.h"

const char test_title[] = "privileged instructions";

#define GP (1 << VECTOR_GP)
#define UD (1 << VECTOR_UD)

/* name, instruction, vectors it may raise */
#define INSTRUCTIONS(X)                                                                            \
	X(cli, "cli", GP)                                                                          \
	X(sti, "sti", GP)                                                                          \
	X(hlt, "hlt", GP)                                                                          \
	X(lgdt, "lgdt (%rsp)", GP)                                                                 \
	X(lidt, "lidt (%rsp)", GP)                                                                 \
	X(lldt, "lldt %ax", GP)                                                                    \
	X(ltr, "ltr %ax", GP)                                                                      \
	X(lmsw, "lmsw %ax", GP)                                                                    \
	X(clts, "clts", GP)                                                                        \
	X(read_cr0, "mov %cr0, %rax", GP)                                                          \
	X(read_cr2, "mov %cr2, %rax", GP)                                                          \
	X(read_cr3, "mov %cr3, %rax", GP)                                                          \
	X(read_cr4, "mov %cr4, %rax", GP)                                                          \
	X(read_cr8, "mov %cr8, %rax", GP)                                                          \
	X(write_cr0, "mov %rax, %cr0", GP)                                                         \
	X(write_cr2, "mov %rax, %cr2", GP)                                                         \
	X(write_cr3, "mov %rax, %cr3", GP)                                                         \
	X(write_cr4, "mov %rax, %cr4", GP)                                                         \
	X(write_cr8, "mov %rax, %cr8", GP)                                                         \
	X(read_dr0, "mov %dr0, %rax", GP)                                                          \
	X(read_dr7, "mov %dr7, %rax", GP)                                                          \
	X(write_dr0, "mov %rax, %dr0", GP)                                                         \
	X(write_dr7, "mov %rax, %dr7", GP)                                                         \
	X(invlpg, "invlpg (%rsp)", GP)                                                             \
	X(invd, "invd", GP)                                                                        \
	X(wbinvd, "wbinvd", GP)                                                                    \
	X(rdmsr, "mov $0x10, %ecx; rdmsr", GP)                                                     \
	X(wrmsr, "mov $0x10, %ecx; wrmsr", GP)                                                     \
	X(rdpmc, "xor %ecx, %ecx; rdpmc", GP)                                                      \
	X(xsetbv, "xor %ecx, %ecx; xsetbv", GP)                                                    \
	X(swapgs, "swapgs", GP)                                                                    \
	X(sysretq, "sysretq", GP)                                                                  \
	X(sysretl, "sysretl", GP)                                                                  \
	X(sysexit, "sysexitl", GP | UD)                                                            \
	X(sysenter, "sysenter", GP | UD)                                                           \
	X(monitor, "monitor", GP | UD)                                                             \
	X(mwait, "mwait", GP | UD)                                                                 \
	X(stac, "stac", UD)                                                                        \
	X(clac, "clac", UD)                                                                        \
	X(rsm, "rsm", UD)                                                                          \
	X(vmcall, "vmcall", UD)                                                                    \
	X(vmlaunch, "vmlaunch", UD)                                                                \
	X(vmrun, "vmrun", GP | UD)                                                                 \
	X(vmmcall, "vmmcall", UD)                                                                  \
	X(vmload, "vmload", GP | UD)                                                               \
	X(stgi, "stgi", GP | UD)                                                                   \
	X(clgi, "clgi", GP | UD)                                                                   \
	X(invlpga, "invlpga", GP | UD)                                                             \
	X(skinit, "skinit", GP | UD)                                                               \
	X(invpcid, "xor %eax, %eax; invpcid (%rsp), %rax", GP | UD)                                \
	X(ltr_ring0, "mov $0x40, %eax; ltr %ax", GP)                                               \
	X(in_dx, "mov $0x3f8, %edx; in %dx, %al", GP)                                              \
	X(out_dx, "mov $0xf4, %edx; out %eax, %dx", GP)                                            \
	X(insb, "mov $0x3f8, %edx; insb", GP)                                                      \
	X(outsb, "mov $0x3f8, %edx; mov %rsp, %rsi; outsb", GP)                                    \
	X(in_byte, "in $0x21, %al", GP)                                                            \
	X(iret_ring0, "push $0; push $0; pushfq; push $8; push $0; iretq", GP)                     \
	X(iret_ring1, "push $0; push $0; pushfq; push $9; push $0; iretq", GP)                     \
	X(iret_null, "push $0; push $0; pushfq; push $0; push $0; iretq", GP)                      \
	X(lret_ring0, "push $8; push $0; lretq", GP)                                               \
	X(far_call, "push $0; movl $8, 4(%rsp); lcall *(%rsp)", GP)                                \
	X(ss_null, "xor %eax, %eax; mov %eax, %ss", GP)

#define CODE(name, code, vectors) USER_ASM(code_##name, code "; ud2");
INSTRUCTIONS(CODE)

static const struct {
	const char *name;
	const char *code;
	uint32_t vectors;
} instructions[] = {
#define ENTRY(name, code, vectors) { #name, code_##name, vectors },
	INSTRUCTIONS(ENTRY)
};

#define COUNT (sizeof(instructions) / sizeof(instructions[0]))

static void in_kernel(uint32_t i)
{
	struct trap trap;

	TRY(&trap)
	((void (*)(void))instructions[i].code)();
	CHECK(trap.vector < 32 && (instructions[i].vectors >> trap.vector & 1),
	      "%s: vector %#lx at +%ld", instructions[i].name, trap.vector,
	      (int64_t)(trap.rip - ADDRESS(instructions[i].code)));
}

static void in_user(uint32_t i)
{
	struct user user;
	uint64_t start = user_address(instructions[i].code);

	user_init(&user, start, 0);
	user_run(&user);
	CHECK(instructions[i].vectors >> user.frame.vector & 1, "user %s: vector %lu at +%ld",
	      instructions[i].name, user.frame.vector, (int64_t)(user.frame.rip - start));
}

/* sgdt and the like are refused where the CPU can do that. */
static void table_registers(void)
{
	struct rf_cpuid leaf = {};
	struct trap trap;
	char store[16];

	asm volatile("cpuid"
		     : "=a"(leaf.eax), "=b"(leaf.ebx), "=c"(leaf.ecx), "=d"(leaf.edx)
		     : "a"(7), "c"(0));
	if (!(leaf.ecx >> 2 & 1)) {
		printf("this CPU has no UMIP\n");
		return;
	}
	TRY(&trap)
	asm volatile("sgdt %0" : "=m"(store));
	CHECK_EQ(trap.vector, VECTOR_GP, "sgdt");
	TRY(&trap)
	asm volatile("sidt %0" : "=m"(store));
	CHECK_EQ(trap.vector, VECTOR_GP, "sidt");
	TRY(&trap)
	asm volatile("sldt %0" : "=m"(store));
	CHECK_EQ(trap.vector, VECTOR_GP, "sldt");
	TRY(&trap)
	asm volatile("str %0" : "=m"(store));
	CHECK_EQ(trap.vector, VECTOR_GP, "str");
	TRY(&trap)
	asm volatile("smsw %0" : "=m"(store));
	CHECK_EQ(trap.vector, VECTOR_GP, "smsw");
}

/* popf in ring 3 changes neither IF nor IOPL and raises nothing. */
static void popf(void)
{
	uint64_t flags;

	asm volatile("pushfq; orq $0x3000, (%%rsp); andq $~0x200, (%%rsp); popfq; pushfq; popq %0"
		     : "=r"(flags));
	CHECK_EQ(flags & (FLAG_IOPL | FLAG_INTERRUPT), FLAG_INTERRUPT, "popf");
}

void test_main(void)
{
	uint32_t i;

	user_prepare(root_boot());
	for (i = 0; i < COUNT; i++) {
		in_kernel(i);
		in_user(i);
	}
	table_registers();
	popf();
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
