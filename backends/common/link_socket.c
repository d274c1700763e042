// SPDX-License-Identifier: BSD-2-Clause
/*
 * A link to another program on the same machine, for tests and measurements: grants are files in memory, ports pairs of
 * eventfds, and a socket hands them out. The lock keeps a question and its answer together.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/common/link.h"
#include "backends/common/link_socket.h"

struct link_socket {
	struct link link;
	pthread_mutex_t lock;
	int socket;
};

static struct link_socket *link_socket_of(struct link *link)
{
	return (struct link_socket *)link;
}

/* So many descriptors came with a message; others than those that are wanted are closed. */
static int link_socket_files(struct msghdr *message, int *files, unsigned wanted)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	unsigned count = 0;

	if (header && header->cmsg_type == SCM_RIGHTS) {
		count = (unsigned)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(files, CMSG_DATA(header), count * sizeof(int));
	}
	if (count == wanted)
		return 0;
	for (unsigned i = 0; i < count; i++)
		close(files[i]);
	return -EPROTO;
}

static int link_socket_receive(struct link_socket *link, struct link_socket_answer *answer,
			       int *files, unsigned wanted)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(LINK_SOCKET_FILES_MAX * sizeof(int))];
	} control;
	struct iovec piece = { answer, sizeof(*answer) };
	struct msghdr message = { .msg_iov = &piece,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control) };

	if (recvmsg(link->socket, &message, MSG_CMSG_CLOEXEC) != (ssize_t)sizeof(*answer))
		return -EPIPE;
	return link_socket_files(&message, files, answer->error ? 0 : wanted) ?: -answer->error;
}

static int link_socket_ask(struct link *link, uint32_t kind, uint32_t number,
			   struct link_socket_answer *answer, int *files, unsigned wanted)
{
	struct link_socket *this = link_socket_of(link);
	struct link_socket_question question = { kind, number };
	int error = -EPIPE;

	pthread_mutex_lock(&this->lock);
	if (send(this->socket, &question, sizeof(question), MSG_NOSIGNAL) == sizeof(question))
		error = link_socket_receive(this, answer, files, wanted);
	pthread_mutex_unlock(&this->lock);
	return error;
}

static int link_socket_map(struct link *link, struct link_memory *memory)
{
	struct link_socket_answer answer;
	int file[LINK_SOCKET_FILES_MAX];
	int error = link_socket_ask(link, LINK_SOCKET_MAP, memory->grant, &answer, file, 1);

	if (error)
		return error;
	if ((uint64_t)memory->first + memory->frames > answer.frames) {
		close(file[0]);
		return -ERANGE;
	}
	memory->address = mmap(NULL, (size_t)memory->frames * LINK_FRAME,
			       memory->read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED,
			       file[0], (off_t)memory->first * LINK_FRAME);
	error = memory->address == MAP_FAILED ? -errno : 0;
	close(file[0]);
	return error;
}

static void link_socket_unmap(struct link *link, struct link_memory *memory)
{
	(void)link;
	munmap(memory->address, (size_t)memory->frames * LINK_FRAME);
}

static int link_socket_connect(struct link *link, struct link_port *port)
{
	struct link_socket_answer answer;
	int file[LINK_SOCKET_FILES_MAX];
	int error = link_socket_ask(link, LINK_SOCKET_CONNECT, port->port, &answer, file, 2);

	if (error)
		return error;
	port->file = file[0];
	port->other = file[1];
	return 0;
}

static void link_socket_disconnect(struct link *link, struct link_port *port)
{
	(void)link;
	close(port->file);
	close(port->other);
}

static void link_socket_send(struct link *link, const struct link_port *port)
{
	uint64_t one = 1;

	(void)link;
	/* A counter that is full says enough. */
	if (write(port->other, &one, sizeof(one)) < 0)
		return;
}

static void link_socket_close(struct link *link)
{
	close(link_socket_of(link)->socket);
	free(link);
}

static const struct link_methods link_socket_methods = {
	link_socket_map,	link_socket_unmap, link_socket_connect,
	link_socket_disconnect, link_socket_send,  link_socket_close,
};

static int link_socket_dial(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int file;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(address.sun_path, path);
	file = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (file < 0 || connect(file, (struct sockaddr *)&address, sizeof(address)) == 0)
		return file;
	close(file);
	return -1;
}

struct link *link_socket_open(const char *path)
{
	struct link_socket *link;
	int file = link_socket_dial(path);

	if (file < 0)
		return NULL;
	link = calloc(1, sizeof(*link));
	if (!link) {
		close(file);
		return NULL;
	}
	link->link = (struct link){ &link_socket_methods, true };
	link->socket = file;
	pthread_mutex_init(&link->lock, NULL);
	return &link->link;
}
