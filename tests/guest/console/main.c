// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that console_write checks its pointer and length, takes any bytes, and that a flood of one
 * domain neither stops the machine nor drowns another's lines; and that what is typed comes in order,
 * with a vector when it begins (with `echo`: tests/system/test_console_input.sh types).
 */
/* covers: console_write, console_read */
#include "test.h"

#include "abi/console.h"

const char test_title[] = "console";

#define WRITE_MAX 4096

static void bad_arguments(void)
{
	static const uint64_t pointers[] = { 0x1000,
					     TEST_KERNEL_BASE,
					     HYPERVISOR_START,
					     HYPERVISOR_END - 1,
					     0x0000800000000000,
					     0x8000000000000000,
					     ~0UL };
	static char text[WRITE_MAX];
	uint32_t i;

	for (i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++)
		CHECK_EQ(hv_console_write(pointers[i], 8), -EFAULT, "%#lx", pointers[i]);
	CHECK_EQ(hv_console_write(ADDRESS(text), 0), 0, "nothing");
	CHECK_EQ(hv_console_write(ADDRESS(text), WRITE_MAX + 1), -E2BIG, "too long");
	for (i = 13; i < 64; i++)
		CHECK_EQ(hv_console_write(ADDRESS(text), 1UL << i), -E2BIG, "2^%u bytes", i);
	CHECK_EQ(hv_console_write(ADDRESS(text), ~0UL), -E2BIG, "all the bytes there are");
}

/* The first page is there and the second is not. */
static void half_there(void)
{
	uint64_t page = TEST_KERNEL_BASE;

	memset(root_map_new(root_boot(), page, PTE_KERNEL_RW), '\n', PAGE_SIZE);
	CHECK(hv_console_write(page, 4) >= 0, "all there");
	CHECK_EQ(hv_console_write(page + PAGE_SIZE - 4, 8), -EFAULT, "half of it is missing");
}

static void every_byte(void)
{
	char bytes[257];
	uint32_t i;

	for (i = 0; i < 256; i++)
		bytes[i] = (char)i;
	bytes[256] = '\n';
	CHECK_EQ(console_write(bytes, sizeof(bytes)), sizeof(bytes), "every byte");
}

/* One line of what is typed, without its end. Sleeps while there is nothing. */
static void read_line(char *line, uint32_t size)
{
	uint32_t used = 0;
	char byte = 0;

	while (byte != '\n' && used < size - 1) {
		int64_t count = hv_console_read(RF_DOMAIN_SELF, ADDRESS(&byte), 1, 0);

		CHECK(count == 0 || count == 1, "read: %ld", count);
		if (count == 0)
			hv_block();
		else if (byte != '\n')
			line[used++] = byte;
	}
	line[used] = 0;
}

static void echo(void)
{
	char line[64];

	/* For a debug key to show. */
	event_init();
	CHECK_EQ(hv_event_listen(RF_DOMAIN_SELF), 1, "listen");
	printf("type, please\n");
	do {
		read_line(line, sizeof(line));
		printf("typed: %s\n", line);
	} while (strcmp(line, "quit"));
	CHECK(this_vcpu()->vectors[RF_VECTOR_CONSOLE], "it was told");
}

static void flood(void)
{
	static char text[WRITE_MAX];
	uint32_t i;

	memset(text, 'x', sizeof(text));
	for (i = 0; i < 4000; i++)
		hv_console_write(ADDRESS(text), sizeof(text));
	clock_sleep(6 * SECOND); /* for the result line not to be dropped */
}

static const struct scenario scenarios[] = { { "flood", flood, SCENARIO_ENDS } };

void test_main(void)
{
	if (test_option("echo")) {
		echo();
		return;
	}
	if (test_is_control()) {
		CHECK_EQ(hv_console_read(RF_DOMAIN_SELF, 0, 0, 0), 0, "nothing was typed");
		bad_arguments();
		half_there();
		every_byte();
	}
	scenarios_run(scenarios, 1);
}
