// SPDX-License-Identifier: BSD-2-Clause
/*
 * A jail for a process that is open: user, limits, system calls.
 *
 * Odd: io_uring does what it does without system calls, so a filter does not see it. What the loop's ring can do is
 * limited by what is open, and by the user.
 */
#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "abi/control_device.h"
#include "backends/common/jail.h"

#define LOCKED_BYTES (256UL << 20) /* of guests' pools that the kernel keeps at hand */

static const int jail_calls[] = {
	SCMP_SYS(io_uring_enter),
	SCMP_SYS(io_uring_register),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(readv),
	SCMP_SYS(writev),
	SCMP_SYS(sendto),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(recvmsg),
	SCMP_SYS(munmap),
	SCMP_SYS(close),
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(futex),
	SCMP_SYS(exit_group),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(madvise),
	SCMP_SYS(poll),
	SCMP_SYS(lseek),
};

static const unsigned long jail_ioctls[] = {
	RF_CONTROL_GRANT_MAP, RF_CONTROL_GRANT_UNMAP, RF_CONTROL_EVENT_CONNECT,
	0x80081272, /* BLKGETSIZE64 */
	0x400454d9, /* TUNSETQUEUE */
	0x400454d0, /* TUNSETOFFLOAD */
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Of a system call's argument, only bits of the mask. */
static int jail_allow_if(scmp_filter_ctx filter, int call, unsigned argument, uint64_t mask,
			 uint64_t value)
{
	const struct scmp_arg_cmp compare = { argument, SCMP_CMP_MASKED_EQ, mask, value };

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &compare);
}

static int jail_allow(scmp_filter_ctx filter)
{
	int error = 0;

	for (size_t i = 0; i < COUNT(jail_calls) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, jail_calls[i], 0);
	for (size_t i = 0; i < COUNT(jail_ioctls) && !error; i++)
		error = jail_allow_if(filter, SCMP_SYS(ioctl), 1, UINT32_MAX, jail_ioctls[i]);
	/* Memory that can be executed is never made. */
	if (!error)
		error = jail_allow_if(filter, SCMP_SYS(mmap), 2, PROT_EXEC, 0);
	if (!error)
		error = jail_allow_if(filter, SCMP_SYS(mprotect), 2, PROT_EXEC, 0);
	return error;
}

static bool jail_filter(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int error = filter ? jail_allow(filter) : -ENOMEM;

	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	errno = -error;
	return !error;
}

static bool jail_user(unsigned user)
{
	if (geteuid() != 0)
		return true;
	return setgroups(0, NULL) == 0 && setresgid(user, user, user) == 0 &&
	       setresuid(user, user, user) == 0;
}

static bool jail_limits(void)
{
	const struct rlimit none = { 0, 0 };
	const struct rlimit locked = { LOCKED_BYTES, LOCKED_BYTES };

	/* Without rights the second stays what it is, and pools are then registered as far as it goes. */
	if (setrlimit(RLIMIT_MEMLOCK, &locked) < 0 && errno != EPERM)
		return false;
	return setrlimit(RLIMIT_CORE, &none) == 0;
}

static bool jail_fail(char *error, size_t size, const char *what)
{
	snprintf(error, size, "cannot give up %s: %s", what, strerror(errno));
	return false;
}

bool jail_enter(unsigned user, char *error, size_t size)
{
	if (!jail_limits())
		return jail_fail(error, size, "resources");
	if (!jail_user(user))
		return jail_fail(error, size, "its user");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0)
		return jail_fail(error, size, "new privileges");
	if (!jail_filter())
		return jail_fail(error, size, "system calls");
	return true;
}
