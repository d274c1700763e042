// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that no selector gives a guest anything but ring-3 segments: all 65536 of them, loaded
 * into each segment register, asked about by lar, lsl, verr and verw, and jumped through.
 */
/* covers: version */
/* timeout: 200 */
#include "test.h"

const char test_title[] = "selectors";

#define ACCESS_DPL    0x6000
#define ACCESS_SYSTEM 0x1000 /* clear: a system descriptor */
#define ACCESS_CODE   0x0800

USER_ASM(user_far_jump, "shl $32, %rdi; lea 1f(%rip), %rax; or %rax, %rdi; push %rdi;"
			"ljmp *(%rsp); 1: ud2");
USER_ASM(user_load_ss, "mov %edi, %ss; ud2");

static void ask(uint32_t selector)
{
	uint64_t access = 0, limit = 0;
	bool lar, lsl, verr, verw;

	asm volatile("lar %2, %0" : "=r"(access), "=@ccz"(lar) : "r"((uint64_t)selector));
	asm volatile("lsl %2, %0" : "=r"(limit), "=@ccz"(lsl) : "r"((uint64_t)selector));
	asm volatile("verr %1" : "=@ccz"(verr) : "r"((uint16_t)selector));
	asm volatile("verw %1" : "=@ccz"(verw) : "r"((uint16_t)selector));
	if (lar) {
		CHECK_EQ(access & ACCESS_DPL, ACCESS_DPL, "selector %#x: dpl", selector);
		CHECK_EQ(access & ACCESS_SYSTEM, ACCESS_SYSTEM, "selector %#x: system", selector);
	}
	CHECK(lar || !(verr || verw), "selector %#x: readable but not visible", selector);
	CHECK(lar || !lsl, "selector %#x: has a limit but is not visible", selector);
}

static bool is_null(uint32_t selector)
{
	return selector < 4;
}

/* Loads it, and takes the old one back; GS keeps its base, which the library lives on. */
static void load(uint32_t selector, bool *loaded)
{
	struct trap trap;

	TRY(&trap)
	asm volatile("mov %%ds, %%ecx; mov %0, %%ds; mov %%ecx, %%ds" : : "r"(selector) : "ecx");
	*loaded = trap.vector == VECTOR_NONE;
	if (!*loaded) {
		CHECK_EQ(trap.vector, VECTOR_GP, "selector %#x", selector);
		CHECK_EQ(trap.error, selector & ~3U, "selector %#x", selector);
	}
	TRY(&trap)
	asm volatile("mov %%es, %%ecx; mov %0, %%es; mov %%ecx, %%es" : : "r"(selector) : "ecx");
	CHECK_EQ(trap.vector == VECTOR_NONE, *loaded, "es as ds: %#x", selector);
	TRY(&trap)
	asm volatile("mov %%fs, %%ecx; mov %0, %%fs; mov %%ecx, %%fs" : : "r"(selector) : "ecx");
	CHECK_EQ(trap.vector == VECTOR_NONE, *loaded, "fs as ds: %#x", selector);
	TRY(&trap)
	asm volatile(
		"rdgsbase %%rax; mov %%gs, %%ecx; mov %0, %%gs; mov %%ecx, %%gs; wrgsbase %%rax"
		:
		: "r"(selector)
		: "ecx", "rax");
	CHECK_EQ(trap.vector == VECTOR_NONE, *loaded, "gs as ds: %#x", selector);
}

static void far_jump(uint32_t selector)
{
	struct user user;

	user_init(&user, user_address(user_far_jump), selector);
	user_run(&user);
	if (user.frame.vector == VECTOR_UD)
		CHECK(user.frame.cs == RF_USER_CS || user.frame.cs == RF_USER32_CS,
		      "selector %#x gave cs %#lx", selector, user.frame.cs);
	else
		CHECK(user.frame.vector == VECTOR_GP || user.frame.vector == VECTOR_NP,
		      "selector %#x gave vector %lu", selector, user.frame.vector);
}

static void load_ss(uint32_t selector)
{
	struct user user;

	user_init(&user, user_address(user_load_ss), selector);
	user_run(&user);
	if (user.frame.vector == VECTOR_UD)
		CHECK_EQ(user.frame.ss & 3, 3, "selector %#x", selector);
	else
		CHECK(user.frame.vector == VECTOR_GP || user.frame.vector == VECTOR_SS,
		      "selector %#x gave vector %lu", selector, user.frame.vector);
}

void test_main(void)
{
	uint32_t selector;
	uint32_t count = 0;
	bool loaded;

	user_prepare(root_boot());
	for (selector = 0; selector < 0x10000; selector++) {
		ask(selector);
		load(selector, &loaded);
		far_jump(selector);
		load_ss(selector);
		count += loaded && !is_null(selector);
	}
	printf("%u selectors may be loaded\n", count);
	CHECK(count > 0 && count < 64, "%u selectors may be loaded", count);
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
