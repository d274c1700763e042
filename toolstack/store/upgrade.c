// SPDX-License-Identifier: BSD-2-Clause
/*
 * Another program takes over while clients stay connected.
 *
 * Interface: upgrade_execute, upgrade_resume, upgrade_save, upgrade_load.
 * What is odd: nodes go through the journal, which has them anyway. What goes along is what only a running store has:
 * sockets, bytes under way, watches, numbers of transactions. A watch that has events not told yet is told its own
 * path instead, and a transaction fails at its end as if another had changed what it saw; clients know both. The ring
 * of a domain does not go along: it is attached again from the journal, as after any end of this program.
 */
#include "upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"
#include "memory.h"

#define UPGRADE_MAGIC 0x31475055u /* a state that another version does not know has another */

struct state_head {
	uint32_t magic;
	uint32_t last_transaction;
	uint64_t generation;
	uint32_t sockets; /* a descriptor each follows */
	uint32_t connections;
};

/* Then as many bytes, watches and transactions. */
struct state_connection {
	int32_t file;
	uint32_t domain;
	uint32_t replies;
	uint32_t in;
	uint32_t out;
	uint32_t watches;
	uint32_t transactions; /* a number each */
	uint32_t zero;
};

/* Then path and token, without zeros. */
struct state_watch {
	uint32_t path;
	uint32_t token;
	uint32_t prefix;
	uint32_t untold;
};

static void save_watches(const struct session *session, struct buffer *state)
{
	const struct watch *watch;

	TAILQ_FOREACH(watch, &session->watches, in_session) {
		const struct state_watch saved = { .path = (uint32_t)strlen(watch->path),
						   .token = (uint32_t)strlen(watch->token),
						   .prefix = (uint32_t)watch->prefix,
						   .untold = watch->summed_up || watch->last };

		buffer_add(state, &saved, sizeof(saved));
		buffer_add(state, watch->path, saved.path);
		buffer_add(state, watch->token, saved.token);
	}
}

static uint32_t count_watches(const struct session *session)
{
	const struct watch *watch;
	uint32_t count = 0;

	TAILQ_FOREACH(watch, &session->watches, in_session)
		count++;
	return count;
}

static uint32_t count_transactions(const struct session *session)
{
	const struct transaction *transaction;
	uint32_t count = 0;

	TAILQ_FOREACH(transaction, &session->transactions, in_session)
		count++;
	return count;
}

static void save_connection(const struct connection *connection, struct buffer *state)
{
	const struct session *session = &connection->session;
	const struct transaction *transaction;
	const struct state_connection saved = {
		.file = connection->transport.file,
		.domain = session->domain,
		.replies = connection->replies,
		.in = (uint32_t)buffer_length(&connection->in),
		.out = (uint32_t)buffer_length(&connection->out),
		.watches = count_watches(session),
		.transactions = count_transactions(session),
	};

	buffer_add(state, &saved, sizeof(saved));
	buffer_add(state, connection->in.data + connection->in.start, saved.in);
	buffer_add(state, connection->out.data + connection->out.start, saved.out);
	save_watches(session, state);
	TAILQ_FOREACH(transaction, &session->transactions, in_session)
		buffer_add(state, &transaction->id, sizeof(transaction->id));
}

void upgrade_save(const struct server *server, struct buffer *state)
{
	const struct connection *connection;
	struct state_head head = { .magic = UPGRADE_MAGIC,
				   .last_transaction = server->store.last_transaction,
				   .generation = server->store.generation,
				   .sockets = (uint32_t)server->sockets };

	TAILQ_FOREACH(connection, &server->connections, in_server)
		head.connections += !connection->transport.ring;
	buffer_add(state, &head, sizeof(head));
	buffer_add(state, server->listening, server->sockets * sizeof(server->listening[0]));
	TAILQ_FOREACH(connection, &server->connections, in_server) {
		if (!connection->transport.ring)
			save_connection(connection, state);
	}
}

/* What is left of a state. */
struct reader {
	const char *data;
	size_t length;
};

static bool take(struct reader *reader, void *out, size_t bytes)
{
	if (bytes > reader->length)
		return false;
	memcpy(out, reader->data, bytes);
	reader->data += bytes;
	reader->length -= bytes;
	return true;
}

static bool take_buffer(struct reader *reader, struct buffer *buffer, size_t bytes)
{
	if (bytes > reader->length)
		return false;
	buffer_add(buffer, reader->data, bytes);
	reader->data += bytes;
	reader->length -= bytes;
	return true;
}

static bool load_watch(struct session *session, struct reader *reader)
{
	char path[PATH_SIZE], token[WIRE_TOKEN_MAX + 1];
	struct state_watch saved;

	if (!take(reader, &saved, sizeof(saved)) || saved.path > WIRE_PATH_MAX ||
	    saved.token > WIRE_TOKEN_MAX || saved.prefix > saved.path ||
	    !take(reader, path, saved.path) || !take(reader, token, saved.token))
		return false;
	path[saved.path] = 0;
	token[saved.token] = 0;
	if (session_watch(session, path, saved.prefix, token))
		return false;
	/* It was told of its own path when it was set. */
	if (!saved.untold)
		session_forget_events(session, path, token);
	return true;
}

