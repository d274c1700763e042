// SPDX-License-Identifier: BSD-2-Clause
/*
 * A worker is a child that opens the link and what is behind the device, jails itself, and serves until the monitor's
 * end of the socket is closed. It dies with the monitor.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "backends/common/jail.h"
#include "backends/common/worker.h"

#define WORKER_SOCKET 3

/* --- In the child --- */

bool worker_fail(char *error, size_t size, const char *what, int number)
{
	snprintf(error, size, "%s: %s", what, strerror(number));
	return false;
}

bool worker_open_loop(struct loop *loop, unsigned entries, unsigned buffers, char *error,
		      size_t size)
{
	int number = loop_open(loop, entries, buffers);

	return !number || worker_fail(error, size, "io_uring", -number);
}

bool worker_open_link(struct link **link, const struct worker_options *options, char *error,
		      size_t size)
{
	*link = options->link ? link_socket_open(options->link) : link_device_open(options->domain);
	return *link || worker_fail(error, size,
				    options->link ? options->link : "the control device", errno);
}

static void __attribute__((noreturn))
worker_run(int socket, const struct worker_class *class, const struct worker_options *options)
{
	void *served = calloc(1, class->bytes);
	char error[MESSAGE_TEXT];

	if (!served)
		_exit(1);
	if (!class->open(served, socket, options, error, sizeof(error)) ||
	    !(options->no_jail || jail_enter(options->user, error, sizeof(error)))) {
		message_tell(socket, MESSAGE_FAILED, error);
		_exit(1);
	}
	class->serve(served);
	_exit(0);
}

/*
 * The monitor may have died before the child asked to be told. Becoming another user forgets the request; from
 * then on the closed socket tells.
 */
static void worker_die_with(pid_t monitor)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != monitor)
		_exit(1);
}

/* Of what the monitor has open, the store above all, the worker gets nothing. */
static int worker_keep_only(int socket)
{
	if (dup2(socket, WORKER_SOCKET) < 0 || close_range(WORKER_SOCKET + 1, ~0U, 0) < 0)
		_exit(1);
	return WORKER_SOCKET;
}

/* --- In the monitor --- */

bool worker_start(struct worker *worker, const struct worker_class *class,
		  const struct worker_options *options)
{
	pid_t monitor = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	worker->socket = pair[0];
	worker->process = fork();
	if (worker->process == 0) {
		worker_die_with(monitor);
		worker_run(worker_keep_only(pair[1]), class, options);
	}
	close(pair[1]);
	if (worker->process > 0)
		return true;
	close(pair[0]);
	return false;
}

int worker_receive(const struct worker *worker, struct message *message, int milliseconds)
{
	struct pollfd wanted = { worker->socket, POLLIN, 0 };

	return poll(&wanted, 1, milliseconds) <= 0 ? 0 : message_receive(worker->socket, message);
}

void worker_end(struct worker *worker)
{
	if (worker->process <= 0)
		return;
	kill(worker->process, SIGKILL);
	while (waitpid(worker->process, NULL, 0) < 0 && errno == EINTR)
		continue;
	close(worker->socket);
	worker->process = 0;
}
