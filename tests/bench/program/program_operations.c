// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whole programs from Debian's packages, which tests/bench/program_ramdisk.py puts into the RAM
 * disk with the libraries they need. One that is not there is left out. They run as nobody, since
 * some refuse to run as root; what they print goes to a file, which is shown if a program fails.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

#define OUTPUT	 "/tmp/output"
#define CC1	 "/usr/lib/bench/cc1"
#define NOBODY	 65534
#define BY_VFORK "--exec-fork-method", "vfork", "--exec-no-pthread"

/* Whether a program says that it left something out. */
static bool read_output(bool show)
{
	bool skipped = false;
	char line[256];
	FILE *file = fopen(OUTPUT, "r");

	while (file && fgets(line, sizeof(line), file)) {
		skipped |= strstr(line, "skip") != NULL;
		if (show)
			printf("bench: output: %s", line);
	}
	if (file)
		fclose(file);
	return skipped;
}

static void execute(const char *const *arguments)
{
	char *const environment[] = { "PATH=/usr/bin:/bin", "HOME=/tmp", "LC_ALL=C", NULL };
	int output = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	operation_check(output >= 0 && chdir("/tmp") == 0, OUTPUT);
	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	/* Not the library's, which may think of threads: this process shares its parent's memory. */
	syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY);
	syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
	execve(arguments[0], (char *const *)arguments, environment);
	_exit(127);
}

static void prepare(void)
{
	mkdir("/tmp", 0755);
	operation_check(chmod("/tmp", 01777) == 0, "/tmp");
}

static void run(uint64_t iterations, const char *const *arguments)
{
	int status;

	while (iterations--) {
		pid_t child = vfork();

		operation_check(child >= 0, "vfork");
		if (child == 0)
			execute(arguments);
		operation_check(waitpid(child, &status, 0) == child, "waitpid");
		operation_check(status == 0 || (read_output(true), false), arguments[0]);
	}
}

static void finish(void)
{
	operation_check(!read_output(false) || !read_output(true), "a program left something out");
}

/* A function that can be performed, and one that says whether the file is there. */
#define PROGRAM(name, file, ...)                                                                   \
	static void perform_##name(uint64_t iterations)                                            \
	{                                                                                          \
		static const char *const arguments[] = { file, ##__VA_ARGS__, NULL };              \
		run(iterations, arguments);                                                        \
	}                                                                                          \
	static bool has_##name(void)                                                               \
	{                                                                                          \
		return access(file, X_OK) == 0;                                                    \
	}

#define STRESS(name, ...)                                                                          \
	PROGRAM(name, "/usr/bin/stress-ng", "--no-rand-seed", "--temp-path", "/tmp", ##__VA_ARGS__)

PROGRAM(hackbench, "/usr/bin/hackbench", "-g", "2", "-f", "10", "-l", "20")
PROGRAM(hackbench_pipe, "/usr/bin/hackbench", "-p", "-g", "2", "-f", "10", "-l", "20")
STRESS(stress_fork, "--fork", "1", "--fork-ops", "300")
STRESS(stress_exec, "--exec", "1", "--exec-ops", "40", "--exec-max", "4", BY_VFORK)
STRESS(stress_mmap, "--mmap", "1", "--mmap-ops", "4", "--mmap-bytes", "1M")
STRESS(stress_switch, "--switch", "1", "--switch-ops", "2000", "--switch-method", "pipe")
STRESS(stress_pipe, "--pipe", "1", "--pipe-ops", "2000")
PROGRAM(gzip, "/usr/bin/gzip", "-k", "-f", "-c", "/bin/busybox")
PROGRAM(compile, CC1, "-quiet", "-fpreprocessed", "-O2", "/usr/lib/bench/source.i", "-o",
	"/tmp/source.s")
PROGRAM(assemble, "/usr/bin/as", "-o", "/tmp/source.o", "/usr/lib/bench/source.s")
/* One process for each file, as a build of many small files has them. */
PROGRAM(build, "/bin/busybox", "sh", "/usr/lib/bench/build.sh")

static bool has_tcc(void)
{
	return access("/usr/bin/tcc", X_OK) == 0 && has_build();
}

const struct operation program_operations[] = {
	{ "hackbench", 1, prepare, perform_hackbench, finish, has_hackbench },
	{ "hackbench-pipe", 1, prepare, perform_hackbench_pipe, finish, has_hackbench_pipe },
	{ "stress-fork", 1, prepare, perform_stress_fork, finish, has_stress_fork },
	{ "stress-exec", 1, prepare, perform_stress_exec, finish, has_stress_exec },
	{ "stress-mmap", 1, prepare, perform_stress_mmap, finish, has_stress_mmap },
	{ "stress-switch", 1, prepare, perform_stress_switch, finish, has_stress_switch },
	{ "stress-pipe", 1, prepare, perform_stress_pipe, finish, has_stress_pipe },
	{ "gzip", 1, prepare, perform_gzip, finish, has_gzip },
	{ "compile", 1, prepare, perform_compile, finish, has_compile },
	{ "assemble", 1, prepare, perform_assemble, finish, has_assemble },
	{ "build", 1, prepare, perform_build, finish, has_tcc },
	{},
};
