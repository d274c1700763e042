// SPDX-License-Identifier: BSD-2-Clause
/*
 * Runs a store for all its clients.
 *
 * Interface: server_init, server_free, server_listen, server_add_socket, server_add_connection,
 * server_poll_connection, server_add_extra, server_turn.
 * Locks: none, there is one thread.
 * What is odd: a turn answers at most one message of each client, so nobody is served at another's expense; then the
 * journal goes to the disk once for all of them; only then does any reply leave. Clients without work cost nothing.
 */
#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "memory.h"

#define EVENTS	   64
#define BACKLOG	   64
#define PAUSE_LOOK 10  /* milliseconds between looks at clients that are made to wait */
#define DEAF_LOOK  100 /* and at new clients, when there was no room for one */

static uint64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int upgrade(struct store *store, const char *program)
{
	struct server *server = (struct server *)store;

	if (program && strlen(program) >= sizeof(server->upgrade_program))
		return E2BIG;
	if (program && access(program, X_OK) < 0)
		return errno == ENOENT ? ENOENT : EACCES;
	if (program)
		strcpy(server->upgrade_program, program);
	server->upgrading = true;
	return 0;
}

void server_init(struct server *server)
{
	memset(server, 0, sizeof(*server));
	store_init(&server->store);
	server->store.upgrade = upgrade;
	server->store.now = clock_now();
	server->poll = epoll_create1(EPOLL_CLOEXEC);
	server->wait = -1;
	TAILQ_INIT(&server->connections);
	TAILQ_INIT(&server->active);
}

static void poll_file(const struct server *server, int action, int file, uint32_t events,
		      void *data)
{
	struct epoll_event event = { .events = events, .data.ptr = data };

	epoll_ctl(server->poll, action, file, &event);
}

void server_add_socket(struct server *server, int socket)
{
	int *listening = &server->listening[server->sockets++];

	*listening = socket;
	poll_file(server, EPOLL_CTL_ADD, socket, EPOLLIN, listening);
}

static bool is_served(const struct sockaddr_un *address)
{
	int try = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool served = connect(try, (const struct sockaddr *)address, sizeof(*address)) == 0;

	close(try);
	return served;
}

int server_listen(struct server *server, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int file, error;

	if (server->sockets == SERVER_SOCKETS || strlen(path) >= sizeof(address.sun_path))
		return E2BIG;
	strcpy(address.sun_path, path);
	if (is_served(&address))
		return EADDRINUSE;
	unlink(path);
	file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mask = umask(0177);
	error = bind(file, (struct sockaddr *)&address, sizeof(address)) < 0 ||
				listen(file, BACKLOG) < 0
			? errno
			: 0;
	umask(mask);
	if (error)
		close(file);
	else
		server_add_socket(server, file);
	return error;
}

static struct server *server_of(struct session *session)
{
	return (struct server *)session->store;
}

static void activate(struct server *server, struct connection *connection)
{
	if (connection->active)
		return;
	connection->active = true;
	TAILQ_INSERT_TAIL(&server->active, connection, in_active);
}

static void session_woken(struct session *session)
{
	activate(server_of(session), (struct connection *)session);
}

static void session_ended(struct session *session)
{
	struct connection *connection = (struct connection *)session;

	connection->ended = true;
	activate(server_of(session), connection);
}

struct connection *server_add_connection(struct server *server, uint16_t domain)
{
	struct connection *connection = memory_alloc(sizeof(*connection));

	connection_init(connection, &server->store, domain);
	connection->session.woken = session_woken;
	connection->session.ended = session_ended;
	TAILQ_INSERT_TAIL(&server->connections, connection, in_server);
	return connection;
}

void server_poll_connection(struct server *server, struct connection *connection)
{
	connection->polled = EPOLLIN;
	poll_file(server, EPOLL_CTL_ADD, connection->transport.file, EPOLLIN, connection);
	activate(server, connection);
}

void server_add_extra(struct server *server, struct server_extra *extra)
{
	server->extra = extra;
	poll_file(server, EPOLL_CTL_ADD, extra->file, EPOLLIN, extra);
}

static void poll_listening(struct server *server, bool deaf)
{
	server->deaf = deaf;
	for (size_t i = 0; i < server->sockets; i++)
		poll_file(server, EPOLL_CTL_MOD, server->listening[i], deaf ? 0U : EPOLLIN,
			  &server->listening[i]);
}

static void accept_one(struct server *server, int listening)
{
	int file = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *connection;

	if (file < 0) {
		/* The client stays in the queue: waiting for it would end at once each time. */
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			poll_listening(server, true);
		return;
	}
	connection = server_add_connection(server, 0);
	transport_socket(&connection->transport, file);
	server_poll_connection(server, connection);
}

static void end_connection(struct server *server, struct connection *connection)
{
	epoll_ctl(server->poll, EPOLL_CTL_DEL, connection->transport.file, NULL);
	if (connection->active)
		TAILQ_REMOVE(&server->active, connection, in_active);
	TAILQ_REMOVE(&server->connections, connection, in_server);
	connection_free(connection);
	free(connection);
}

