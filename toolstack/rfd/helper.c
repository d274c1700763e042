// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of helpers.
 *
 * Interface: helper.h. Locks: the table's, taken by the first thread, which alone changes it, and by those who list.
 * Odd: beside the state of guests lies a file for each, with its process and when that began, by which the next daemon
 * knows it again: a number of a process alone may be somebody else's by then. How one ended that was taken
 * over is not known: only a parent is told.
 */
#include "toolstack/rfd/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/places.h"
#include "toolstack/rfd/daemon.h"
#include "toolstack/rfd/log.h"

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* --- The table --- */

static bool split(struct helper *helper)
{
	size_t count = 0;
	char *rest = NULL;

	for (char *word = strtok_r(helper->text, " \t", &rest); word;
	     word = strtok_r(NULL, " \t", &rest)) {
		if (count == HELPER_WORDS)
			return false;
		helper->words[count++] = word;
	}
	return count > 0;
}

bool helper_add(struct helper_table *table, const char *text, struct report *report)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0;
	struct helper *helper = &table->helpers[table->count];

	if (table->count == HELPERS)
		return report_fail(report, "--helper: at most %d of them", HELPERS);
	if (!length || length >= HELPER_NAME ||
	    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") != length)
		return report_fail(report,
				   "--helper %s: should be NAME=PROGRAM WORD..., with a name of "
				   "small letters, digits and dashes",
				   text);
	*helper = (struct helper){ .file = -1, .text = strdup(equals + 1) };
	memcpy(helper->name, text, length);
	if (!helper->text || !split(helper)) {
		free(helper->text);
		return report_fail(report, "--helper %s: no program, or more than %d words", text,
				   HELPER_WORDS);
	}
	table->count++;
	return true;
}

void helper_close(struct helper_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		if (table->helpers[i].file >= 0)
			close(table->helpers[i].file);
		free(table->helpers[i].text);
	}
}

/* --- Which process it is --- */

static void record_path(const struct helper *helper, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%s.helper", places_state(), helper->name);
}

/* When a process began, in the system's ticks; 0: there is none. */
static unsigned long long beginning(pid_t process)
{
	unsigned long long start = 0;
	char path[64], text[1024];
	const char *rest;
	ssize_t got;
	int file;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)process);
	file = open(path, O_RDONLY | O_CLOEXEC);
	got = file >= 0 ? read(file, text, sizeof(text) - 1) : 0;
	if (file >= 0)
		close(file);
	text[got > 0 ? got : 0] = 0;
	/* Its name is in brackets, and may have blanks and brackets. */
	rest = strrchr(text, ')');
	if (rest)
		sscanf(rest + 1, " %*c%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%*s%llu",
		       &start);
	return start;
}

static void write_record(const struct helper *helper)
{
	char path[PATH_MAX], new[PATH_MAX + 8];
	FILE *file;
	bool good;

	record_path(helper, path);
	snprintf(new, sizeof(new), "%s.new", path);
	file = fopen(new, "we");
	good = file &&
	       fprintf(file, "%d %llu\n", (int)helper->process, beginning(helper->process)) > 0;
	good = file && !fclose(file) && good;
	if (!good || rename(new, path))
		log_line("%s: %s", path, strerror(errno));
}

/* One that an earlier daemon started. */
static void take_over(struct helper *helper)
{
	unsigned long long start = 0;
	char path[PATH_MAX];
	int process = 0;
	FILE *file;

	record_path(helper, path);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fscanf(file, "%d %llu", &process, &start) == 2 && process > 0 && start)
		helper->file = (int)syscall(SYS_pidfd_open, process, 0);
	fclose(file);
	/* The file is of whoever has the number now, and stays so. */
	if (helper->file >= 0 && beginning((pid_t)process) != start) {
		close(helper->file);
		helper->file = -1;
	}
	helper->process = process;
	helper->since = helper->file >= 0 ? now_ms() : 0;
}

/* --- Starting --- */

static void set_files(posix_spawn_file_actions_t *actions, bool background)
{
	posix_spawn_file_actions_init(actions);
	posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
	if (!background)
		return;
	posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
}

/* What is blocked and ignored here is not to be there. */
static void set_signals(posix_spawnattr_t *attributes)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawnattr_init(attributes);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &usual);
	posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
						     POSIX_SPAWN_SETSIGDEF);
}

static int spawn(struct helper *helper, bool background)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int error;

	set_files(&actions, background);
	set_signals(&attributes);
	error = posix_spawnp(&helper->process, helper->words[0], &actions, &attributes,
			     helper->words, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	return error;
}

