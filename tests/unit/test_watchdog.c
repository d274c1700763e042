// SPDX-License-Identifier: BSD-2-Clause
/* The watchdog: who is found to be stuck, and who is not. */
#include "unit.h"

#include "arch.h"
#include "command_line.h"
#include "cpu.h"
#include "fake_arch.h"
#include "panic.h"
#include "timer.h"
#include "watchdog.h"

#define SECONDS 10
#define SECOND	1000000000ULL

static unsigned int sent[2];

void arch_cpu_nmi(const struct cpu *cpu)
{
	sent[cpu->id]++;
}

_Noreturn void panic_with_registers(const struct registers *registers, const char *format, ...)
{
	(void)registers;
	panic("%s", format);
}

static int setup(void **state)
{
	(void)state;
	fake_arch_init(16, 2);
	for (uint32_t i = 0; i < 2; i++)
		timer_queue_init(&cpus[i].timers);
	memset(sent, 0, sizeof(sent));
	command_line.watchdog = SECONDS;
	return 0;
}

static void start(uint32_t id)
{
	fake_set_cpu(id);
	watchdog_start_cpu();
}

/* So many seconds pass on these processors: a mask. */
static void pass(unsigned int seconds, unsigned int running)
{
	for (unsigned int i = 0; i < 2 * seconds; i++) {
		fake_clock_ns += SECOND / 2;
		for (uint32_t id = 0; id < 2; id++) {
			fake_set_cpu(id);
			if (running >> id & 1)
				timer_interrupt();
		}
	}
}

static void test_running_ones_are_left_alone(void **state)
{
	(void)state;
	start(0);
	start(1);
	pass(10 * SECONDS, 3);
	assert_int_equal(sent[0] + sent[1], 0);
}

static void test_stuck_one_is_found(void **state)
{
	(void)state;
	start(0);
	start(1);
	pass(1, 3);
	pass(SECONDS + SECONDS / 2, 2);
	assert_int_equal(sent[0], 1);
	assert_int_equal(sent[1], 0);
}

/* The first processor makes the domains, while the others run already. */
static void test_one_that_did_not_start_is_not_watched(void **state)
{
	(void)state;
	start(1);
	pass(10 * SECONDS, 2);
	assert_int_equal(sent[0], 0);
	start(0);
	pass(1, 3);
	pass(SECONDS + SECONDS / 2, 2);
	assert_int_equal(sent[0], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_running_ones_are_left_alone, setup),
		cmocka_unit_test_setup(test_stuck_one_is_found, setup),
		cmocka_unit_test_setup(test_one_that_did_not_start_is_not_watched, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
