// SPDX-License-Identifier: GPL-2.0
/* System calls that are filtered: refused, answered, trapped, and deadly; by one thread for all. */
#define _GNU_SOURCE
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#include "check.h"

#define ANSWER 123

static int filter_calls(unsigned flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ANSWER),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getuid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 7),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

static volatile int trapped;

/* The answer is what the handler leaves in RAX. */
static void on_trap(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	check(info->si_syscall == SYS_getuid && info->si_errno == 7);
	check(info->si_arch == AUDIT_ARCH_X86_64);
	((ucontext_t *)context)->uc_mcontext.gregs[REG_RAX] = 4321;
	trapped++;
}

static void test_answers(void)
{
	struct sigaction action = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	check(sigaction(SIGSYS, &action, NULL) == 0);
	check(filter_calls(0) == 0);
	for (int i = 1; i <= 100; i++) {
		check(syscall(SYS_getppid) == -1 && errno == ANSWER);
		check(syscall(SYS_getuid) == 4321 && trapped == i);
		check(syscall(SYS_getpid) > 0);
	}
}

static void test_kill(void)
{
	check(filter_calls(0) == 0);
	syscall(SYS_getgid);
}

/* By the 32-bit entry the call has another architecture, and must not get past the filter. */
static void test_other_entry(void)
{
	long result;

	check(filter_calls(0) == 0);
	asm volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
}

static void test_strict(void)
{
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	check(write(1, "", 0) == 0);
	syscall(SYS_exit, 0);
}

static void test_strict_kill(void)
{
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
	syscall(SYS_getpid);
}

static pthread_barrier_t barrier;

static void *be_filtered(void *unused)
{
	(void)unused;
	check(syscall(SYS_getppid) > 0 || errno == 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	check(syscall(SYS_getppid) == -1 && errno == ANSWER);
	return NULL;
}

static void test_threads(void)
{
	pthread_t threads[4];

	check(pthread_barrier_init(&barrier, NULL, 5) == 0);
	for (int i = 0; i < 4; i++)
		check(pthread_create(&threads[i], NULL, be_filtered, NULL) == 0);
	pthread_barrier_wait(&barrier);
	check(filter_calls(SECCOMP_FILTER_FLAG_TSYNC) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 4; i++)
		check(pthread_join(threads[i], NULL) == 0);
}

int main(void)
{
	if (prctl(PR_GET_SECCOMP) != 0)
		return SKIPPED;
	check(runs_well(test_answers));
	check(ends_by(test_kill, SIGSYS));
	check(ends_by(test_other_entry, SIGSYS) || ends_by(test_other_entry, SIGSEGV));
	check(runs_well(test_strict));
	check(ends_by(test_strict_kill, SIGKILL));
	check(runs_well(test_threads));
	return 0;
}
