// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a virtual vector waits while the virtual interrupt flag is clear, says so in the
 * page, and is given, highest first, by irq_window, by a return that sets the flag, and in user
 * mode.
 */
/* covers: irq_window, send_ipi */
#include "test.h"

const char test_title[] = "interrupt flag";

USER_ASM(user_spin, "1: pause; jmp 1b");
USER_ASM(user_call, "syscall");

static uint32_t order[256];
static volatile uint32_t count;
static uint32_t flag_in_handler;

static bool record(struct trap_frame *f)
{
	order[count++ & 255] = (uint32_t)f->vector;
	flag_in_handler |= this_page()->interrupt_flag;
	return true;
}

/* While the flag is clear in here, the flag of what was interrupted is set. */
static bool leave_user(struct trap_frame *f)
{
	record(f);
	if ((f->cs & 3) == 3)
		user_exit(f);
	return true;
}

static void send(uint32_t vector)
{
	CHECK_EQ(hv_send_ipi(vector, 1UL << this_vcpu()->id), 0, "vector %u", vector);
}

static void expect(uint32_t n, const uint32_t *vectors, const char *what)
{
	uint32_t i;

	CHECK_EQ(count, n, "%s", what);
	for (i = 0; i < n && i < count; i++)
		CHECK_EQ(order[i], vectors[i], "%s: number %u", what, i);
	CHECK_EQ(flag_in_handler, 0, "%s: flag in the handlers", what);
	CHECK_EQ(*(volatile uint8_t *)&this_page()->pending, 0, "%s: pending", what);
	count = 0;
}

static const uint32_t highest_first[] = { 0xff, 0x80, 0x41, 0x20 };

static void send_some(void)
{
	send(0x41);
	send(0xff);
	send(0x20);
	send(0x80);
	send(0x80); /* twice is once */
	CHECK_EQ(count, 0, "held back");
	CHECK(*(volatile uint8_t *)&this_page()->pending, "pending is set");
}

static void by_window(void)
{
	send_some();
	hv_irq_window();
	CHECK_EQ(count, 0, "the flag is still clear");
	interrupts_on();
	expect(4, highest_first, "irq_window");
	send(0x33);
	expect(1, (const uint32_t[]){ 0x33 }, "at once");
	interrupts_off();
}

/* The return from an `int` whose frame has IF set. */
static void by_return(void)
{
	send_some();
	this_page()->interrupt_flag = RF_INTERRUPT_FLAG; /* without asking */
	asm volatile("int $0x90");
	interrupts_off();
	CHECK_EQ(order[0] == 0x90 || order[0] == 0xff, 1, "first %#x", order[0]);
	CHECK_EQ(count, 5, "the int and the four");
	CHECK_EQ(flag_in_handler, 0, "flag in the handlers");
	count = 0;
}

/* User mode always takes vectors, whether it is there or just about to be. */
static void in_user(bool sysret)
{
	struct user user;

	trap_set_handler(0x80, leave_user);
	send(0x80);
	user_init(&user, user_address(user_spin), 0);
	CHECK_EQ(sysret ? user_run_sysret(&user) : user_run(&user), 0x80, "pending on the way out");
	CHECK_EQ(user.frame.cs, RF_USER_CS, "from user mode");
	CHECK_EQ(count, 1, "once");
	count = 0;
	trap_set_handler(0x80, record);
}

static void sender(void *argument)
{
	clock_sleep(20 * MILLISECOND);
	hv_send_ipi(0x80, 1UL << (uint64_t)argument);
}

/* From another vCPU, while the user spins. */
static void from_outside(void)
{
	struct user user;

	trap_set_handler(0x80, leave_user);
	vcpu_start(1, sender, NULL);
	user_init(&user, user_address(user_spin), 0);
	CHECK_EQ(user_run(&user), 0x80, "from outside");
	trap_set_handler(0x80, record);
	vcpu_wait(1);
	count = 0;
}

/* A user's syscall arrives with the flag clear, and its RFLAGS say IF. */
static void on_syscall(void)
{
	struct user user;

	user_init(&user, user_address(user_call), 0);
	interrupts_on();
	CHECK_EQ(user_run(&user), VECTOR_SYSCALL, "user");
	CHECK_EQ(user.frame.rflags & FLAG_INTERRUPT, FLAG_INTERRUPT, "user's flag");
	CHECK(interrupts_off(), "user_run() put it back");
}

static void bad_vectors(void)
{
	uint32_t i;

	for (i = 0; i < 32; i++)
		CHECK_EQ(hv_send_ipi(i, 1), -EINVAL, "vector %u", i);
	CHECK_EQ(hv_send_ipi(256, 1), -EINVAL, "vector 256");
	CHECK_EQ(hv_send_ipi(~0UL, 1), -EINVAL, "vector -1");
	CHECK_EQ(hv_send_ipi((1UL << 32) + 0x80, 1), -EINVAL, "more than 32 bits");
	CHECK_EQ(hv_send_ipi(0x80, 1UL << start_info->vcpus), -EINVAL, "no such vCPU");
	CHECK_EQ(hv_send_ipi(0x80, ~0UL), -EINVAL, "no such vCPUs");
	CHECK_EQ(hv_send_ipi(0x80, 0), 0, "to nobody");
	CHECK_EQ(count, 0, "nothing came of it");
}

void test_main(void)
{
	uint32_t n;

	user_prepare(root_boot());
	for (n = 32; n < 256; n++)
		trap_set_handler(n, record);
	by_window();
	by_return();
	in_user(false);
	in_user(true);
	from_outside();
	on_syscall();
	bad_vectors();
}
