/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the checks in C share: check() ends the process that finds something wrong and says where;
 * a check that must not touch the others runs in a process of its own (runs_well, ends_by).
 */
#ifndef CHECK_H
#define CHECK_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED 77

#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("%s: line %d: %s (%s)\n", program_invocation_short_name, __LINE__,  \
			       #condition, strerror(errno));                                       \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* The status of a process that runs the function. */
static inline int status_of(void (*function)(void))
{
	int status;
	pid_t child = fork();

	check(child >= 0);
	if (child == 0) {
		function();
		_exit(0);
	}
	check(waitpid(child, &status, 0) == child);
	return status;
}

static inline bool runs_well(void (*function)(void))
{
	int status = status_of(function);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static inline bool ends_by(void (*function)(void), int signal)
{
	int status = status_of(function);

	return WIFSIGNALED(status) && WTERMSIG(status) == signal;
}

#endif
