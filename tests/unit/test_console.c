// SPDX-License-Identifier: BSD-2-Clause
/* The console: console_write's arguments and pieces, and the debug keys. */
#include "unit.h"

#include "machine.h"

#include "abi/console.h"
#include "abi/errno.h"
#include "command_line.h"
#include "console.h"
#include "console_input.h"
#include "frame.h"
#include "guest_access.h"

#define TEXT_AT	  0x10000ULL
#define TEXT_SIZE 8192ULL

static char guest_text[TEXT_SIZE];
static size_t largest_copy;
static uint64_t ns_a_copy; /* what printing it takes */

int copy_from_guest(void *to, uint64_t from, size_t size)
{
	if (size > largest_copy)
		largest_copy = size;
	fake_clock_ns += ns_a_copy;
	if (from < TEXT_AT || from > TEXT_AT + TEXT_SIZE || size > TEXT_AT + TEXT_SIZE - from)
		return -EFAULT;
	memcpy(to, guest_text + (from - TEXT_AT), size);
	return 0;
}

int copy_to_guest(uint64_t to, const void *from, size_t size)
{
	if (to < TEXT_AT || to > TEXT_AT + TEXT_SIZE || size > TEXT_AT + TEXT_SIZE - to)
		return -EFAULT;
	memcpy(guest_text + (to - TEXT_AT), from, size);
	return 0;
}

struct domain *domain_find(uint64_t id)
{
	return id == 0 ? &machine_domain : NULL;
}

void event_news(void)
{
}

void domain_put(struct domain *d)
{
	(void)d;
}

void domain_for_each(bool (*visit)(struct domain *d, void *context), void *context)
{
	visit(&machine_domain, context);
}

uint64_t frame_free_count(void)
{
	return 512;
}

static int setup(void **state)
{
	(void)state;
	machine_init(2);
	strcpy(machine_domain.name, "guest");
	machine_domain.on_serial = true;
	sched_up(machine_vcpu(256, 0, 1));
	sched_up(machine_vcpu(256, 0, 1));
	machine_settle();
	machine_enter(0);
	command_line.serial_input = SERIAL_INPUT_DOMAIN;
	largest_copy = 0;
	ns_a_copy = 0;
	fake_serial_clear();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	machine_free();
	return 0;
}

static void assert_output(const char *part)
{
	if (!strstr(fake_serial_output, part))
		fail_msg("'%s' is not in '%s'", part, fake_serial_output);
}

static void test_write(void **state)
{
	(void)state;
	strcpy(guest_text, "hello\n");
	assert_int_equal(do_console_write(TEXT_AT, 6), 6);
	assert_string_equal(fake_serial_output, "(guest) hello\r\n");
	assert_int_equal(do_console_write(TEXT_AT, 0), 0);
	assert_int_equal(do_console_write(0, 0), 0);
}

static void test_long_write(void **state)
{
	(void)state;
	memset(guest_text, 'x', sizeof(guest_text));
	for (size_t i = 99; i < CONSOLE_WRITE_MAX; i += 100)
		guest_text[i] = '\n';
	assert_int_equal(do_console_write(TEXT_AT, CONSOLE_WRITE_MAX), CONSOLE_WRITE_MAX);
	assert_true(largest_copy <= 256);
	assert_true(fake_serial_length >= CONSOLE_WRITE_MAX - 96);
}

/* 4096 newlines become many times that: with interrupts off, the machine would seem to hang. */
static void test_slow_line(void **state)
{
	uint64_t start = fake_clock_ns;
	int64_t done;

	(void)state;
	memset(guest_text, '\n', sizeof(guest_text));
	ns_a_copy = 4000000;
	done = do_console_write(TEXT_AT, CONSOLE_WRITE_MAX);
	assert_true(done >= 1 && done < 10);
	assert_true(fake_clock_ns - start < 20000000);
	assert_int_equal(fake_serial_length, (size_t)done * strlen("(guest) \r\n"));
	/* However slow, it comes to an end. */
	ns_a_copy = 1000000000;
	assert_int_equal(do_console_write(TEXT_AT, 2), 1);
	assert_int_equal(do_console_write(TEXT_AT + 1, 1), 1);
}

