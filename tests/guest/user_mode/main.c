// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that both ways back to user mode set exactly what they say, that a user's syscall keeps
 * every other register, and that hostile values in the frame hurt only the guest.
 */
/* covers: set_entries, set_kernel_gs */
#include "test.h"

const char test_title[] = "user mode";

#define BAD_FLAGS  (FLAG_IOPL | FLAG_NESTED_TASK | FLAG_VM | 0x180000)
#define KEPT_FLAGS 0x240cd5UL /* CF PF AF ZF SF DF OF AC ID */

USER_ASM(user_stop, "ud2");
USER_ASM(user_call, "syscall; syscall");
USER_ASM(user_flags, "pushfq; pop %rax; ud2");
USER_ASM(user_bases, "rdgsbase %rax; rdfsbase %rdx; wrgsbase %rdi; wrfsbase %rsi; syscall");
USER_ASM(user_sysenter, "sysenter; ud2");
USER_ASM(user_set_flags, "pushfq; orq $0x44400, (%rsp); popfq; syscall; ud2");
USER_ASM(user_mov_ss,
	 "mov (%rdi), %ss; syscall; mov (%rdi), %ss; int3; mov (%rdi), %ss; int $0x80");

static void random_registers(struct trap_frame *f)
{
	uint64_t *at;

	for (at = &f->r15; at <= &f->rdi; at++)
		*at = random_u64();
}

static void same_registers(const struct trap_frame *a, const struct trap_frame *b,
			   bool with_rcx_r11, const char *what)
{
	const uint64_t *x = &a->r15;
	const uint64_t *y = &b->r15;

	for (; x <= &a->rdi; x++, y++) {
		if (!with_rcx_r11 && (x == &a->rcx || x == &a->r11))
			continue;
		CHECK_EQ(*y, *x, "%s: register %ld", what, x - &a->r15);
	}
	CHECK_EQ(b->rsp, a->rsp, "%s", what);
	CHECK_EQ(b->cs, RF_USER_CS, "%s", what);
	CHECK_EQ(b->ss, RF_USER_SS, "%s", what);
}

static void round_trip(bool sysret, const char *code, uint64_t vector)
{
	const char *what = sysret ? "sysret" : "iret";
	struct user user;
	struct trap_frame before;

	user_init(&user, user_address(code), 0);
	random_registers(&user.frame);
	user.frame.rsp = random_u64(); /* nothing needs the stack */
	user.gs_base = random_u64() & 0x00007fffffffffff;
	before = user.frame;
	CHECK_EQ(sysret ? user_run_sysret(&user) : user_run(&user), vector, "%s", what);
	same_registers(&before, &user.frame, !sysret && vector == VECTOR_UD, what);
	if (sysret && vector == VECTOR_UD) {
		CHECK_EQ(user.frame.rcx, user_address(code), "sysret: rcx is rip");
		CHECK_EQ(user.frame.r11, before.rflags, "sysret: r11 is rflags");
	}
	if (vector == VECTOR_SYSCALL)
		CHECK_EQ(user.frame.rip, user_address(code) + 2, "%s", what);
}

static void registers(void)
{
	uint32_t i;

	for (i = 0; i < 200; i++) {
		round_trip(false, user_stop, VECTOR_UD);
		round_trip(true, user_stop, VECTOR_UD);
		round_trip(false, user_call, VECTOR_SYSCALL);
		round_trip(true, user_call, VECTOR_SYSCALL);
	}
}

/* What the user has is what was asked for, less what user mode may not have; the real IF is set. */
static void flags(void)
{
	struct user user;
	uint32_t i;

	for (i = 0; i < 400; i++) {
		uint64_t asked = i < 64 ? 1UL << i : random_u64();

		asked &= ~(FLAG_TRAP | FLAG_RESUME);
		user_init(&user, user_address(user_flags), 0);
		user.frame.rflags = asked;
		if ((i & 1 ? user_run_sysret(&user) : user_run(&user)) != VECTOR_UD)
			CHECK_EQ(user.frame.vector, VECTOR_UD, "flags %#lx", asked);
		CHECK_EQ(user.frame.rax & BAD_FLAGS, 0, "flags %#lx", asked);
		CHECK_EQ(user.frame.rax & FLAG_INTERRUPT, FLAG_INTERRUPT, "flags %#lx", asked);
		CHECK_EQ(user.frame.rax & KEPT_FLAGS, asked & KEPT_FLAGS, "flags %#lx", asked);
		CHECK_EQ(user.frame.rflags & BAD_FLAGS, 0, "frame, flags %#lx", asked);
		CHECK_EQ(read_flags() & (BAD_FLAGS | FLAG_DIRECTION), 0, "kernel's own flags");
	}
}