static bool load_transaction(struct session *session, struct reader *reader)
{
	uint32_t id, given;

	if (!take(reader, &id, sizeof(id)))
		return false;
	session->store->last_transaction = id - 1;
	if (transaction_start(session, &given))
		return false;
	transaction_spoil(transaction_find(session, given));
	return true;
}

static bool load_session(struct connection *connection, const struct state_connection *saved,
			 struct reader *reader)
{
	struct session *session = &connection->session;

	connection->replies = saved->replies;
	if (!take_buffer(reader, &connection->in, saved->in) ||
	    !take_buffer(reader, &connection->out, saved->out))
		return false;
	for (uint32_t i = 0; i < saved->watches; i++) {
		if (!load_watch(session, reader))
			return false;
	}
	for (uint32_t i = 0; i < saved->transactions; i++) {
		if (!load_transaction(session, reader))
			return false;
	}
	return true;
}

static bool load_connection(struct server *server, struct reader *reader)
{
	struct state_connection saved;
	struct connection *connection;

	if (!take(reader, &saved, sizeof(saved)) || saved.domain >= QUOTA_DOMAINS)
		return false;
	connection = server_add_connection(server, (uint16_t)saved.domain);
	transport_socket(&connection->transport, saved.file);
	if (!load_session(connection, &saved, reader))
		return false;
	server_poll_connection(server, connection);
	return true;
}

bool upgrade_load(struct server *server, const char *state, size_t length)
{
	struct reader reader = { state, length };
	struct state_head head;
	int file;

	if (!take(&reader, &head, sizeof(head)) || head.magic != UPGRADE_MAGIC ||
	    head.sockets > SERVER_SOCKETS)
		return false;
	/* Listings get numbers that no client has seen. */
	server->store.generation += head.generation;
	for (uint32_t i = 0; i < head.sockets; i++) {
		if (!take(&reader, &file, sizeof(file)))
			return false;
		server_add_socket(server, file);
	}
	for (uint32_t i = 0; i < head.connections; i++) {
		if (!load_connection(server, &reader))
			return false;
	}
	server->store.last_transaction = head.last_transaction;
	return true;
}

/* Whether the files that go along are closed when a program is executed. */
static void keep_files(const struct server *server, bool keep)
{
	const struct connection *connection;

	for (size_t i = 0; i < server->sockets; i++)
		fcntl(server->listening[i], F_SETFD, keep ? 0 : FD_CLOEXEC);
	TAILQ_FOREACH(connection, &server->connections, in_server) {
		if (!connection->transport.ring)
			fcntl(connection->transport.file, F_SETFD, keep ? 0 : FD_CLOEXEC);
	}
}

/* A file with the state, or -1. */
static int write_state(const struct server *server)
{
	struct buffer state = { .data = NULL };
	int file = memfd_create("rfstored-state", 0);

	upgrade_save(server, &state);
	if (file >= 0 && write(file, buffer_data(&state), buffer_length(&state)) !=
				 (ssize_t)buffer_length(&state)) {
		close(file);
		file = -1;
	}
	buffer_free(&state);
	return file;
}

void upgrade_execute(struct server *server, const char *program, char *const arguments[])
{
	char option[sizeof(UPGRADE_OPTION) + 16];
	char **list;
	size_t count = 0;
	int file = write_state(server);

	while (arguments[count])
		count++;
	list = memory_zero((count + 2) * sizeof(*list));
	memcpy(list, arguments, count * sizeof(*list));
	/* An option of an earlier time is the last there is. */
	if (count > 1 && strncmp(list[count - 1], UPGRADE_OPTION "=", sizeof(UPGRADE_OPTION)) == 0)
		count--;
	snprintf(option, sizeof(option), UPGRADE_OPTION "=%d", file);
	list[count] = option;
	list[count + 1] = NULL;
	if (file >= 0) {
		keep_files(server, true);
		journal_sync(server->store.journal);
		execv(program, list);
		fprintf(stderr, "rfstored: %s: %s; going on\n", program, strerror(errno));
		keep_files(server, false);
		close(file);
	}
	free(list);
}

bool upgrade_resume(struct server *server, int file)
{
	struct stat status;
	char *state;
	bool good;

	if (fstat(file, &status) < 0)
		return false;
	state = memory_alloc((size_t)status.st_size);
	good = pread(file, state, (size_t)status.st_size, 0) == status.st_size &&
	       upgrade_load(server, state, (size_t)status.st_size);
	free(state);
	close(file);
	keep_files(server, false);
	return good;
}
