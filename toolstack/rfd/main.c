// SPDX-License-Identifier: BSD-2-Clause
/*
 * rfd: the daemon of the control domain. Options, start, end.
 *
 * docs/rfd.md describes it for its users, docs/api.md what can be asked.
 * Odd: what it knows is on disk and in the hypervisor, nothing else; so it may be killed at any time.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/lib/daemon.h"
#include "toolstack/lib/places.h"
#include "toolstack/lib/status.h"
#include "toolstack/rfd/autostart.h"
#include "toolstack/rfd/log.h"
#include "toolstack/rfd/manual.h"
#include "toolstack/rfd/server.h"
#include "toolstack/rfd/tend.h"
#include "toolstack/rfd/watch.h"

#define LOOK_MS	     1000
#define STOP_SECONDS 3
#define LOG_SIZE_MIN (16U << 10)
#define LOG_SIZE_MAX (1U << 30)

static const char usage[] =
	"usage: rfd [OPTION]...\n"
	"\n"
	"The daemon of the control domain: sees to guests that have ended, and answers by HTTP.\n"
	"\n"
	"  --socket PATH   listen there (default: rfd.sock in the folder of state)\n"
	"  --helper NAME=PROGRAM WORD...\n"
	"                  keep this program running, as store=rfstored; at most 16 times\n"
	"  --log-size KIB  of the log of a guest's console; there are two (1024)\n"
	"  --background    go on in the background; it returns when requests are answered\n"
	"  --api           print the reference of what can be asked, and leave\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"\n"
	"The folder of state is /run/ringfence, or $RINGFENCE_STATE; that of logs is\n"
	"/var/log/ringfence, or $RINGFENCE_LOG; that of guests that are kept /var/lib/ringfence, or\n"
	"$RINGFENCE_DEFINITIONS. It ends on SIGTERM and SIGINT; guests are not touched.\n"
	"Exit status: 0 ended by a signal, 1 failed, 2 usage, 4 another one is there already.\n";

static bool parse_size(const char *word, uint64_t *size)
{
	char *end;

	unsigned long long number = strtoull(word, &end, 10);

	*size = (uint64_t)number << 10;
	if (word[0] >= '0' && word[0] <= '9' && !*end && number >= LOG_SIZE_MIN >> 10 &&
	    number <= LOG_SIZE_MAX >> 10)
		return true;
	fprintf(stderr, "rfd: --log-size %s: should be a number of KiB from %u to %u\n", word,
		LOG_SIZE_MIN >> 10, LOG_SIZE_MAX >> 10);
	return false;
}

static int add_helper(struct daemon *daemon, const char *text)
{
	struct report report = { .warnings = 0 };

	if (helper_add(&daemon->helpers, text, &report))
		return -1;
	fprintf(stderr, "rfd: %s\n", report.error);
	return STATUS_USAGE;
}

/* -1: go on; otherwise the exit status. */
static int parse_one(struct daemon *daemon, int option)
{
	struct options *options = &daemon->options;

	switch (option) {
	case 'p':
		return add_helper(daemon, optarg);
	case 's':
		options->socket = optarg;
		return -1;
	case 'b':
		options->background = true;
		return -1;
	case 'l':
		return parse_size(optarg, &options->log_size) ? -1 : STATUS_USAGE;
	case 'a':
		manual_print();
		return STATUS_OK;
	case 'h':
		fputs(usage, stdout);
		return STATUS_OK;
	case 'v':
		puts("rfd " RF_VERSION);
		return STATUS_OK;
	default:
		fputs("try `rfd --help`\n", stderr);
		return STATUS_USAGE;
	}
}

static int parse(struct daemon *daemon, int count, char **arguments)
{
	static const struct option known[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "background", no_argument, NULL, 'b' },
		{ "helper", required_argument, NULL, 'p' },
		{ "log-size", required_argument, NULL, 'l' },
		{ "api", no_argument, NULL, 'a' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int option, status;

	while ((option = getopt_long(count, arguments, "", known, NULL)) >= 0) {
		status = parse_one(daemon, option);
		if (status >= 0)
			return status;
	}
	if (optind == count)
		return -1;
	fprintf(stderr, "rfd: %s: no such argument\n", arguments[optind]);
	return STATUS_USAGE;
}

/* --- Starting --- */

/* Held until the end; the kernel gives it up if we are killed. */
static enum status be_the_only_one(struct report *report)
{
	char path[PATH_MAX];
	int file;

	daemon_lock_path(path);
	if (!places_make_state()) {
		report_fail(report, "%s: %s", places_state(), strerror(errno));
		return STATUS_FAILED;
	}
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) {
		report_fail(report, "%s: %s", path, strerror(errno));
		return STATUS_FAILED;
	}
	/* Somebody may just be looking whether we are there. */
	for (int i = 0; i < 10; i++) {
		if (!flock(file, LOCK_EX | LOCK_NB))
			return STATUS_OK;
		usleep(20000);
	}
	report_fail(report, "%s: another rfd is there already", path);
	return STATUS_BUSY;
}

