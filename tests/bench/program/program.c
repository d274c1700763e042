// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is measured: a static program that is the first and only process of a Linux. It performs
 * each operation, some thousands of times, prints lines that programs read, and powers off:
 *
 *   bench: fact NAME NUMBER
 *   bench: result RUN OPERATION ITERATIONS NANOSECONDS
 *   bench: counter RUN OPERATION NAME DIFFERENCE
 *   bench: end
 *
 * All operations are performed in several runs, and nothing is printed within one. Run 0 finds
 * memory that nobody has used yet; the later ones are warm. The kernel hands on what its command
 * line says: bench_operations=NAME,NAME chooses, bench_runs=N is the number of runs; with bench_idle=1 it
 * does nothing, for ever, as in the control domain beside a guest that is measured; with bench_end=1 it powers off
 * at once, as a guest does whose start is measured.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "counters.h"
#include "facts.h"
#include "marker.h"
#include "operation.h"

#define RUNS_DEFAULT 2
#define RESULTS_MAX  96
#define CLOCK_FILE   "/sys/devices/system/clocksource/clocksource0/current_clocksource"

struct result {
	const struct operation *operation;
	uint64_t nanoseconds;
	struct counters before, after;
};

static const struct operation *const lists[] = {
	call_operations,   memory_operations,  process_operations, task_operations,
	switch_operations, file_operations,    socket_operations,  interrupt_operations,
	smp_operations,	   scaling_operations, domain_operations,  program_operations,
};

static struct result *results;
static size_t result_count;
static uint64_t discount;

static void power_off(void)
{
	fflush(stdout);
	sync();
	if (getpid() == 1)
		reboot(RB_POWER_OFF);
	exit(0);
}

void operation_fail(const char *what)
{
	printf("bench: failed: %s: %s\n", what, strerror(errno));
	if (getpid() == 1)
		power_off();
	exit(1);
}

/* Only what the operations need, and what an open file does not take. */
static void mount_filesystems(void)
{
	if (getpid() != 1)
		return;
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	operation_check(mount("proc", "/proc", "proc", 0, NULL) == 0, "mount /proc");
	operation_check(mount("sys", "/sys", "sysfs", 0, NULL) == 0, "mount /sys");
	if (access("/dev/zero", F_OK) != 0)
		operation_check(mount("dev", "/dev", "devtmpfs", 0, NULL) == 0, "mount /dev");
}

static void set_option(const char *path, const char *value)
{
	int file = open(path, O_WRONLY);

	operation_check(file >= 0 && write(file, value, strlen(value)) == (ssize_t)strlen(value),
			path);
	close(file);
}

/* Signals that the first process catches are printed otherwise; 1 GiB has to fit into 1 GiB. */
static void set_options(void)
{
	if (getpid() != 1)
		return;
	set_option("/proc/sys/debug/exception-trace", "0");
	set_option("/proc/sys/vm/overcommit_memory", "1");
}

/*
 * In its first second Linux does not trust the cycle counter, and timers expire at ticks only: nothing
 * that is measured may see that end.
 */
static void wait_for_clock(void)
{
	const struct timespec tenth = { .tv_nsec = 100000000 };
	unsigned int tries = 50;
	bool early;

	do {
		char name[32] = "";
		int file = open(CLOCK_FILE, O_RDONLY);

		early = file >= 0 && read(file, name, sizeof(name) - 1) > 0 &&
			strncmp(name, "tsc-early", 9) == 0;
		close(file);
		nanosleep(&tenth, NULL);
	} while (early && --tries);
	operation_check(!early, "the clock is not ready");
}

static bool chosen(const char *name)
{
	const char *list = getenv("bench_operations");
	size_t length = strlen(name);

	while (list) {
		if (strncmp(list, name, length) == 0 && (!list[length] || list[length] == ','))
			return true;
		list = strchr(list, ',');
		list = list ? list + 1 : NULL;
	}
	return !getenv("bench_operations");
}

static void choose(void)
{
	size_t i;

	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		const struct operation *operation;

		for (operation = lists[i]; operation->name; operation++) {
			operation_check(result_count < RESULTS_MAX, "too many operations");
			if (chosen(operation->name) &&
			    (!operation->available || operation->available()))
				results[result_count++].operation = operation;
		}
	}
	operation_check(result_count > 0, "no such operation");
}

/* Outside what a fork copies and what is touched for the first time while measuring. */
static void allocate_results(void)
{
	size_t size = sizeof(*results) * RESULTS_MAX;

	results = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	operation_check(results != MAP_FAILED && madvise(results, size, MADV_DONTFORK) == 0,
			"memory for the results");
}

uint64_t operation_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000ull + time.tv_nsec;
}

void operation_discount(uint64_t nanoseconds)
{
	discount = nanoseconds;
}

static void measure(struct result *result)
{
	const struct operation *operation = result->operation;
	uint64_t start;

	if (operation->prepare)
		operation->prepare();
	discount = 0;
	counters_read(&result->before);
	marker_emit(MARKER_START);
	start = operation_now();
	operation->perform(operation->iterations);
	result->nanoseconds = operation_now() - start;
	marker_emit(MARKER_STOP);
	counters_read(&result->after);
	result->nanoseconds -= discount < result->nanoseconds ? discount : result->nanoseconds;
	if (operation->finish)
		operation->finish();
}

static void print(unsigned int run, const struct result *result)
{
	const struct operation *operation = result->operation;

	printf("bench: result %u %s %lu %lu\n", run, operation->name, operation->iterations,
	       result->nanoseconds);
	counters_print(run, operation->name, &result->before, &result->after);
}

int main(int argc, char **argv)
{
	const char *runs_text = getenv("bench_runs");
	unsigned int runs = runs_text ? atoi(runs_text) : RUNS_DEFAULT, run;
	unsigned long cycles = __builtin_ia32_rdtsc();
	size_t i;

	if (argc > 0 && strcmp(argv[0], "exit") == 0)
		return 0;
	while (getenv("bench_idle"))
		pause();
	if (getenv("bench_end"))
		power_off();
	mount_filesystems();
	set_options();
	counters_open();
	allocate_results();
	choose();
	facts_print_first(cycles);
	wait_for_clock();
	for (run = 0; run < runs; run++) {
		for (i = 0; i < result_count; i++)
			measure(&results[i]);
		for (i = 0; i < result_count; i++)
			print(run, &results[i]);
	}
	facts_print_last();
	printf("bench: end\n");
	power_off();
}
