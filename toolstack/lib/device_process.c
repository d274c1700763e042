// SPDX-License-Identifier: BSD-2-Clause
/*
 * The processes of back ends. A monitor lives on its own, with its log for standard error.
 *
 * Interface: device_process.h.
 * Locks: the log is locked for as long as the monitor has it, so there is one of each, and whoever wants to know
 * whether it runs tries the lock.
 */
#include "toolstack/lib/device_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/places.h"

#define LOOK_NS 10000000
#define LOOKS	500

/* --- The log --- */

/* Negative: it is locked, or cannot be. */
static int lock_log(const struct device_folders *f)
{
	char path[PATH_MAX];
	int log;

	snprintf(path, sizeof(path), "%s/%s-%u-%u.log", places_state(), f->class->name, f->domain,
		 f->id);
	log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log >= 0 && flock(log, LOCK_EX | LOCK_NB)) {
		close(log);
		return -1;
	}
	return log;
}

/* --- Starting --- */

/* Beside this program, or wherever programs are. */
static void execute(const struct device_folders *f)
{
	char path[PATH_MAX], domain[16], id[16];
	const char *program = f->class->program;
	ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	snprintf(domain, sizeof(domain), "%u", f->domain);
	snprintf(id, sizeof(id), "%u", f->id);
	path[length > 0 ? length : 0] = 0;
	slash = strrchr(path, '/');
	if (slash && (size_t)(slash - path) + strlen(program) + 2 < sizeof(path)) {
		strcpy(slash + 1, program);
		execl(path, program, domain, id, NULL);
	}
	execlp(program, program, domain, id, NULL);
}

static void redirect(int log)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(nothing, 0);
	dup2(nothing, 1);
	dup2(log, 2);
}

static void __attribute__((noreturn)) become(const struct device_folders *f, int log)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (fork() != 0)
		_exit(0);
	setsid();
	redirect(log);
	execute(f);
	_exit(127);
}

/* A child of nobody's: its parent ends at once. */
static bool start(const struct device_folders *f, int log, struct report *report)
{
	pid_t child;

	if (ftruncate(log, 0))
		return report_fail(report, "%s: its log: %s", f->class->program, strerror(errno));
	child = fork();
	if (child < 0)
		return report_fail(report, "%s: cannot be started: %s", f->class->program,
				   strerror(errno));
	if (child == 0)
		become(f, log);
	waitpid(child, NULL, 0);
	return true;
}

/* One of that name that is to end may not have ended yet. */
static int wait_for_log(const struct device_folders *f)
{
	const struct timespec time = { .tv_nsec = LOOK_NS };
	int log = -1;

	places_make_state();
	for (unsigned i = 0; i < LOOKS && log < 0; i++) {
		log = lock_log(f);
		if (log < 0)
			nanosleep(&time, NULL);
	}
	return log;
}

bool device_process_start(const struct device_folders *f, struct report *report)
{
	int log = wait_for_log(f);
	bool good;

	if (log < 0)
		return report_fail(report, "%s %u/%u: runs already, or has no log",
				   f->class->program, f->domain, f->id);
	good = start(f, log, report);
	close(log);
	return good;
}

/* --- Ending --- */

void device_process_wait(const struct device_folders *f)
{
	int log = wait_for_log(f);

	if (log >= 0)
		close(log);
}

/* --- Looking --- */

static bool runs(const struct device_folders *f)
{
	int log = lock_log(f);

	if (log >= 0)
		close(log);
	return log < 0;
}

static bool is_to_be(struct rfstore *store, const struct device_folders *f)
{
	unsigned state = device_state(store, f->back);
	char path[DEVICE_PATH + 8], *online;
	size_t length;
	bool good;

	snprintf(path, sizeof(path), "%s/online", f->back);
	if (state < DEVICE_WAITING || state >= DEVICE_CLOSED ||
	    rfstore_read(store, RFSTORE_NONE, path, &online, &length))
		return false;
	good = !strcmp(online, "1");
	free(online);
	return good;
}

struct visiting {
	struct rfstore *store;
	device_visit *visit;
	void *argument;
};

static void visit_one(void *argument, const struct device_folders *f)
{
	const struct visiting *v = argument;

	if (is_to_be(v->store, f))
		v->visit(v->argument, f, runs(f));
}

void device_process_visit(struct rfstore *store, const struct device_class *class,
			  device_visit *visit, void *argument)
{
	struct visiting visiting = { store, visit, argument };

	device_each_of_all(store, class, visit_one, &visiting);
}
