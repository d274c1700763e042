/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_STORE_SERVER_H
#define UNIT_STORE_SERVER_H

/* A whole server in a thread of the test, with a socket and a folder of its own; it can be ended and started again. */
#include "unit.h"

#include <pthread.h>
#include <unistd.h>

#include "toolstack/store/check.h"
#include "toolstack/store/journal.h"
#include "toolstack/store/server.h"

struct unit_server {
	struct server server;
	pthread_t thread;
	bool stopping;
	char folder[64];
	char socket[96];
};

static inline void *unit_server_run(void *argument)
{
	struct unit_server *unit = argument;

	while (!__atomic_load_n(&unit->stopping, __ATOMIC_ACQUIRE))
		server_turn(&unit->server, 10);
	return NULL;
}

static inline void unit_server_start(struct unit_server *unit)
{
	char error[256];

	server_init(&unit->server);
	unit->server.store.journal =
		journal_open(&unit->server.store, unit->folder, false, error, sizeof(error));
	if (!unit->server.store.journal)
		fail_msg("%s", error);
	assert_int_equal(server_listen(&unit->server, unit->socket), 0);
	unit->stopping = false;
	pthread_create(&unit->thread, NULL, unit_server_run, unit);
}

/* As when it is killed: whatever has been acknowledged is in the files. */
static inline void unit_server_stop(struct unit_server *unit)
{
	char text[256];

	__atomic_store_n(&unit->stopping, true, __ATOMIC_RELEASE);
	pthread_join(unit->thread, NULL);
	if (!check_store(&unit->server.store, text, sizeof(text)))
		fail_msg("%s", text);
	journal_close(unit->server.store.journal);
	server_free(&unit->server);
}

static inline void unit_server_make(struct unit_server *unit)
{
	strcpy(unit->folder, "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(unit->folder));
	snprintf(unit->socket, sizeof(unit->socket), "%s/socket", unit->folder);
	unit_server_start(unit);
}

static inline void unit_server_remove(struct unit_server *unit)
{
	static const char *const names[] = { "socket", "journal", "snapshot" };
	char path[128];

	unit_server_stop(unit);
	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", unit->folder, names[i]);
		unlink(path);
	}
	assert_int_equal(rmdir(unit->folder), 0);
}

#endif
