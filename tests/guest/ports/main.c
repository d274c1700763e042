// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a domain without permission reaches no port, of any width, from guest-kernel or user
 * mode, and that the control domain is kept off the ports the hypervisor uses.
 */
/* covers: version */
/* timeout: 200 */
#include "test.h"

const char test_title[] = "ports";

/* name, code of the access to the port in EDX */
#define ACCESSES(X)                                                                                \
	X(in8, "in %dx, %al")                                                                      \
	X(in16, "in %dx, %ax")                                                                     \
	X(in32, "in %dx, %eax")                                                                    \
	X(out8, "out %al, %dx")                                                                    \
	X(out16, "out %ax, %dx")                                                                   \
	X(out32, "out %eax, %dx")

#define CODE(name, code) USER_ASM(code_##name, "mov %edi, %edx; xor %eax, %eax; " code "; ret");
ACCESSES(CODE)

#define ENTRY(name, code) code_##name,
static const char *const codes[] = { ACCESSES(ENTRY) };

#define ACCESS_COUNT (sizeof(codes) / sizeof(codes[0]))

static uint32_t refused;

/* Refused accesses are counted and stepped over to the `ret`, so that the sweep is quick. */
static bool refuse(struct trap_frame *f)
{
	if ((f->cs & 3) == 3 || f->error)
		return false;
	refused++;
	while (load8(f->rip) != 0xc3)
		f->rip++;
	return true;
}

static uint32_t sweep(uint32_t first, uint32_t end)
{
	uint32_t port;
	uint32_t i;

	refused = 0;
	for (port = first; port < end; port++) {
		for (i = 0; i < ACCESS_COUNT; i++)
			((void (*)(uint64_t))codes[i])(port);
	}
	return refused;
}

static void user_access(uint32_t port, uint32_t access)
{
	struct user user;

	user_init(&user, user_address(codes[access]), port);
	CHECK_EQ(user_run(&user), VECTOR_GP, "user, port %#x, access %u", port, access);
	CHECK_EQ(user.frame.error, 0, "user, port %#x, access %u", port, access);
}

static void all_refused(void)
{
	uint32_t i;

	CHECK_EQ(sweep(0, 0x10000), 0x10000 * ACCESS_COUNT, "refused accesses");
	user_prepare(root_boot());
	for (i = 0; i < 3000; i++)
		user_access((uint32_t)random_below(0x10000), (uint32_t)random_below(ACCESS_COUNT));
}

static const struct scenario scenarios[] = { { "ports_refused", all_refused, SCENARIO_ENDS } };

void test_main(void)
{
	uint32_t i;

	trap_set_handler(VECTOR_GP, refuse);
	scenarios_run(scenarios, 1);
	if (!test_is_control())
		return;
	/* The serial line, the interrupt controllers and timers are the hypervisor's. */
	CHECK_EQ(sweep(0x3f8, 0x400), 8 * ACCESS_COUNT, "COM1");
	CHECK_EQ(sweep(0x20, 0x22), 2 * ACCESS_COUNT, "interrupt controller");
	CHECK_EQ(sweep(0xa0, 0xa2), 2 * ACCESS_COUNT, "interrupt controller");
	CHECK_EQ(sweep(0x40, 0x44), 4 * ACCESS_COUNT, "timer");
	user_prepare(root_boot());
	for (i = 0; i < 2000; i++)
		user_access((uint32_t)random_below(0x10000), (uint32_t)random_below(ACCESS_COUNT));
}
