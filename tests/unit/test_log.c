// SPDX-License-Identifier: BSD-2-Clause
/* The log: levels, time, the ring; guest output: prefix, escapes, raw, the limit and its report. */
#include "unit.h"

#include "fake_arch.h"
#include "log.h"

static uint64_t now;

static uint64_t test_clock(void)
{
	return now;
}

static void expect_output(const char *text)
{
	assert_int_equal(fake_serial_length, strlen(text));
	assert_memory_equal(fake_serial_output, text, fake_serial_length);
	fake_serial_clear();
}

static int start(void **state)
{
	(void)state;
	log_set_level(LOG_INFO);
	log_set_clock(NULL);
	log_plain("start"); /* so that the console stands at the beginning of a line */
	fake_serial_clear();
	return 0;
}

static void levels(void **state)
{
	(void)state;
	log_info("one %d", 1);
	expect_output("one 1\r\n");
	log_error("two");
	expect_output("error: two\r\n");
	log_debug("three");
	expect_output("");
	log_set_level(LOG_ERROR);
	log_warning("four");
	expect_output("");
	log_plain("five");
	expect_output("five\r\n");
}

static void time_prefix(void **state)
{
	(void)state;
	now = 12345678901;
	log_set_clock(test_clock);
	log_warning("x");
	expect_output("[   12.345678] warning: x\r\n");
}

static void long_and_hostile_lines(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_info("%s", text);
	assert_true(fake_serial_length <= LOG_LINE_MAX + 2);
	assert_memory_equal(fake_serial_output + fake_serial_length - 2, "\r\n", 2);
	fake_serial_clear();
	log_info("a\nb\x1b[2J\xff");
	expect_output("a?b?[2J?\r\n");
}

static void ring(void **state)
{
	static char text[4 << CONFIG_LOG_SHIFT];
	uint64_t position = 0;
	size_t got;

	(void)state;
	log_debug("only in the ring");
	expect_output("");
	while ((got = log_read(&position, text, sizeof(text) - 1)) > 0) {
		text[got] = '\0';
		if (strstr(text, "debug: only in the ring\n"))
			break;
	}
	assert_true(got > 0);
	assert_int_equal(log_read(&position, text, sizeof(text)), 0);

	for (int i = 0; i < 10000; i++)
		log_debug("line %d", i);
	got = log_read(&position, text, sizeof(text));
	assert_int_equal(got, 1 << CONFIG_LOG_SHIFT);
	assert_memory_equal(text + got - 17, "debug: line 9999\n", 17);

	position = ~0ULL;
	assert_int_equal(log_read(&position, text, 10), 10);
}

static void guest_lines(void **state)
{
	struct log_guest guest = { 0 };

	(void)state;
	log_guest("d1", "hel", 3, &guest);
	expect_output("");
	log_guest("d1", "lo\r\nwor\tld\n\n", 12, &guest);
	expect_output("(d1) hello\r\n(d1) wor\tld\r\n(d1) \r\n");
	log_guest("d1", "\x1b[2J\xc3\n", 6, &guest);
	expect_output("(d1) \\x1b[2J\\xc3\r\n");
	log_guest("d1", "end", 3, &guest);
	log_guest_flush("d1", &guest);
	expect_output("(d1) end\r\n");
	log_guest_flush("d1", &guest);
	expect_output("");
}

static void guest_long_line(void **state)
{
	struct log_guest guest = { 0 };
	char text[1000];

	(void)state;
	memset(text, '\x80', sizeof(text));
	log_guest("a name that is much longer than any name may be", text, sizeof(text), &guest);
	log_guest_flush("d", &guest);
	assert_true(fake_serial_length > 4 * sizeof(text));
}

static void guest_raw(void **state)
{
	struct log_guest guest = { .raw = true };

	(void)state;
	log_guest("d0", "login: \x1b[1m", 11, &guest);
	expect_output("login: \x1b[1m");
	log_info("between");
	expect_output("\r\nbetween\r\n");
	log_guest("d0", "a\nb\r\n", 5, &guest);
	expect_output("a\r\nb\r\n");
}

static uint64_t flood(struct log_guest *guest, uint64_t bytes)
{
	static const char line[64] =
		"***************************************************************\n";
	uint64_t printed = 0;

	for (uint64_t i = 0; i < bytes; i += sizeof(line)) {
		log_guest("d", line, sizeof(line), guest);
		for (size_t j = 0; j < fake_serial_length; j++)
			printed += fake_serial_output[j] == '*';
		fake_serial_clear();
	}
	return printed;
}

static void guest_limit(void **state)
{
	struct log_guest guest = { 0 };
	uint64_t printed;

	(void)state;
	now = 100000000000;
	log_set_clock(test_clock);
	printed = flood(&guest, 10 * LOG_GUEST_BURST);
	assert_in_range(printed, LOG_GUEST_BURST * 9 / 10, LOG_GUEST_BURST);

	/* A little later there is room, but not enough to begin again; then there is. */
	now += 100000000;
	assert_int_equal(flood(&guest, 640), 0);
	now += 2000000000;
	log_guest("d", "back\n", 5, &guest);
	assert_non_null(strstr(fake_serial_output, " bytes dropped]\r\n(d) back\r\n"));
	fake_serial_clear();

	/* On average no more than the rate, however the calls lie in time. */
	printed = 0;
	now += 1000000000000;
	for (int i = 0; i < 1000; i++) {
		printed += flood(&guest, 1280);
		now += 10000001;
	}
	assert_in_range(printed, LOG_GUEST_RATE * 9, LOG_GUEST_BURST + LOG_GUEST_RATE * 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(levels, start),
		cmocka_unit_test_setup(time_prefix, start),
		cmocka_unit_test_setup(long_and_hostile_lines, start),
		cmocka_unit_test_setup(ring, start),
		cmocka_unit_test_setup(guest_lines, start),
		cmocka_unit_test_setup(guest_long_line, start),
		cmocka_unit_test_setup(guest_raw, start),
		cmocka_unit_test_setup(guest_limit, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
