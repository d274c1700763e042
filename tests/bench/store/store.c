// SPDX-License-Identifier: BSD-2-Clause
/*
 * What operations of the store cost as it grows: steps (nodes looked at or copied) and nanoseconds, each on average,
 * for stores of 1,000 to 100,000 nodes; then of the largest a snapshot and a start; and a socket, with librfstore.
 *
 * `make bench-store` builds and runs it. Steps are the same everywhere; times are this machine's,
 * of the processor but for the socket.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/store/client/rfstore.h"
#include "toolstack/store/journal.h"
#include "toolstack/store/operation.h"
#include "toolstack/store/server.h"

#define ROUNDS 20000
#define TRIPS  3000

static struct server server;
static struct session session;
static char folder[] = "/tmp/bench_store.XXXXXX";
static bool stopping;

/* As a node has it: a few dozen nodes of devices for each domain. */
static void path_of(unsigned int number, char path[80])
{
	snprintf(path, 80, "/local/domain/%u/device/vif/%u/state", number / 20, number % 20);
}

static double now_by(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Of this thread only, so that a busy machine shows less. */
static double now(void)
{
	return now_by(CLOCK_THREAD_CPUTIME_ID);
}

typedef int operation(const struct view *view, const char *path);

static int do_read(const struct view *view, const char *path)
{
	const struct content *content;

	return operation_read(view, path, &content);
}

static int do_write(const struct view *view, const char *path)
{
	return operation_write(view, path, "4", 1);
}

static int do_replace(const struct view *view, const char *path)
{
	int error = operation_remove(view, path);

	return error ? error : operation_write(view, path, "4", 1);
}

static int do_transaction(const struct view *view, const char *path)
{
	struct view inside = *view;
	uint32_t id;
	int error = transaction_start(view->session, &id);

	inside.transaction = transaction_find(view->session, id);
	if (!error)
		error = do_read(&inside, path);
	if (!error)
		error = do_write(&inside, path);
	return error ? error : transaction_end(inside.transaction, true);
}

static const struct row {
	const char *name;
	operation *run;
} rows[] = {
	{ "read", do_read },
	{ "write", do_write },
	{ "remove and make", do_replace },
	{ "transaction of both", do_transaction },
};

static void measure(unsigned int nodes, const struct row *row)
{
	const struct view view = { &session, NULL };
	uint64_t random = 1;
	char path[80];
	double start;

	node_steps = 0;
	start = now();
	for (int i = 0; i < ROUNDS; i++) {
		random = random * 6364136223846793005UL + 1442695040888963407UL;
		path_of((unsigned int)(random >> 33) % nodes, path);
		if (row->run(&view, path))
			abort();
	}
	printf("%-20s %8u %8.1f %9.0f\n", row->name, nodes, (double)node_steps / ROUNDS,
	       (now() - start) / ROUNDS);
}

static void fill(unsigned int first, unsigned int end)
{
	const struct view view = { &session, NULL };
	char path[80];

	for (unsigned int i = first; i < end; i++) {
		path_of(i, path);
		if (do_write(&view, path))
			abort();
	}
}

static void *serve(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
		server_turn(&server, 10);
	return NULL;
}

static void measure_trips(const char *name, bool write)
{
	char socket[64], path[80], *value;
	struct rfstore *store;
	double start;

	snprintf(socket, sizeof(socket), "%s/socket", folder);
	if (rfstore_open(&store, socket))
		abort();
	start = now_by(CLOCK_MONOTONIC);
	for (unsigned int i = 0; i < TRIPS; i++) {
		path_of(i, path);
		if (write && rfstore_write(store, RFSTORE_NONE, path, "5", 1))
			abort();
		if (!write && rfstore_read(store, RFSTORE_NONE, path, &value, NULL))
			abort();
		if (!write)
			free(value);
	}
	printf("%-38s %9.0f\n", name, (now_by(CLOCK_MONOTONIC) - start) / TRIPS);
	rfstore_close(store);
}

static void serve_trips(void)
{
	char socket[64];
	pthread_t thread;

	snprintf(socket, sizeof(socket), "%s/socket", folder);
	if (server_listen(&server, socket))
		abort();
	pthread_create(&thread, NULL, serve, NULL);
	measure_trips("read through a socket", false);
	measure_trips("write through a socket, no journal", true);
	__atomic_store_n(&stopping, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	unlink(socket);
}

/* The whole store written down while its clients wait, and read again at a start. */
static void measure_snapshot(void)
{
	char error[256], path[64];
	struct store again;
	double start;

	server.store.journal = journal_open(&server.store, folder, false, error, sizeof(error));
	if (!server.store.journal)
		abort();
	start = now();
	if (journal_compact(server.store.journal, &server.store, true))
		abort();
	printf("%-38s %9.0f\n", "snapshot", now() - start);
	journal_close(server.store.journal);
	server.store.journal = NULL;
	store_init(&again);
	start = now();
	again.journal = journal_open(&again, folder, false, error, sizeof(error));
	printf("%-38s %9.0f\n", "start from a snapshot", now() - start);
	journal_close(again.journal);
	store_free(&again);
	snprintf(path, sizeof(path), "%s/snapshot", folder);
	unlink(path);
	snprintf(path, sizeof(path), "%s/journal", folder);
	unlink(path);
}

int main(void)
{
	static const unsigned int sizes[] = { 0, 1000, 10000, 100000 };

	if (!mkdtemp(folder))
		return 1;
	server_init(&server);
	session_init(&session, &server.store, 0);
	printf("%-20s %8s %8s %9s\n", "operation", "nodes", "steps", "ns");
	for (size_t size = 1; size < 4; size++) {
		fill(sizes[size - 1], sizes[size]);
		for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
			measure(sizes[size], &rows[row]);
	}
	measure_snapshot();
	serve_trips();
	session_end(&session);
	server_free(&server);
	return rmdir(folder);
}