static void bases(void)
{
	struct user user;

	write_fs_base(0x1234567);
	user_init(&user, user_address(user_bases), 0x7654321);
	user.frame.rsi = 0x7777777;
	user.gs_base = 0x1111111;
	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "bases");
	CHECK_EQ(user.frame.rax, 0x1111111, "the user's GS base");
	CHECK_EQ(user.frame.rdx, 0x1234567, "the FS base is nobody's business");
	CHECK_EQ(user.gs_base, 0x7654321, "the page has the user's new GS base");
	CHECK_EQ(read_fs_base(), 0x7777777, "the user's new FS base");
	CHECK_EQ(read_gs_base(), ADDRESS(this_vcpu()), "the kernel's GS base");
	user.gs_base = 0x0000900000000000UL;
	user.frame.rip = user_address(user_stop);
	user_run(&user);
	CHECK_EQ(read_gs_base(), ADDRESS(this_vcpu()), "after a GS base that is not canonical");
}

/* Nothing can run at such an address: the fault is the user's, or that of the kernel's return. */
static void bad_rip(uint64_t rip, bool sysret)
{
	struct user user;
	struct trap trap;

	user_init(&user, rip, 0);
	user.frame.vector = VECTOR_NONE;
	TRY(&trap)
	{
		if (sysret)
			user_run_sysret(&user);
		else
			user_run(&user);
	}
	if (trap.vector != VECTOR_NONE) {
		this_vcpu()->user = NULL;
		CHECK_EQ(trap.vector, VECTOR_GP, "rip %#lx", rip);
		return;
	}
	CHECK(user.frame.vector == VECTOR_PF || user.frame.vector == VECTOR_GP,
	      "rip %#lx: vector %lu", rip, user.frame.vector);
	CHECK_EQ(user.frame.cs, RF_USER_CS, "rip %#lx", rip);
	if (user.frame.vector == VECTOR_PF)
		CHECK_EQ(user.frame.rip, rip, "rip %#lx", rip);
}

static void rips(void)
{
	static const uint64_t list[] = {
		0,
		0x00007fffffffffff,
		0x00007ffffffff000,
		0x0000800000000000,
		0x0000800000000001,
		0x0001000000000000,
		0x4000000000000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xffff7fffffffffff,
		HYPERVISOR_START,
		HYPERVISOR_START + 0x100000,
		HYPERVISOR_END - 1,
		HYPERVISOR_END,
		IMAGE_BASE + 0x1000000,
		0xffffffffffffffff,
	};
	uint32_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		bad_rip(list[i], false);
		bad_rip(list[i], true);
	}
}

static void bad_selectors(uint64_t cs, uint64_t ss)
{
	struct user user;
	struct trap trap;

	user_init(&user, user_address(user_stop), 0);
	user.frame.cs = cs;
	user.frame.ss = ss;
	TRY(&trap)
	user_run(&user);
	this_vcpu()->user = NULL;
	if (trap.vector == VECTOR_NONE)
		CHECK_EQ(user.frame.cs & 3, 3, "cs %#lx", cs);
	else
		CHECK_EQ(trap.cs, RF_KERNEL_CS, "cs %#lx, vector %lu", cs, trap.vector);
	CHECK_EQ(read_gs_base(), ADDRESS(this_vcpu()), "cs %#lx", cs);
}

/* No selector in the frame gives anything but guest-kernel mode or user mode. */
static void selectors(void)
{
	uint32_t i;

	for (i = 0; i < 512; i++)
		bad_selectors(i < 256 ? i : random_u64(), random_u64());
}

/* A return to user mode with any stack pointer is fine; it is the user's. */
static void stacks(void)
{
	static const uint64_t list[] = {
		0, 1, ~0UL, HYPERVISOR_START, 0x0000800000000000, 0x8000000000000000, IMAGE_BASE
	};
	struct user user;
	uint32_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		user_init(&user, user_address(user_stop), 0);
		user.frame.rsp = list[i];
		CHECK_EQ(user_run(&user), VECTOR_UD, "rsp %#lx", list[i]);
		CHECK_EQ(user.frame.rsp, list[i], "rsp");
		user.frame.rsp = list[i];
		CHECK_EQ(user_run_sysret(&user), VECTOR_UD, "rsp %#lx", list[i]);
		CHECK_EQ(user.frame.rsp, list[i], "rsp");
	}
}