static void test_bad_arguments(void **state)
{
	(void)state;
	assert_int_equal(do_console_write(TEXT_AT, CONSOLE_WRITE_MAX + 1), -E2BIG);
	assert_int_equal(do_console_write(TEXT_AT, ~0ULL), -E2BIG);
	assert_int_equal(do_console_write(TEXT_AT, 1ULL << 32), -E2BIG);
	assert_int_equal(do_console_write(0, 1), -EFAULT);
	assert_int_equal(do_console_write(~0ULL, 10), -EFAULT);
	assert_int_equal(do_console_write(TEXT_AT + TEXT_SIZE - 4, 8), -EFAULT);
	assert_int_equal(fake_serial_length, 0);
	/* The second piece is not there: the lock is free all the same. */
	assert_int_equal(do_console_write(TEXT_AT + TEXT_SIZE - 300, 600), -EFAULT);
	assert_false(spin_is_locked(&machine_domain.console_lock));
}

static void type(const char *keys)
{
	fake_serial_clear();
	fake_serial_input = keys;
	assert_true(console_poll());
	assert_false(console_poll());
}

static void test_keys_only_after_escape(void **state)
{
	(void)state;
	type("hdqmcRx");
	type("\001\001h\001h");
	assert_int_equal(fake_serial_length, 0);
	type("\001\001\001h");
	assert_output("run queues");
	type("h");
	assert_output("power off");
	type("\001\001\001");
	type("h");
	assert_int_equal(fake_serial_length, 0);
}

static void test_keys(void **state)
{
	(void)state;
	command_line.serial_input = SERIAL_INPUT_DEBUG;
	type("d");
	assert_output("domain 1 'guest': running");
	assert_output("vCPU 0: running cpu 0");
	assert_output("vCPU 1: runnable cpu 0");
	type("q");
	assert_output("CPU 0: busy, 1 waiting");
	assert_output("runs 1.0 at");
	assert_output("then 1.1 at");
	assert_output("CPU 1: idle, 0 waiting");
	type("m");
	assert_output("512 free (2 MiB)");
	machine_domain.vcpus[1]->counters.fills = 4711;
	type("c");
	assert_output("4711 fills");
	type("r");
	assert_output("fake registers");
	type("zZ?\n");
	assert_int_equal(fake_serial_length, 0);
}

static void test_keys_that_end(void **state)
{
	(void)state;
	command_line.serial_input = SERIAL_INPUT_DEBUG;
	if (!FAKE_ENDS()) {
		type("x");
		fake_end_missed();
	}
	assert_string_equal(fake_end_text, "exit 16");
	if (!FAKE_ENDS()) {
		type("R");
		fake_end_missed();
	}
	assert_string_equal(fake_end_text, "reboot");
}

/* The timer reads what is typed, for ever. */
static void test_tick(void **state)
{
	(void)state;
	command_line.serial_input = SERIAL_INPUT_DEBUG;
	console_start();
	machine_leave(0);
	for (uint32_t i = 0; i < 5; i++) {
		fake_serial_clear();
		fake_serial_input = "h";
		machine_run(CONSOLE_TICK_NS);
		assert_output("this list");
	}
}

/* --- what is typed for the control domain --- */

static void read_all(void)
{
	while (console_input_take(&machine_domain, TEXT_AT, CONSOLE_INPUT_SIZE) > 0)
		;
	machine_domain.vcpus[0]->interrupt.vectors[RF_VECTOR_CONSOLE / 64] = 0;
}

static bool told(void)
{
	uint64_t bit = 1ULL << RF_VECTOR_CONSOLE % 64;

	return __atomic_fetch_and(
		       &machine_domain.vcpus[0]->interrupt.vectors[RF_VECTOR_CONSOLE / 64], ~bit,
		       __ATOMIC_RELAXED) &
	       bit;
}