static bool is_listening(const struct server *server, const void *data)
{
	return (const char *)data >= (const char *)server->listening &&
	       (const char *)data < (const char *)(server->listening + SERVER_SOCKETS);
}

/* Takes away what made a ring's file readable, which is told once: that nobody has looked for it yet is kept. */
static void drain(struct connection *connection)
{
	uint64_t count;

	if (!connection->transport.ring)
		return;
	connection->more = true;
	if (read(connection->transport.file, &count, sizeof(count)) < 0)
		return;
}

/* Milliseconds; -1: never. */
static int time_to_look(const struct server *server)
{
	const struct server_extra *extra = server->extra;
	uint64_t passed;

	if (!extra || extra->look < 0)
		return -1;
	passed = server->store.now - extra->looked;
	return passed < (uint64_t)extra->look ? extra->look - (int)passed : 0;
}

static void work_extra(struct server *server)
{
	server->extra->looked = server->store.now;
	server->extra->work(server->extra);
}

static int sooner(int one, int other)
{
	if (one < 0 || other < 0)
		return one < 0 ? other : one;
	return one < other ? one : other;
}

static void wait_for_work(struct server *server, int timeout)
{
	struct epoll_event events[EVENTS];
	sigset_t none = { 0 };
	bool extra = false;
	int count = epoll_pwait(server->poll, events, EVENTS, timeout, &none);

	server->store.now = clock_now();
	/* Perhaps there is room again: time has passed, or a client has done something, like going away. */
	if (server->deaf)
		poll_listening(server, false);
	for (int i = 0; i < count; i++) {
		struct connection *connection = events[i].data.ptr;

		if (events[i].data.ptr == server->extra) {
			extra = true;
			continue;
		}
		if (is_listening(server, connection)) {
			accept_one(server, *(int *)events[i].data.ptr);
			continue;
		}
		if (events[i].events & EPOLLIN)
			drain(connection);
		if (events[i].events & (EPOLLERR | EPOLLHUP) && !(events[i].events & EPOLLIN))
			connection->ended = true;
		activate(server, connection);
	}
	/* Whether there is something, or it is time to look, is the same to it. */
	if (extra || time_to_look(server) == 0)
		work_extra(server);
}

/* One message of each that has one. */
static void answer_all(struct server *server)
{
	struct connection *connection;

	TAILQ_FOREACH(connection, &server->active, in_active) {
		if (connection->ended || connection_is_ready(connection)) {
			if (!connection->ended)
				connection_answer(connection);
			continue;
		}
		if (!connection_read(connection))
			connection->ended = !connection_refuse(connection);
		else if (connection_is_ready(connection))
			connection_answer(connection);
	}
}

/* A socket is looked at for room for output, and for input that there is room for here. */
static void poll_again(struct server *server, struct connection *connection)
{
	uint32_t events = (connection_has_output(connection) ? EPOLLOUT : 0U) |
			  (connection_has_message(connection) ? 0U : EPOLLIN);

	if (events == connection->polled || connection->transport.ring)
		return;
	connection->polled = events;
	poll_file(server, EPOLL_CTL_MOD, connection->transport.file, events, connection);
}

/* Milliseconds until a client has more to do; -1 for not before something happens. */
static int next_work(const struct connection *connection)
{
	if (connection_is_ready(connection))
		return 0;
	/* One that may not be answered yet comes before what the ring has. */
	if (connection_has_message(connection))
		return connection_is_paused(connection) ? PAUSE_LOOK : -1;
	return connection->transport.ring && connection->more ? 0 : -1;
}

/* Whoever has nothing more to do is not active any longer. */
static void settle(struct server *server, struct connection *connection)
{
	int wait = next_work(connection);

	poll_again(server, connection);
	if (wait >= 0) {
		server->wait = server->wait < 0 || wait < server->wait ? wait : server->wait;
		return;
	}
	TAILQ_REMOVE(&server->active, connection, in_active);
	connection->active = false;
}

/* Replies and events leave. */
static void write_all(struct server *server)
{
	struct connection *next, *connection = TAILQ_FIRST(&server->active);

	server->wait = server->deaf ? DEAF_LOOK : -1;
	for (; connection; connection = next) {
		next = TAILQ_NEXT(connection, in_active);
		if (!connection->ended && !connection_write(connection))
			connection->ended = !connection_refuse(connection);
		if (connection->ended)
			end_connection(server, connection);
		else
			settle(server, connection);
	}
}

void server_turn(struct server *server, int timeout)
{
	timeout = sooner(timeout, sooner(server->wait, time_to_look(server)));
	wait_for_work(server, timeout);
	answer_all(server);
	journal_sync(server->store.journal);
	write_all(server);
	journal_compact(server->store.journal, &server->store, false);
}

void server_free(struct server *server)
{
	struct connection *connection;

	while ((connection = TAILQ_FIRST(&server->connections)))
		end_connection(server, connection);
	for (size_t i = 0; i < server->sockets; i++)
		close(server->listening[i]);
	close(server->poll);
	store_free(&server->store);
}