/* A child goes on; the parent waits until that one is ready, and ends as it does if it is not. */
static int go_to_background(void)
{
	char status = STATUS_FAILED;
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC))
		return -1;
	child = fork();
	if (child) {
		close(ends[1]);
		if (child < 0 || read(ends[0], &status, 1) < 0)
			status = STATUS_FAILED;
		_exit(status);
	}
	close(ends[0]);
	setsid();
	return ends[1];
}

static void be_ready(int parent, enum status status)
{
	char byte = (char)status;
	int null;

	if (parent < 0)
		return;
	if (write(parent, &byte, 1) < 0)
		log_line("whoever started this is gone");
	close(parent);
	if (status != STATUS_OK)
		return;
	log_to_system();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int file = 0; file < 3; file++)
		dup2(null, file);
	close(null);
}

/* Blocked in all threads, since they are made later, and read from a file. */
static int take_signals(void)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &signals, SFD_CLOEXEC);
}

/* --- Running --- */

struct parts {
	struct supervise supervise;
	struct watch watch;
	struct tend tend;
	struct server server;
};

static time_t now_s(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

static void serve(struct server *server, int signals)
{
	struct daemon *daemon = server->daemon;
	time_t collected = now_s();

	while (!helper_wait(&daemon->helpers, signals, LOOK_MS)) {
		helper_look(daemon);
		server_look(server);
		if (now_s() - collected < METRICS_SECONDS)
			continue;
		metrics_collect(daemon);
		collected = now_s();
	}
}

static bool start(struct parts *parts, struct daemon *daemon, struct report *report)
{
	supervise_start(&parts->supervise, daemon);
	if (!watch_start(&parts->watch, daemon, &parts->supervise, report)) {
		supervise_stop(&parts->supervise);
		return false;
	}
	metrics_collect(daemon);
	if (server_start(&parts->server, daemon, report)) {
		if (tend_start(&parts->tend, daemon, report))
			return true;
		server_stop(&parts->server);
	}
	watch_stop(&parts->watch);
	supervise_stop(&parts->supervise);
	return false;
}

/* Nothing is lost: it might as well have been killed. */
static void end_now(int signal)
{
	(void)signal;
	_exit(STATUS_OK);
}

/* Those first who might wait for others; who waits for a guest to end is not waited for long. */
static void stop(struct parts *parts, struct daemon *daemon)
{
	signal(SIGALRM, end_now);
	alarm(STOP_SECONDS);
	event_close(&daemon->events);
	server_stop(&parts->server);
	watch_stop(&parts->watch);
	supervise_stop(&parts->supervise);
	tend_stop(&parts->tend);
}

static enum status run(struct daemon *daemon, int signals, int parent, struct report *report)
{
	static struct parts parts;
	enum status status = be_the_only_one(report);

	if (status != STATUS_OK)
		return status;
	event_open(&daemon->events);
	metrics_open(&daemon->metrics);
	event_add(&daemon->events, EVENT_DAEMON_STARTED, NULL, "version " RF_VERSION);
	if (!start(&parts, daemon, report))
		return STATUS_FAILED;
	helper_look(daemon);
	be_ready(parent, STATUS_OK);
	autostart_run(daemon);
	log_line("answers at %s", daemon->options.socket);
	serve(&parts.server, signals);
	stop(&parts, daemon);
	helper_close(&daemon->helpers);
	event_free(&daemon->events);
	metrics_close(&daemon->metrics);
	return STATUS_OK;
}

int main(int count, char **arguments)
{
	static struct daemon daemon = { .open = access_open };
	struct report report = { .warnings = 0 };
	char socket[PATH_MAX];
	int status, parent = -1;

	daemon_socket(socket);
	daemon.options.log_size = CONSOLE_LOG_SIZE;
	daemon.options.socket = socket;
	status = parse(&daemon, count, arguments);
	if (status >= 0)
		return status;
	if (daemon.options.background)
		parent = go_to_background();
	status = run(&daemon, take_signals(), parent, &report);
	if (status == STATUS_OK)
		return status;
	fprintf(stderr, "rfd: %s\n", report.error);
	be_ready(parent, status);
	return status;
}
