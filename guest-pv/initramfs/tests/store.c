// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/xen/xenbus, the store for a guest's programs: requests in one piece and in many, transactions with and without
 * conflicts, watches, what is refused, what a file that is closed or a process that is killed leaves, and events that
 * nobody reads.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "check.h"

#define DEVICE	"/dev/xen/xenbus"
#define SECONDS 20

enum {
	DIRECTORY = 1,
	READ = 2,
	WATCH = 4,
	UNWATCH = 5,
	BEGIN = 6,
	END = 7,
	WRITE = 11,
	RM = 13,
	EVENT = 15,
	ERROR = 16,
	INTRODUCE = 8,
	RESET_WATCHES = 21
};

struct message {
	uint32_t type, request, transaction, length;
	char body[4097];
};

static struct message reply;

static int open_store(void)
{
	int file = open(DEVICE, O_RDWR | O_CLOEXEC);

	check(file >= 0);
	return file;
}

static void read_bytes(int file, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		struct pollfd waiting = { .fd = file, .events = POLLIN };
		ssize_t got;

		check(poll(&waiting, 1, SECONDS * 1000) == 1);
		got = read(file, (char *)to + done, size - done);
		check(got > 0);
		done += (size_t)got;
	}
}

static void receive(int file)
{
	read_bytes(file, &reply, 16);
	check(reply.length < sizeof(reply.body));
	read_bytes(file, reply.body, reply.length);
	reply.body[reply.length] = 0;
}

/* The texts, each with a zero but for the last if it is a value. Sent in pieces of so many bytes. */
static void send_in(int file, size_t piece, uint32_t type, uint32_t transaction, const char *first,
		    const char *second, bool zero)
{
	static uint32_t number;
	struct message m = { type, ++number, transaction, 0, "" };
	size_t size = strlen(first) + 1;

	memcpy(m.body, first, size);
	if (second) {
		memcpy(m.body + size, second, strlen(second) + 1);
		size += strlen(second) + zero;
	}
	m.length = (uint32_t)size;
	for (size_t done = 0; done < size + 16;) {
		size_t more = size + 16 - done < piece ? size + 16 - done : piece;

		check(write(file, (char *)&m + done, more) == (ssize_t)more);
		done += more;
	}
}

/* What is answered is in `reply`; events that come before it are passed over. True: it is no error. */
static bool ask(int file, uint32_t type, uint32_t transaction, const char *first,
		const char *second)
{
	send_in(file, 8192, type, transaction, first, second, type != WRITE);
	do
		receive(file);
	while (reply.type == EVENT);
	check(reply.type == type || reply.type == ERROR);
	return reply.type == type;
}

static bool fails(int file, uint32_t type, uint32_t transaction, const char *first,
		  const char *second, const char *error)
{
	return !ask(file, type, transaction, first, second) && !strcmp(reply.body, error);
}

static bool has(int file, uint32_t transaction, const char *path, const char *value)
{
	return ask(file, READ, transaction, path, NULL) && !strcmp(reply.body, value);
}

static uint32_t begin(int file)
{
	check(ask(file, BEGIN, 0, "", NULL));
	return (uint32_t)atoi(reply.body);
}

static void check_requests(void)
{
	int file = open_store();
	struct stat status;

	check(stat(DEVICE, &status) == 0 && (status.st_mode & 0777) == 0600 && !status.st_uid);
	check(ask(file, READ, 0, "name", NULL) && reply.length > 0);
	check(ask(file, WRITE, 0, "data/a", "first"));
	for (size_t piece = 1; piece < 30; piece += 4) {
		send_in(file, piece, READ, 0, "data/a", NULL, true);
		receive(file);
		check(reply.type == READ && !strcmp(reply.body, "first"));
	}
	check(ask(file, DIRECTORY, 0, "data", NULL) && !memcmp(reply.body, "a", 2));
	check(fails(file, READ, 0, "data/none", NULL, "ENOENT"));
	check(fails(file, READ, 0, "/local/domain/0/x", NULL, "ENOENT") ||
	      !strcmp(reply.body, "EACCES"));
	check(fails(file, WRITE, 0, "name", "mine", "EACCES"));
	check(fails(file, INTRODUCE, 0, "9", "1", "EACCES") || !strcmp(reply.body, "EINVAL"));
	check(fails(file, 99, 0, "x", NULL, "ENOSYS") || !strcmp(reply.body, "EINVAL"));
	check(close(file) == 0);
}