static void test_read(void **state)
{
	(void)state;
	read_all();
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 10), 0);
	type("hello");
	assert_true(told());
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 2), 2);
	type("!");
	assert_false(told()); /* not all was taken: the reader comes again by itself */
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT + 2, 10), 4);
	assert_memory_equal(guest_text, "hello!", 6);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 10), 0);
	type("x");
	assert_true(told());
	read_all();
}

static void test_read_bad(void **state)
{
	(void)state;
	read_all();
	type("abc");
	assert_int_equal(console_input_take(&machine_domain, 0, 3), -EFAULT);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT + TEXT_SIZE - 2, 3), -EFAULT);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 0), 0);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, ~0ULL),
			 3); /* nothing was lost */
	assert_memory_equal(guest_text, "abc", 3);
}

static void test_read_overflow(void **state)
{
	char expected[CONSOLE_INPUT_SIZE];

	(void)state;
	read_all();
	for (unsigned i = 0; i < CONSOLE_INPUT_SIZE + 100; i++)
		console_input_put(&machine_domain, (char[]){ (char)i }, 1, true);
	for (unsigned i = 0; i < CONSOLE_INPUT_SIZE; i++)
		expected[i] = (char)i;
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 2 * CONSOLE_INPUT_SIZE),
			 CONSOLE_INPUT_SIZE);
	assert_memory_equal(guest_text, expected, CONSOLE_INPUT_SIZE);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 1), 0);
}

/* What there is no room for stays in the line, until there is. */
static void test_read_slowly(void **state)
{
	char keys[2 * CONSOLE_INPUT_SIZE + 1] = { 0 };

	(void)state;
	read_all();
	for (unsigned i = 0; i < 2 * CONSOLE_INPUT_SIZE; i++)
		keys[i] = (char)('a' + i % 26);
	fake_serial_input = keys;
	for (unsigned i = 0; i < 100; i++)
		assert_true(console_poll());
	assert_int_equal(strlen(fake_serial_input), CONSOLE_INPUT_SIZE);
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, CONSOLE_INPUT_SIZE),
			 CONSOLE_INPUT_SIZE);
	while (*fake_serial_input)
		assert_true(console_poll());
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT + CONSOLE_INPUT_SIZE,
					    CONSOLE_INPUT_SIZE),
			 CONSOLE_INPUT_SIZE);
	assert_memory_equal(guest_text, keys, 2 * CONSOLE_INPUT_SIZE);
}

/* A domain that takes nothing does not keep anybody from the debug keys for longer than that. */
static void test_keys_beside_deaf_domain(void **state)
{
	char keys[CONSOLE_INPUT_SIZE + 5] = { 0 };

	(void)state;
	read_all();
	memset(keys, 'x', CONSOLE_INPUT_SIZE);
	strcpy(keys + CONSOLE_INPUT_SIZE, "\001\001\001h");
	fake_serial_clear();
	fake_serial_input = keys;
	for (unsigned i = 0; i < 100; i++)
		assert_true(console_poll());
	assert_int_equal(fake_serial_length, 0);
	fake_clock_ns += CONSOLE_FULL_NS;
	assert_true(console_poll());
	assert_output("this list");
	read_all();
	type("\001\001\001");
}

/* A break is a key of its own for the domain, and none for the debug keys. */
static void test_read_break(void **state)
{
	(void)state;
	read_all();
	type("a\377h");
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 10), 3);
	assert_memory_equal(guest_text, "a\017h", 3);
	command_line.serial_input = SERIAL_INPUT_DEBUG;
	fake_serial_clear();
	type("\377");
	command_line.serial_input = SERIAL_INPUT_DOMAIN;
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 10), 0);
	assert_int_equal(fake_serial_length, 0);
}

/* What is for the debug keys is not for the domain. */
static void test_read_beside_debug_keys(void **state)
{
	(void)state;
	read_all();
	command_line.serial_input = SERIAL_INPUT_DEBUG;
	type("hdq");
	command_line.serial_input = SERIAL_INPUT_DOMAIN;
	assert_int_equal(console_input_take(&machine_domain, TEXT_AT, 10), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_write, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_line, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_arguments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_only_after_escape, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_that_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_slowly, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_beside_deaf_domain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_beside_debug_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_break, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