/* A load of SS holds a debug exception back for one instruction: here each way in. */
static void mov_ss(void)
{
	struct user user;
	uint16_t *selector = root_map_new(root_boot(), 0x10000, PTE_USER_RW);
	uint32_t i;

	*selector = RF_USER_SS;
	CHECK_EQ(hv_set_debug_register(0, 0x10000), 0, "DR0");
	CHECK_EQ(hv_set_debug_register(7, 0x00030001), 0, "DR7: read or write of a byte");
	trap_register(VECTOR_BP, trap_stub(VECTOR_BP), RF_TRAP_USER);
	user_init(&user, user_address(user_mov_ss), 0x10000);
	for (i = 0; i < 6; i++)
		user_run(&user);
	hv_set_debug_register(7, 0);
	trap_init();
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}

/*
 * 32-bit user code has exceptions and `int n`, but no system calls: SYSCALL is undefined there, on
 * every CPU, and SYSENTER leads nowhere.
 */
static void compatibility_mode(void)
{
	static const struct {
		const char *code;
		uint64_t first, second; /* SYSENTER: by vendor */
	} list[] = {
		{ user_call, VECTOR_UD, VECTOR_UD },
		{ user_stop, VECTOR_UD, VECTOR_UD },
		{ user_sysenter, VECTOR_GP, VECTOR_UD },
	};
	struct user user;
	uint32_t i;

	for (i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		user_init(&user, user_address(list[i].code), 0);
		user.frame.cs = RF_USER32_CS;
		user_run(&user);
		CHECK(user.frame.vector == list[i].first || user.frame.vector == list[i].second,
		      "code %u: vector %lu", i, user.frame.vector);
		CHECK_EQ(user.frame.cs, RF_USER32_CS, "code %u", i);
		CHECK_EQ(user.frame.rip, user_address(list[i].code), "code %u", i);
	}
	user_init(&user, IMAGE_BASE + 0x1000000, 0);
	user.frame.cs = RF_USER32_CS;
	CHECK_EQ(user_run(&user), VECTOR_GP, "32-bit code beyond 4 GiB");
}

static uint64_t flags_in_handler;

static bool note_flags(struct trap_frame *f)
{
	(void)f;
	flags_in_handler = read_flags();
	return false;
}

/* What a user sets in RFLAGS is not what the kernel's handlers run with. */
static void flags_do_not_leak(void)
{
	struct user user;
	uint32_t i;

	trap_set_handler(VECTOR_UD, note_flags);
	trap_set_handler(VECTOR_SYSCALL, note_flags);
	user_init(&user, user_address(user_set_flags), 0);
	for (i = 0; i < 2; i++) {
		CHECK_EQ(user_run(&user), i ? VECTOR_UD : VECTOR_SYSCALL, "flags");
		CHECK_EQ(user.frame.rflags & (FLAG_ALIGN_CHECK | FLAG_DIRECTION),
			 FLAG_ALIGN_CHECK | FLAG_DIRECTION, "the user's");
		CHECK_EQ(flags_in_handler & (FLAG_ALIGN_CHECK | FLAG_NESTED_TASK | FLAG_TRAP), 0,
			 "the handler's");
	}
	trap_set_handler(VECTOR_UD, NULL);
	trap_set_handler(VECTOR_SYSCALL, NULL);
}

static void bad_entries(void)
{
	static const uint64_t list[] = { HYPERVISOR_START, HYPERVISOR_END - 1, 0x0000800000000000,
					 0x8000000000000000 };
	uint64_t good[3] = { ADDRESS(syscall_entry), ADDRESS(sysret_site), ADDRESS(iret_site) };
	uint32_t i, j;

	for (i = 0; i < 4; i++) {
		for (j = 0; j < 3; j++) {
			uint64_t a[3] = { good[0], good[1], good[2] };

			a[j] = list[i];
			CHECK_EQ(hv_set_entries(a[0], a[1], a[2]), -EINVAL, "%u: %#lx", j, list[i]);
		}
		if (i >= 2)
			CHECK_EQ(hv_set_kernel_gs(list[i]), -EINVAL, "%#lx", list[i]);
	}
	CHECK_EQ(hv_set_entries(good[0], good[1], good[2]), 0, "the right ones");
	CHECK_EQ(hv_set_kernel_gs(ADDRESS(this_vcpu())), 0, "the right one");
}

void test_main(void)
{
	user_prepare(root_boot());
	registers();
	flags();
	bases();
	rips();
	selectors();
	stacks();
	mov_ss();
	compatibility_mode();
	flags_do_not_leak();
	bad_entries();
	registers();
}