static void check_long(void)
{
	const struct message m = { READ, 1, 0, 5000, "" };
	int file = open_store();

	check(write(file, &m, 16) == -1 && errno == E2BIG);
	check(has(file, 0, "data/a", "first"));
	check(close(file) == 0);
}

/* What one does is seen by others when it has ended; a conflict has it fail, and nothing is done. */
static void check_transactions(void)
{
	int file = open_store(), other = open_store();
	uint32_t t = begin(file), second;

	check(ask(file, WRITE, t, "data/a", "second"));
	check(has(file, t, "data/a", "second") && has(other, 0, "data/a", "first"));
	check(fails(other, READ, t, "data/a", NULL, "ENOENT"));
	check(ask(file, END, t, "T", NULL) && has(other, 0, "data/a", "second"));
	check(fails(file, END, t, "T", NULL, "ENOENT"));
	t = begin(file);
	check(ask(file, WRITE, t, "data/a", "third") && ask(file, END, t, "F", NULL));
	check(has(file, 0, "data/a", "second"));
	t = begin(file);
	second = begin(other);
	check(t != second && has(file, t, "data/a", "second") &&
	      has(other, second, "data/a", "second"));
	check(ask(file, WRITE, t, "data/a", "one") && ask(other, WRITE, second, "data/a", "two"));
	check(ask(other, END, second, "T", NULL));
	check(fails(file, END, t, "T", NULL, "EAGAIN") && has(file, 0, "data/a", "two"));
	check(close(file) == 0 && close(other) == 0);
}

/* There may be ten at once: those of files that were closed, or whose process was killed, do not stay. */
static void check_left(void)
{
	for (unsigned i = 0; i < 30; i++) {
		int file = open_store();
		pid_t child;

		begin(file);
		check(ask(file, WATCH, 0, "data", "token"));
		check(close(file) == 0);
		child = fork();
		if (child == 0) {
			begin(open_store());
			raise(SIGKILL);
		}
		check(child > 0 && waitpid(child, NULL, 0) == child);
		/* They are ended after their files. */
		usleep(100000);
	}
}

static bool is_event(const char *path, const char *token)
{
	return reply.type == EVENT && reply.length == strlen(path) + strlen(token) + 2 &&
	       !strcmp(reply.body, path) && !strcmp(reply.body + strlen(path) + 1, token);
}

static void check_watches(void)
{
	int file = open_store(), other = open_store();

	check(ask(file, WATCH, 0, "data/w", "token"));
	receive(file);
	check(is_event("data/w", "token"));
	check(fails(file, WATCH, 0, "data/w", "token", "EEXIST"));
	check(fails(file, WATCH, 0, "data w", "token", "EINVAL"));
	check(fails(file, UNWATCH, 0, "data/w", "other", "ENOENT"));
	check(ask(other, WRITE, 0, "data/w/x", "1"));
	receive(file);
	check(is_event("data/w/x", "token"));
	check(ask(file, UNWATCH, 0, "data/w", "token"));
	check(ask(file, WATCH, 0, "data/w", "again") && ask(file, RESET_WATCHES, 0, "", NULL));
	check(ask(other, WRITE, 0, "data/w/x", "2") && has(file, 0, "data/w/x", "2"));
	check(close(file) == 0 && close(other) == 0);
}

/* Of many events that nobody reads there is one in the end that says: look again. */
static void check_flood(void)
{
	int file = open_store(), other = open_store();
	struct pollfd waiting = { .fd = file, .events = POLLIN };
	unsigned events = 0;
	bool whole = false;

	check(ask(file, WATCH, 0, "data/f", "t"));
	for (unsigned i = 0; i < 1200; i++)
		check(ask(other, WRITE, 0, "data/f/a-name-that-is-long-so-that-events-are-also",
			  "x"));
	while (poll(&waiting, 1, 2000) == 1) {
		receive(file);
		whole = whole || (events > 1 && is_event("data/f", "t"));
		events++;
	}
	check(whole && events < 1200);
	check(close(file) == 0 && close(other) == 0);
}

int main(void)
{
	int file;

	if (access(DEVICE, F_OK))
		return SKIPPED;
	file = open_store();
	check(ask(file, RM, 0, "data/a", NULL) || !strcmp(reply.body, "ENOENT"));
	check_requests();
	check_long();
	check_transactions();
	check_left();
	check_watches();
	check_flood();
	check(ask(file, RM, 0, "data/a", NULL));
	return 0;
}
