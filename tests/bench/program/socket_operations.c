// SPDX-License-Identifier: BSD-2-Clause
/* A byte to another process and back, by sockets. */
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"

#define PORT 4242

static int our_end, their_end;
static pid_t child;

static void echo(void)
{
	char byte;

	close(our_end);
	while (read(their_end, &byte, 1) == 1)
		operation_check(write(their_end, &byte, 1) == 1, "echo");
	_exit(0);
}

static void start_echo(void)
{
	child = fork();
	operation_check(child >= 0, "fork");
	if (child == 0)
		echo();
	close(their_end);
}

static void connect_unix(void)
{
	int ends[2];

	operation_check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
	our_end = ends[0];
	their_end = ends[1];
	start_echo();
}

static void raise_loopback(int socket)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	operation_check(ioctl(socket, SIOCSIFFLAGS, &request) == 0, "the loopback interface");
}

static void send_at_once(int socket)
{
	int yes = 1;

	operation_check(setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) == 0,
			"TCP_NODELAY");
}

static void connect_tcp(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(PORT),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;

	operation_check(listener >= 0, "a TCP socket");
	raise_loopback(listener);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	operation_check(bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
				listen(listener, 1) == 0,
			"listen");
	our_end = socket(AF_INET, SOCK_STREAM, 0);
	operation_check(connect(our_end, (struct sockaddr *)&address, sizeof(address)) == 0,
			"connect");
	their_end = accept(listener, NULL, NULL);
	operation_check(their_end >= 0, "accept");
	close(listener);
	send_at_once(our_end);
	send_at_once(their_end);
	start_echo();
}

static void perform_echo(uint64_t iterations)
{
	char byte = 0;

	while (iterations--)
		operation_check(write(our_end, &byte, 1) == 1 && read(our_end, &byte, 1) == 1,
				"a byte and back");
}

static void end_echo(void)
{
	close(our_end);
	waitpid(child, NULL, 0);
}

const struct operation socket_operations[] = {
	{ "unix-socket", 1000, connect_unix, perform_echo, end_echo, NULL },
	{ "tcp", 500, connect_tcp, perform_echo, end_echo, NULL },
	{},
};
