// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a process changes its address space, checked by content: what must be there is
 * there, what must not be there faults, at the address that was touched.
 *
 * Each check runs in a process of its own; after each, and where a check asks for it, the hypervisor
 * audits its shadows. A pattern says of every page which page it is, so a translation that was not
 * forgotten in time shows itself as the wrong page.
 *
 *	memory [NAME]...	these, or all that take no longer than a second
 *
 * In the environment, where the kernel puts what it does not know of its command line:
 * memory_tests=NAME,NAME or memory_tests=all, and memory_rounds=NUMBER for what is repeated.
 */
#include "memory.h"

#include <time.h>

#define SKIPPED		77
#define TIME_LIMIT	400

static const struct memory_test *const groups[] = {
	map_tests, fork_tests, file_tests, advice_tests, huge_tests, hugetlb_tests, swap_tests,
	track_tests, foreign_tests, move_tests, userfault_tests, race_tests,
};

void memory_failed(const char *file, int line, const char *condition)
{
	printf("memory: %s:%d: %s (%s)\n", file, line, condition, strerror(errno));
	fflush(stdout);
	_exit(1);
}

void memory_skip(const char *why)
{
	printf("memory: skipped: %s\n", why);
	fflush(stdout);
	_exit(SKIPPED);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Zero, SKIPPED, or it failed. */
static int run(const struct memory_test *test)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		alarm(TIME_LIMIT);
		test->run();
		audit();
		_exit(0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return 1;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	printf("memory: %s ended by signal %d\n", test->name, WTERMSIG(status));
	return 1;
}

static bool is_in(const char *names, const char *name)
{
	size_t length = strlen(name);
	const char *at = names;

	while ((at = strstr(at, name))) {
		if ((at == names || at[-1] == ',') && (at[length] == ',' || !at[length]))
			return true;
		at += length;
	}
	return false;
}

static bool wanted(int count, char *const *names, const struct memory_test *test)
{
	const char *list = getenv("memory_tests");
	int i;

	for (i = 0; i < count; i++)
		if (strcmp(names[i], test->name) == 0)
			return true;
	if (count || !list)
		return !count && !(test->flags & LONG);
	return strcmp(list, "all") == 0 || is_in(list, test->name);
}

static int failures, done;

static void run_group(const struct memory_test *test, int count, char *const *names)
{
	const char *result;
	double start;
	int status;

	for (; test->name; test++) {
		if (!wanted(count, names, test))
			continue;
		start = now();
		status = run(test);
		result = status == 0 ? "ok" : status == SKIPPED ? "skipped" : "FAILED";
		printf("memory: %s %s (%.1f s)\n", result, test->name, now() - start);
		failures += status != 0 && status != SKIPPED;
		done++;
	}
}

int main(int count, char *const *names)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		run_group(groups[i], count - 1, names + 1);
	if (!done)
		printf("memory: no check has such a name\n");
	return failures || !done ? 1 : 0;
}