static void put_off(struct daemon *daemon, struct helper *helper, uint64_t lived_ms)
{
	int64_t delay = helper_delay(helper, lived_ms);

	helper->due = delay < 0 ? UINT64_MAX : now_ms() + (uint64_t)delay;
	if (delay >= 0)
		return;
	log_line("%s: has not lasted %d times; is left", helper->name, HELPER_TRIES);
	event_add(&daemon->events, EVENT_FAILED, NULL, "%s: is not started any more", helper->name);
}

static void start(struct daemon *daemon, struct helper *helper)
{
	int error = spawn(helper, daemon->options.background);

	helper->since = now_ms();
	helper->starts++;
	if (error) {
		log_line("%s: %s: %s", helper->name, helper->words[0], strerror(error));
		put_off(daemon, helper, 0);
		return;
	}
	helper->file = (int)syscall(SYS_pidfd_open, helper->process, 0);
	/* Without a descriptor nobody would see its end. */
	if (helper->file < 0) {
		log_line("%s: %s", helper->name, strerror(errno));
		kill(helper->process, SIGTERM);
		put_off(daemon, helper, 0);
		return;
	}
	write_record(helper);
	log_line("%s: started, process %d", helper->name, (int)helper->process);
	event_add(&daemon->events, EVENT_HELPER_STARTED, NULL, "%s", helper->name);
}

/* --- Ending --- */

int64_t helper_delay(struct helper *helper, uint64_t lived_ms)
{
	uint64_t seconds;

	if (lived_ms >= HELPER_QUICK_MS) {
		helper->quick = 0;
		return 0;
	}
	if (++helper->quick >= HELPER_TRIES)
		return -1;
	/* At once, then after 1, 2, 4 ... seconds. */
	seconds = helper->quick < 6 ? (1ULL << (helper->quick - 1)) / 2 : HELPER_WAIT_MAX;
	return (int64_t)seconds * 1000;
}

static void describe(const siginfo_t *info, char *text, size_t size)
{
	if (!info->si_pid)
		snprintf(text, size, "nobody knows how");
	else if (info->si_code == CLD_EXITED)
		snprintf(text, size, "status %d", info->si_status);
	else
		snprintf(text, size, "signal %d", info->si_status);
}

static bool has_ended(const struct helper *helper)
{
	struct pollfd file = { .fd = helper->file, .events = POLLIN };

	return poll(&file, 1, 0) > 0;
}

static void bury(struct daemon *daemon, struct helper *helper)
{
	siginfo_t info = { .si_pid = 0 };
	char how[32];

	waitid(P_PIDFD, (id_t)helper->file, &info, WEXITED | WNOHANG);
	close(helper->file);
	helper->file = -1;
	describe(&info, how, sizeof(how));
	log_line("%s: has ended: %s", helper->name, how);
	event_add(&daemon->events, EVENT_HELPER_ENDED, NULL, "%s: %s", helper->name, how);
	put_off(daemon, helper, now_ms() - helper->since);
}

static void look_at(struct daemon *daemon, struct helper *helper)
{
	if (helper->file < 0 && !helper->since)
		take_over(helper);
	if (helper->file >= 0 && has_ended(helper))
		bury(daemon, helper);
	if (helper->file < 0 && helper->due <= now_ms())
		start(daemon, helper);
}

void helper_look(struct daemon *daemon)
{
	struct helper_table *table = &daemon->helpers;

	for (size_t i = 0; i < table->count; i++) {
		pthread_mutex_lock(&table->lock);
		look_at(daemon, &table->helpers[i]);
		pthread_mutex_unlock(&table->lock);
	}
}

static json_t *describe_helper(const struct helper *helper)
{
	json_t *row = json_pack("{s:s, s:b, s:I}", "name", helper->name, "running",
				helper->file >= 0, "starts", (json_int_t)helper->starts);

	if (helper->file >= 0)
		json_object_set_new(row, "process", json_integer(helper->process));
	return row;
}

void helper_list(struct helper_table *table, json_t *list)
{
	for (size_t i = 0; i < table->count; i++) {
		pthread_mutex_lock(&table->lock);
		json_array_append_new(list, describe_helper(&table->helpers[i]));
		pthread_mutex_unlock(&table->lock);
	}
}

bool helper_wait(struct helper_table *table, int other, unsigned milliseconds)
{
	struct pollfd files[HELPERS + 1] = { { .fd = other, .events = POLLIN } };

	for (size_t i = 0; i < table->count; i++)
		files[i + 1] = (struct pollfd){ table->helpers[i].file, POLLIN, 0 };
	return poll(files, (nfds_t)table->count + 1, (int)milliseconds) > 0 && files[0].revents;
}
