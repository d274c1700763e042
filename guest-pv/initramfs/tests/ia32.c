// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of 32 bits: where the kernel has been told to run them they do (programs/ia32.c), elsewhere
 * they are refused when they are started.
 */
#define _GNU_SOURCE
#include "check.h"

#define PROGRAM "/tests/programs/ia32"

int main(void)
{
	bool wanted = system("zcat /proc/config.gz | grep -q ^CONFIG_IA32_EMULATION=y") == 0;
	int status, ends[2], error = 0;
	pid_t child;

	check(pipe(ends) == 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		execl(PROGRAM, "ia32", NULL);
		error = errno;
		_exit(write(ends[1], &error, sizeof(error)) != sizeof(error));
	}
	check(waitpid(child, &status, 0) == child);
	if (!wanted) {
		check(read(ends[0], &error, sizeof(error)) == sizeof(error) && error == ENOEXEC);
		return 0;
	}
	if (status)
		printf("ia32: programs/ia32.c: status %#x\n", status);
	return status != 0;
}
