// SPDX-License-Identifier: BSD-2-Clause
/*
 * One byte by TCP, and one back, again and again.
 *
 *   latency serve PORT               answers whoever connects, one after another, for ever
 *   latency ask ADDRESS PORT COUNT   prints "COUNT TRIPS-PER-SECOND"
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int make_socket(void)
{
	int file = socket(AF_INET, SOCK_STREAM, 0);

	if (file < 0)
		err(1, "socket");
	return file;
}

static void send_at_once(int file)
{
	int yes = 1;

	if (setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes)) < 0)
		err(1, "TCP_NODELAY");
}

static void answer(int file)
{
	char byte;

	send_at_once(file);
	while (read(file, &byte, 1) == 1 && write(file, &byte, 1) == 1)
		;
	close(file);
}

static int serve(const struct sockaddr_in *address)
{
	int file = make_socket(), yes = 1;

	setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(file, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    listen(file, 1) < 0)
		err(1, "listen");
	for (;;) {
		int asker = accept(file, NULL, NULL);

		if (asker >= 0)
			answer(asker);
	}
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int ask(const struct sockaddr_in *address, unsigned int count)
{
	int file = make_socket();
	double start;
	char byte = 0;

	if (connect(file, (const struct sockaddr *)address, sizeof(*address)) < 0)
		err(1, "connect");
	send_at_once(file);
	start = now();
	for (unsigned int i = 0; i < count; i++)
		if (write(file, &byte, 1) != 1 || read(file, &byte, 1) != 1)
			err(1, "trip %u", i);
	printf("%u %.1f\n", count, count / (now() - start));
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };

	if (argc == 3 && strcmp(argv[1], "serve") == 0) {
		address.sin_port = htons((unsigned short)atoi(argv[2]));
		return serve(&address);
	}
	if (argc == 5 && strcmp(argv[1], "ask") == 0 &&
	    inet_pton(AF_INET, argv[2], &address.sin_addr) == 1 && atoi(argv[4]) > 0) {
		address.sin_port = htons((unsigned short)atoi(argv[3]));
		return ask(&address, (unsigned int)atoi(argv[4]));
	}
	fprintf(stderr, "usage: latency serve PORT | latency ask ADDRESS PORT COUNT\n");
	return 64;
}
