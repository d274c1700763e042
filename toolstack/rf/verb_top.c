// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf top`: which domains use the processors, disks and networks, again and again.
 *
 * Interface: verbs.h. Locks: none.
 * Odd: without a terminal on both sides it prints one table after the other, as often as --count says.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/disk.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/domain_json.h"
#include "toolstack/lib/net.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/target.h"
#include "toolstack/rf/verbs.h"

#define SECONDS_MAX 86400ULL
#define COUNT_MAX   1000000000ULL
#define CLEAR	    "\033[H\033[J"

static const struct output_column columns[] = {
	{ "NAME", "name", OUTPUT_TEXT },
	{ "ID", "domain", OUTPUT_NUMBER },
	{ "STATE", "state", OUTPUT_TEXT },
	{ "CPU(%)", "cpu_percent", OUTPUT_NUMBER },
	{ "TIME(s)", "run_ns", OUTPUT_SECONDS },
	{ "VCPUS", "vcpus", OUTPUT_NUMBER },
	{ "MEM(MiB)", "memory", OUTPUT_MIB },
	{ "MAX(MiB)", "memory_max", OUTPUT_MIB },
	{ "DISK(K/s)", "disk_rate", OUTPUT_NUMBER },
	{ "NET(K/s)", "net_rate", OUTPUT_NUMBER },
	{ NULL, NULL, OUTPUT_TEXT },
};

struct top {
	const struct command *command;
	struct target target;
	json_t *before; /* what was printed last */
	double time;	/* when */
	unsigned long long seconds;
	unsigned long long count; /* 0: until q is typed */
	bool screen;
};

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static json_int_t number(const json_t *row, const char *key)
{
	return json_integer_value(json_object_get(row, key));
}

/* The same domain, not one that has its number now. */
static const json_t *find_before(const struct top *top, const json_t *row)
{
	json_t *other;
	size_t i;

	json_array_foreach(top->before, i, other)
		if (number(other, "serial") == number(row, "serial"))
			return other;
	return NULL;
}

/* How much of a count came, for each second, in so large units. */
static void add_rate(const json_t *before, json_t *row, const char *rate, const char *count,
		     double unit)
{
	double came = (double)(number(row, count) - number(before, count));

	/* A back end that was started again counts from zero. */
	json_object_set_new(row, rate, json_real(came > 0 ? came / unit : 0));
}

static void add_rates(const struct top *top, json_t *row, double seconds)
{
	const json_t *before = find_before(top, row);

	if (!before || seconds <= 0)
		return;
	add_rate(before, row, "cpu_percent", "run_ns", 1e7 * seconds);
	add_rate(before, row, "disk_rate", "disk_bytes", 1024 * seconds);
	add_rate(before, row, "net_rate", "net_bytes", 1024 * seconds);
}

/* Of all devices of a class, what went in both directions. */
static void add_bytes(json_t *domains, const struct device_class *class, const char *sum,
		      const char *in, const char *out)
{
	struct report ignored = { .warnings = 0 };
	json_t *devices = device_list_all(class, &ignored), *device, *row;
	size_t i, d;

	json_array_foreach(domains, i, row) {
		json_int_t bytes = 0;

		json_array_foreach(devices, d, device) {
			const json_t *counts = json_object_get(device, "statistics");

			if (number(device, "domain") == number(row, "domain"))
				bytes += number(counts, in) + number(counts, out);
		}
		json_object_set_new(row, sum, json_integer(bytes));
	}
	json_decref(devices);
}

static json_t *look(struct top *top)
{
	json_t *rows = domain_json_all(&top->target.access);

	add_bytes(rows, &disk_class, "disk_bytes", "read-bytes", "written-bytes");
	add_bytes(rows, &net_class, "net_bytes", "sent-bytes", "received-bytes");
	return rows;
}

static int compare(const void *a, const void *b)
{
	double x = json_real_value(json_object_get(*(json_t *const *)a, "cpu_percent"));
	double y = json_real_value(json_object_get(*(json_t *const *)b, "cpu_percent"));

	return x < y ? 1 : -(x > y);
}

/* Those that use most come first. */
static json_t *sorted(json_t *rows)
{
	size_t count = json_array_size(rows);
	json_t **list = calloc(count ? count : 1, sizeof(*list)), *result = json_array();

	for (size_t i = 0; list && i < count; i++)
		list[i] = json_array_get(rows, i);
	if (list)
		qsort(list, count, sizeof(*list), compare);
	for (size_t i = 0; list && i < count; i++)
		json_array_append(result, list[i]);
	free(list);
	return result;
}

static void print(struct top *top)
{
	json_t *rows = look(top), *row;
	double time = now();
	size_t i;

	json_array_foreach(rows, i, row)
		add_rates(top, row, time - top->time);
	json_decref(top->before);
	top->before = rows;
	top->time = time;
	if (top->screen)
		printf(CLEAR "%zu domains; q ends\n\n", json_array_size(rows));
	output_table(top->command, columns, sorted(rows));
	fflush(stdout);
}

/* Waits for the next time; true: q was typed. */
static bool asked_to_end(const struct top *top)
{
	struct pollfd input = { .fd = top->screen ? STDIN_FILENO : -1, .events = POLLIN };
	char key;

	if (poll(&input, 1, (int)top->seconds * 1000) <= 0)
		return false;
	return read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 3;
}

static void run(struct top *top)
{
	/* What is used is known from the second time on. */
	top->before = look(top);
	top->time = now();
	for (unsigned long long i = 0; !top->count || i < top->count; i++) {
		if (asked_to_end(top))
			break;
		print(top);
	}
	json_decref(top->before);
}

static void run_on_terminal(struct top *top)
{
	struct termios saved, quiet;

	if (tcgetattr(STDIN_FILENO, &saved))
		return;
	quiet = saved;
	quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
	tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
	run(top);
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

static bool read_options(struct top *top)
{
	const char *delay = command_option(top->command, "delay");
	const char *count = command_option(top->command, "count");

	top->seconds = 2;
	top->screen = !count && !top->command->json && isatty(STDIN_FILENO) &&
		      isatty(STDOUT_FILENO);
	top->count = top->screen ? 0 : 1;
	return (!delay ||
		command_number(top->command, "--delay", delay, 1, SECONDS_MAX, &top->seconds)) &&
	       (!count ||
		command_number(top->command, "--count", count, 1, COUNT_MAX, &top->count));
}

enum status verb_top(struct command *command)
{
	struct top top = { .command = command };
	enum status status;

	if (!read_options(&top))
		return STATUS_USAGE;
	status = target_open(command, &top.target, NULL);
	if (status == STATUS_OK && top.screen)
		run_on_terminal(&top);
	else if (status == STATUS_OK)
		run(&top);
	target_close(&top.target);
	return status;
}
