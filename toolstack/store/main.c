// SPDX-License-Identifier: BSD-2-Clause
/*
 * rfstored: the store's program. Options, start, end.
 *
 * docs/store.md describes it for its users.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain_ring.h"
#include "journal.h"
#include "server.h"
#include "upgrade.h"

#define DEFAULT_FOLDER "/run/xenstored"
#define DEFAULT_STATE  "/run/ringfence/store"

enum { EXIT_USAGE = 2, EXIT_BUSY = 4 };

struct options {
	const char *sockets[SERVER_SOCKETS];
	size_t count;
	const char *state;
	bool no_sync;
	int resume; /* a descriptor, or -1 */
};

static const char usage[] =
	"usage: rfstored [--socket PATH]... [--state FOLDER] [--no-sync]\n"
	"\n"
	"The store: small values that domains and programs read, write and watch, by xenstore's\n"
	"protocol.\n"
	"\n"
	"  --socket PATH   listen there, at most 4 times (default: $XENSTORED_PATH,\n"
	"                  $XENSTORED_RUNDIR/socket, /run/xenstored/socket)\n"
	"  --state FOLDER  journal and snapshot (default: /run/ringfence/store)\n"
	"  --no-sync       do not wait for the disk: what was acknowledged survives this\n"
	"                  program's end, not the machine's\n"
	"  --help          this text\n"
	"  --version       the version\n"
	"\n"
	"It stays in the foreground and ends on SIGTERM and SIGINT. Exit status: 0 ended by a\n"
	"signal, 1 failed, 2 usage, 4 somebody serves that socket already.\n";

static volatile sig_atomic_t stopping;

static void stop(int signal)
{
	(void)signal;
	stopping = 1;
}

static const char *default_socket(void)
{
	static char path[PATH_MAX];
	const char *folder = getenv("XENSTORED_RUNDIR");

	if (getenv("XENSTORED_PATH"))
		return getenv("XENSTORED_PATH");
	if (!folder)
		folder = DEFAULT_FOLDER;
	snprintf(path, sizeof(path), "%s/socket", folder);
	return path;
}

/* -1: go on; otherwise the exit status. */
static int parse_one(struct options *options, int option)
{
	switch (option) {
	case 's':
		if (options->count == SERVER_SOCKETS) {
			fprintf(stderr, "rfstored: at most %d sockets\n", SERVER_SOCKETS);
			return EXIT_USAGE;
		}
		options->sockets[options->count++] = optarg;
		return -1;
	case 'd':
		options->state = optarg;
		return -1;
	case 'n':
		options->no_sync = true;
		return -1;
	case 'r':
		options->resume = atoi(optarg);
		return -1;
	case 'h':
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	case 'v':
		puts("rfstored 0.1");
		return EXIT_SUCCESS;
	default:
		fputs("try `rfstored --help`\n", stderr);
		return EXIT_USAGE;
	}
}

static int parse(struct options *options, int count, char **arguments)
{
	static const struct option known[] = {
		{ "socket", required_argument, NULL, 's' },
		{ "state", required_argument, NULL, 'd' },
		{ "no-sync", no_argument, NULL, 'n' },
		{ "resume", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'v' },
		{ 0 },
	};
	int option, status;

	while ((option = getopt_long(count, arguments, "", known, NULL)) >= 0) {
		status = parse_one(options, option);
		if (status >= 0)
			return status;
	}
	if (optind < count) {
		fprintf(stderr, "rfstored: %s: no such argument\n", arguments[optind]);
		return EXIT_USAGE;
	}
	if (!options->count)
		options->sockets[options->count++] = default_socket();
	return -1;
}

/* The folders that a file is in. */
static void make_folders(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(part, 0755);
		*slash = '/';
	}
}

static int listen_all(struct server *server, const struct options *options)
{
	for (size_t i = 0; i < options->count; i++) {
		int error;

		make_folders(options->sockets[i]);
		error = server_listen(server, options->sockets[i]);
		if (error) {
			fprintf(stderr, "rfstored: %s: %s\n", options->sockets[i],
				error == EADDRINUSE ? "somebody serves it already"
						    : strerror(error));
			return error == EADDRINUSE ? EXIT_BUSY : EXIT_FAILURE;
		}
		printf("rfstored: serving %s\n", options->sockets[i]);
	}
	fflush(stdout);
	return EXIT_SUCCESS;
}

/* The store as it was, and whoever may talk to it. */
static int start(struct server *server, const struct options *options)
{
	char error[PATH_MAX];

	make_folders(options->state);
	server->store.journal = journal_open(&server->store, options->state, !options->no_sync,
					     error, sizeof(error));
	if (!server->store.journal) {
		fprintf(stderr, "rfstored: %s: %s\n", options->state, error);
		return EXIT_FAILURE;
	}
	if (options->resume < 0)
		return listen_all(server, options);
	if (upgrade_resume(server, options->resume))
		return EXIT_SUCCESS;
	fputs("rfstored: the state that the program before left makes no sense\n", stderr);
	return EXIT_FAILURE;
}

/* They are blocked but while the server waits, so that none comes between looking and waiting. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = stop };
	sigset_t blocked;

	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigaddset(&blocked, SIGINT);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* As many clients as the system allows. */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* This program's file, also when another has taken its place there since. */
static void find_program(char program[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", program, PATH_MAX - 1);

	program[length < 0 ? 0 : length] = 0;
}

/* Where there is a hypervisor; else domains are but names. */
static void serve_domains(struct server *server)
{
	static struct share share;
	int error = share_open(&share);

	if (!error)
		domain_ring_start(server, &share);
	else if (error != -ENOENT)
		fprintf(stderr, "rfstored: %s: %s; domains are not served\n", RF_CONTROL_DEVICE,
			strerror(-error));
}

static void run(struct server *server, const char *program, char **arguments)
{
	while (!stopping) {
		server_turn(server, -1);
		if (!server->upgrading)
			continue;
		server->upgrading = false;
		upgrade_execute(server,
				server->upgrade_program[0] ? server->upgrade_program : program,
				arguments);
	}
}

int main(int count, char **arguments)
{
	static struct server server;
	struct options options = { .state = DEFAULT_STATE, .resume = -1 };
	char program[PATH_MAX];
	int status = parse(&options, count, arguments);

	if (status >= 0)
		return status;
	find_program(program);
	catch_signals();
	raise_limit();
	server_init(&server);
	status = start(&server, &options);
	if (!status) {
		serve_domains(&server);
		run(&server, program, arguments);
		journal_close(server.store.journal);
	}
	return status;
}
