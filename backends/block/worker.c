// SPDX-License-Identifier: BSD-2-Clause
/*
 * A worker is a child that opens the link and the image, jails itself, and serves until the monitor's end of the
 * socket is closed. It dies with the monitor.
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

#include "backends/block/disk.h"
#include "backends/block/worker.h"
#include "backends/common/jail.h"

#define ENTRIES	      256 /* sent at once; any number may be under way */
#define WORKER_SOCKET 3

static bool worker_fail(char *error, size_t size, const char *what, int number)
{
	snprintf(error, size, "%s: %s", what, strerror(number));
	return false;
}

static bool worker_open_link(struct disk *disk, const struct worker_options *options, char *error,
			     size_t size)
{
	disk->common.link = options->link ? link_socket_open(options->link)
					  : link_device_open(options->domain);
	return disk->common.link ||
	       worker_fail(error, size, options->link ? options->link : "the control device",
			   errno);
}

static bool worker_open(struct disk *disk, int socket, const struct worker_options *options,
			char *error, size_t size)
{
	struct image *image = &disk->common.image;
	int number = loop_open(&disk->common.loop, ENTRIES, RF_BLOCK_QUEUES_MAX);

	if (number)
		return worker_fail(error, size, "io_uring", -number);
	if (!worker_open_link(disk, options, error, size))
		return false;
	image->kind = image_kind(options->format);
	image->path = options->image;
	image->read_only = options->read_only;
	if (!image->kind) {
		snprintf(error, size, "%s: no format of images", options->format);
		return false;
	}
	return disk_open(disk, socket, error, size) &&
	       (options->no_jail || jail_enter(options->user, error, size));
}

static void __attribute__((noreturn)) worker_run(int socket, const struct worker_options *options)
{
	struct disk *disk = calloc(1, sizeof(*disk));
	char error[MESSAGE_TEXT];

	if (!disk)
		_exit(1);
	disk->socket = socket;
	if (!worker_open(disk, socket, options, error, sizeof(error))) {
		disk_tell(disk, MESSAGE_FAILED, error);
		_exit(1);
	}
	while (!disk->ended)
		disk_turn(disk);
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

bool worker_start(struct worker *worker, const struct worker_options *options)
{
	pid_t monitor = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	worker->socket = pair[0];
	worker->process = fork();
	if (worker->process == 0) {
		worker_die_with(monitor);
		worker_run(worker_keep_only(pair[1]), options);
	}
	close(pair[1]);
	if (worker->process > 0)
		return true;
	close(pair[0]);
	return false;
}

void worker_send(const struct worker *worker, const struct message *message)
{
	/* A worker that is gone is noticed when it is listened to. */
	if (send(worker->socket, message, sizeof(*message), MSG_NOSIGNAL) < 0)
		return;
}

int worker_receive(const struct worker *worker, struct message *message, int milliseconds)
{
	struct pollfd wanted = { worker->socket, POLLIN, 0 };
	ssize_t length;

	if (poll(&wanted, 1, milliseconds) <= 0)
		return 0;
	length = recv(worker->socket, message, sizeof(*message), MSG_DONTWAIT);
	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length != sizeof(*message))
		return -1;
	return 1;
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
