// SPDX-License-Identifier: BSD-2-Clause
/*
 * The frame around a test: start, options, checks, the result line.
 * Odd: guest_main() is called by start.S on the boot stack, before anything is set up.
 */
#include "test.h"

#define FAILURES_PRINTED 20

const struct rf_start_info *start_info;
static uint32_t failures;

void guest_main(uint64_t start_info_address);

uint32_t test_failures(void)
{
	return atomic_load(&failures);
}

bool test_is_control(void)
{
	return start_info->flags & RF_START_CONTROL;
}

const char *test_option(const char *name)
{
	size_t length = strlen(name);
	const char *at = start_info->command_line;

	while (*at) {
		if (!strncmp(at, name, length) &&
		    (at[length] == '=' || at[length] == ' ' || !at[length]))
			return at[length] ? at + length + 1 : at + length;
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	return NULL;
}

bool test_option_is(const char *name, const char *value)
{
	const char *at = test_option(name);
	size_t length = strlen(value);

	return at && !strncmp(at, value, length) && (!at[length] || at[length] == ' ');
}

static int digit(char c, uint32_t base)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (base == 16 && c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

uint64_t test_number(const char *name, uint64_t otherwise)
{
	const char *at = test_option(name);
	uint32_t base = 10;
	uint64_t number = 0;

	if (!at || digit(*at, 10) < 0)
		return otherwise;
	if (at[0] == '0' && at[1] == 'x') {
		base = 16;
		at += 2;
	}
	for (; digit(*at, base) >= 0; at++)
		number = number * base + (uint64_t)digit(*at, base);
	return number;
}

static void complain(const char *file, int line, const char *what, const char *format,
		     va_list arguments)
{
	char text[256];

	format_string(text, sizeof(text), format, arguments);
	printf("FAIL %s:%d: %s: %s\n", file, line, what, text);
}

bool test_check(bool good, const char *file, int line, const char *what, const char *format, ...)
{
	va_list arguments;

	if (good)
		return true;
	if (atomic_add(&failures, 1) > FAILURES_PRINTED)
		return false;
	va_start(arguments, format);
	complain(file, line, what, format, arguments);
	va_end(arguments);
	return false;
}

bool test_check_equal(uint64_t actual, uint64_t expected, const char *file, int line,
		      const char *what, const char *format, ...)
{
	va_list arguments;

	if (actual == expected)
		return true;
	if (atomic_add(&failures, 1) > FAILURES_PRINTED)
		return false;
	va_start(arguments, format);
	complain(file, line, what, format, arguments);
	va_end(arguments);
	printf("  is %#lx (%ld), should be %#lx (%ld)\n", actual, (int64_t)actual, expected,
	       (int64_t)expected);
	return false;
}

static void audit(uint64_t flags)
{
	int64_t result = hv_audit(flags);

	CHECK(!result || result == -EOPNOTSUPP, "%ld", result);
}

void test_audit(void)
{
	audit(0);
}

void test_audit_flushed(void)
{
	audit(RF_AUDIT_FLUSHED);
}

static _Noreturn void end(void)
{
	for (;;)
		hv_shutdown(RF_SHUTDOWN_POWEROFF);
}

void test_end(const char *result, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	format_string(text, sizeof(text), format, arguments);
	va_end(arguments);
	printf("RESULT: %s %s\n", result, text);
	end();
}

void guest_main(uint64_t start_info_address)
{
	start_info = pointer_of(start_info_address);
	vcpu_init_boot();
	vcpu_register_boot();
	trap_init();
	memory_init(start_info_address);
	random_init();
	if (start_info->magic != RF_START_MAGIC || start_info->abi_version != RF_ABI_VERSION)
		ERROR("start information: magic %#lx version %u", start_info->magic,
		      start_info->abi_version);
	printf("%s (%u vCPUs, %lu MiB%s, seed %#lx)\n", test_title, start_info->vcpus,
	       start_info->memory_bytes >> 20, test_is_control() ? ", control" : "", random_seed());
	test_main();
	if (test_failures())
		printf("RESULT: FAILURE %u checks\n", test_failures());
	else
		printf("RESULT: SUCCESS\n");
	end();
}

uint32_t domain_wait_end(uint32_t domain, uint32_t seconds, struct rf_domain_info *info)
{
	uint64_t end_ns = clock_ns() + seconds * 1000000000UL;

	while (clock_ns() < end_ns) {
		if (hv_domain_info(domain, ADDRESS(info)))
			return 0;
		if (info->state != RF_DOMAIN_RUNNING)
			return info->state;
		hv_yield();
	}
	return 0;
}
