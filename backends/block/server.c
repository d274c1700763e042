// SPDX-License-Identifier: BSD-2-Clause
/*
 * The jail of an image's server (server.h): a file system that can only be read, but for the image; a /dev with nothing
 * in it; namespaces with nobody else; the image's owner as user; no capabilities; and without the system calls
 * that reach others.
 *
 * Odd: what may not be called is listed, not what may, as QEMU does it for itself: its programs call what their
 * libraries like. And without root's rights only the system calls are limited: whoever has none has none to give up.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "backends/block/server.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define NAMESPACES   (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)
#define DEVICES	     "/dev"
#define MODE_PATH    0755

static const int server_forbidden[] = {
	/* Others on this machine, and elsewhere. */
	SCMP_SYS(socket), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(kill), SCMP_SYS(tkill),
	SCMP_SYS(tgkill), SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo),
	SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_send_signal), SCMP_SYS(pidfd_getfd), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev), SCMP_SYS(process_madvise),
	SCMP_SYS(kcmp),
	/* Another view of files. */
	SCMP_SYS(mount), SCMP_SYS(umount2), SCMP_SYS(pivot_root), SCMP_SYS(chroot),
	SCMP_SYS(move_mount), SCMP_SYS(open_tree), SCMP_SYS(fsopen), SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount), SCMP_SYS(fspick), SCMP_SYS(mount_setattr), SCMP_SYS(unshare),
	SCMP_SYS(setns), SCMP_SYS(name_to_handle_at), SCMP_SYS(open_by_handle_at),
	/* Large parts of the kernel that no server needs. */
	SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(io_uring_setup), SCMP_SYS(userfaultfd),
	SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(personality),
	SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
	SCMP_SYS(swapoff), SCMP_SYS(acct), SCMP_SYS(quotactl)
};

static bool server_fail(const char *what)
{
	fprintf(stderr, "rf-block: cannot give up %s: %s\n", what, strerror(errno));
	return false;
}

/* --- Files --- */

static bool server_set(const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
	struct mount_attr attributes = { .attr_set = set, .attr_clr = clear };

	return mount_setattr(AT_FDCWD, path, flags, &attributes, sizeof(attributes)) == 0;
}

/* The folders on the way to a file, and the file, empty. */
static bool server_make_path(const char *path)
{
	char part[PATH_MAX];
	int file;

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		if (mkdir(part, MODE_PATH) < 0 && errno != EEXIST)
			return false;
	}
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0);
	return file >= 0 && close(file) == 0;
}

/* What was opened before devices were hidden is put where it was. */
static bool server_show(int file, const char *path)
{
	char from[64];

	snprintf(from, sizeof(from), "/proc/self/fd/%d", file);
	if (strncmp(path, DEVICES "/", sizeof(DEVICES)) == 0 && !server_make_path(path))
		return false;
	return mount(from, path, NULL, MS_BIND, NULL) == 0;
}

/* Files that were opened in another namespace cannot be put into this one. */
static bool server_hide_devices(const char *image)
{
	int file = open(image, O_PATH | O_CLOEXEC);
	int nothing = open(DEVICES "/null", O_PATH | O_CLOEXEC);

	return file >= 0 && nothing >= 0 &&
	       mount("none", DEVICES, "tmpfs", 0, "size=64k,mode=755") == 0 &&
	       server_show(nothing, DEVICES "/null") && server_show(file, image);
}

static bool server_files(const char *image, bool writes)
{
	return unshare(NAMESPACES) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
	       server_hide_devices(image) &&
	       server_set("/", AT_RECURSIVE, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0) &&
	       (!writes || server_set(image, 0, 0, MOUNT_ATTR_RDONLY));
}

/* --- Rights --- */

/* Who owns the image needs no capability to use it. */
static bool server_user(const char *image)
{
	struct stat status;

	return stat(image, &status) == 0 && setgroups(0, NULL) == 0 &&
	       setresgid(status.st_gid, status.st_gid, status.st_gid) == 0 &&
	       setresuid(status.st_uid, status.st_uid, status.st_uid) == 0;
}

static bool server_capabilities(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return syscall(SYS_capset, &header, none) == 0;
}

/* While it may: that executing gives nothing back. */
static bool server_bounds(void)
{
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0)
			return false;
	}
	return prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0) == 0;
}

static bool server_rights(const char *image, bool writes)
{
	if (!server_files(image, writes))
		return server_fail("files");
	if (!server_bounds() || !server_user(image) || !server_capabilities())
		return server_fail("rights");
	return true;
}

/* --- System calls --- */

static int server_rules(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp space = { 0, SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER };
	int error = 0;

	for (size_t i = 0; i < COUNT(server_forbidden) && !error; i++)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), server_forbidden[i], 0);
	/* Its flags are in memory. The library takes the older call when this one is not there. */
	if (!error)
		error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	if (!error)
		error = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					       &space);
	return error;
}

static bool server_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int error = filter ? server_rules(filter) : -ENOMEM;

	if (!error)
		error = seccomp_load(filter);
	seccomp_release(filter);
	errno = -error;
	return !error || server_fail("system calls");
}

static bool server_jail(const char *image, bool writes)
{
	const struct rlimit none = { 0, 0 };

	if (geteuid() == 0 && !server_rights(image, writes))
		return false;
	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return server_fail("new rights");
	return server_calls();
}

int server_run(char **words)
{
	if (!words[0] || !words[1] || !words[2])
		return 2;
	if (!server_jail(words[0], words[1][0] == 'w'))
		return 1;
	execvp(words[2], words + 2);
	fprintf(stderr, "rf-block: %s: %s\n", words[2], strerror(errno));
	return 1;
}
