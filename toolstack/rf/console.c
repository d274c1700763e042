// SPDX-License-Identifier: BSD-2-Clause
/*
 * Shows what a domain prints and passes on what is typed.
 *
 * Interface: console.h. Locks: none. Several may look at one domain; what is typed at any of them arrives.
 * Odd: the terminal is put back by whatever way the program ends, but for SIGKILL.
 */
#include "toolstack/rf/console.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "abi/console.h"
#include "toolstack/lib/domain.h"
#include "toolstack/rf/output.h"

#define RETRY_MS  20
#define LOOK_MS	  500
#define READ_SIZE 4096

struct session {
	struct target *target;
	uint64_t position;
	char typed[RF_TRIGGER_INPUT_MAX]; /* and not taken yet */
	size_t waiting;
	bool input; /* there may be more of it */
	bool end;
	bool fails; /* the output */
};

static struct termios saved;
static volatile sig_atomic_t stopped;

static void stop(int number)
{
	stopped = number;
}

/* --- The terminal --- */

static bool make_raw(void)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &saved))
		return false;
	raw = saved;
	cfmakeraw(&raw);
	/* A line's end is still one for what the domain prints. */
	raw.c_oflag = saved.c_oflag;
	return !tcsetattr(STDIN_FILENO, TCSANOW, &raw);
}

static void catch_signals(void)
{
	struct sigaction action = { .sa_handler = stop };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}

static bool write_all(const char *text, size_t size)
{
	while (size) {
		ssize_t done = write(STDOUT_FILENO, text, size);

		if (done < 0 && errno == EINTR && !stopped)
			continue;
		if (done <= 0)
			return false;
		text += done;
		size -= (size_t)done;
	}
	return true;
}

/* --- Both ways --- */

/*
 * Some of what has been printed since; 0: nothing; a negative error. Not all of it: a domain that prints
 * without end must not keep the escape from being seen.
 */
static int64_t show(struct session *s)
{
	uint32_t number = s->target->info.domain;
	char text[READ_SIZE];
	int64_t got;

	memset(text, 0, sizeof(text));
	got = domain_read(&s->target->access, number, text, sizeof(text), &s->position);
	s->fails = got > 0 && !write_all(text, (size_t)got);
	return got;
}

/* Up to the escape, which ends the session. */
static void take_typed(struct session *s, size_t got)
{
	char *start = s->typed + s->waiting, *escape = memchr(start, CONSOLE_ESCAPE, got);

	s->end = escape && isatty(STDIN_FILENO);
	s->waiting += s->end ? (size_t)(escape - start) : got;
}

static void read_typed(struct session *s)
{
	ssize_t got = read(STDIN_FILENO, s->typed + s->waiting, sizeof(s->typed) - s->waiting);

	if (got > 0)
		take_typed(s, (size_t)got);
	else if (got == 0 || errno != EINTR)
		s->input = false;
}

/* As much as the domain has room for. */
static int64_t pass_typed(struct session *s)
{
	int64_t done;

	if (!s->waiting)
		return 0;
	done = domain_type(&s->target->access, s->target->info.domain, s->typed, s->waiting);
	if (done <= 0)
		return done;
	s->waiting -= (size_t)done;
	memmove(s->typed, s->typed + done, s->waiting);
	return done;
}

/* What is typed and finds no room is tried again soon. */
static void wait_for_more(struct session *s, bool printed)
{
	bool room = s->input && s->waiting < sizeof(s->typed);
	unsigned time = s->waiting ? RETRY_MS : LOOK_MS;

	if (access_wait(&s->target->access, room ? STDIN_FILENO : -1, printed ? 0 : time))
		read_typed(s);
}

/* Nothing more comes from one that has ended. */
static bool has_ended(struct session *s)
{
	struct rf_domain_info now;

	if (domain_get(&s->target->access, s->target->info.domain, &now) ||
	    now.serial != s->target->info.serial)
		return true;
	if (domain_ended(&now) || now.state == RF_DOMAIN_DYING)
		s->target->info = now;
	return domain_ended(&now) || now.state == RF_DOMAIN_DYING;
}

/* A negative error. One that has ended takes nothing any more, which is no error. */
static int64_t run(struct session *s)
{
	int64_t result = 0;
	bool ended = false;

	while ((!ended || result > 0) && !s->end && !stopped && !s->fails && result >= 0) {
		ended = has_ended(s);
		result = show(s);
		if (!ended && result >= 0) {
			pass_typed(s);
			wait_for_more(s, result > 0);
		}
	}
	pass_typed(s);
	return ended && result == -ESRCH ? 0 : result;
}

enum status console_attach(const struct command *command, struct target *target)
{
	struct session s = { .target = target, .input = true };
	bool raw = make_raw();
	int64_t result;

	catch_signals();
	if (raw)
		fprintf(stderr, "(Ctrl-] leaves)\r\n");
	fflush(stdout);
	result = run(&s);
	if (raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	if (result < 0)
		return target_fail(command, target, "its console cannot be read", result);
	if (domain_ended(&target->info))
		fprintf(stderr, "\nrf console: %s: %s\n", target->info.name,
			domain_state(&target->info));
	else if (raw)
		fprintf(stderr, "\n");
	return STATUS_OK;
}

/* --- Only what is there --- */

enum status console_print(const struct command *command, struct target *target, uint32_t domain)
{
	/* A domain may print faster than this reads; the hypervisor's log has no end that is known. */
	uint64_t end = domain == RF_DOMAIN_HYPERVISOR ? UINT64_MAX : target->info.console_bytes;
	char text[READ_SIZE];
	uint64_t position = 0;
	int64_t got;

	memset(text, 0, sizeof(text));
	fflush(stdout);
	do {
		got = domain_read(&target->access, domain, text, sizeof(text), &position);
		if (got > 0 && !write_all(text, (size_t)got))
			return command_fail(command, STATUS_FAILED, "output: %s", strerror(errno));
	} while (got > 0 && position < end);
	if (got < 0)
		return command_fail(command, STATUS_FAILED, "cannot be read: %s",
				    strerror((int)-got));
	return STATUS_OK;
}
