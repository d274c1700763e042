// SPDX-License-Identifier: BSD-2-Clause
/* The hypervisor's options: defaults, good values, and refusals that name the mistake. */
#include "unit.h"

#include "command_line.h"
#include "fake_arch.h"
#include "log.h"

static struct command_line initial;

static int start(void **state)
{
	(void)state;
	command_line = initial;
	fake_serial_clear();
	return 0;
}

static void defaults(void **state)
{
	(void)state;
	command_line_parse("");
	command_line_parse("   ");
	assert_int_equal(command_line.log_level, CONFIG_LOG_LEVEL);
	assert_int_equal(command_line.on_panic, ON_PANIC_HALT);
	assert_int_equal(command_line.cpus, CONFIG_MAX_CPUS);
	assert_false(command_line.unsafe_cpu);
}

static void good_values(void **state)
{
	(void)state;
	command_line_parse(" unsafe-cpu  control-memory=256M on-panic=reboot cpus=1 "
			   "log-level=debug console=raw serial-input=debug watchdog=0 ");
	assert_true(command_line.unsafe_cpu);
	assert_int_equal(command_line.control_memory, 256 << 20);
	assert_int_equal(command_line.on_panic, ON_PANIC_REBOOT);
	assert_int_equal(command_line.cpus, 1);
	assert_int_equal(command_line.log_level, LOG_DEBUG);
	assert_int_equal(command_line.console, CONSOLE_RAW);
	assert_int_equal(command_line.serial_input, SERIAL_INPUT_DEBUG);
	assert_int_equal(command_line.watchdog, 0);
}

static void last_one_counts(void **state)
{
	(void)state;
	command_line_parse("watchdog=1 watchdog=2");
	assert_int_equal(command_line.watchdog, 2);
}

static void refused(const char *text, const char *expected)
{
	fake_serial_clear();
	if (!FAKE_ENDS()) {
		command_line_parse(text);
		fake_end_missed();
	}
	fake_serial_output[fake_serial_length] = '\0';
	if (!strstr(fake_serial_output, expected))
		fail_msg("'%s' gave: %s", text, fake_serial_output);
}

static void bad_values(void **state)
{
	(void)state;
	refused("colour", "ringfence: cannot start: unknown option 'colour'");
	refused("cpus=1 =", "unknown option '='");
	refused("=1", "unknown option '=1'");
	refused("cpu=1", "unknown option 'cpu=1'");
	refused("cpuss=1", "unknown option 'cpuss=1'");
	refused("cpus", "option 'cpus': cpus takes a number from 1 to");
	refused("cpus=", "option 'cpus='");
	refused("cpus=0", "option 'cpus=0'");
	refused("cpus=65", "option 'cpus=65'");
	refused("cpus=18446744073709551617", "option 'cpus=18446744073709551617'");
	refused("watchdog=-1", "option 'watchdog=-1'");
	refused("control-memory=1T", "takes a size");
	refused("control-memory=99999999999999999999G", "takes a size");
	refused("log-level=", "takes one of error|warning|info|debug");
	refused("log-level=warn", "takes one of");
	refused("log-level=error|warning", "takes one of");
	refused("unsafe-cpu=1", "unsafe-cpu takes no value");
	refused("unsafe-cpu=", "unsafe-cpu takes no value");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(defaults, start),
		cmocka_unit_test_setup(good_values, start),
		cmocka_unit_test_setup(last_one_counts, start),
		cmocka_unit_test_setup(bad_values, start),
	};

	initial = command_line;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
