// SPDX-License-Identifier: BSD-2-Clause
/*
 * `rf bench`: what the ways between domains cost on this node, in time: measured with a tiny domain that is
 * made for it and is gone afterwards.
 *
 * Interface: verbs.h. Locks: none.
 */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "toolstack/measure/peer.h"
#include "toolstack/rf/output.h"
#include "toolstack/rf/verbs.h"

#define ROUNDS_DEFAULT 5
#define ROUNDS_MAX     1000000ULL
#define MAPPINGS       200U

struct bench {
	struct share share;
	struct peer peer;
	struct grant grants[MAPPINGS];
	unsigned mapped;
};

/* All return 0 or a negative error. What is not measured may be NULL. */
struct operation {
	const char *name;
	const char *title;
	unsigned times;
	int (*prepare)(struct bench *bench, unsigned times);
	int (*perform)(struct bench *bench, unsigned times);
	int (*finish)(struct bench *bench, unsigned times);
};

/* --- What is measured --- */

static int perform_getppid(struct bench *bench, unsigned times)
{
	(void)bench;
	while (times--)
		syscall(SYS_getppid);
	return 0;
}

static int fork_once(void)
{
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (child == 0)
		_exit(0);
	return waitpid(child, NULL, 0) == child ? 0 : -errno;
}

static int perform_fork(struct bench *bench, unsigned times)
{
	int error = 0;

	(void)bench;
	while (times-- && !error)
		error = fork_once();
	return error;
}

static int set_hypercalls(struct bench *bench, unsigned times)
{
	return peer_set_hypercalls(&bench->peer, times);
}

/* With the event that asks for them, which is one for all. */
static int perform_hypercalls(struct bench *bench, unsigned times)
{
	(void)times;
	return peer_call(&bench->peer);
}

static int unset_hypercalls(struct bench *bench, unsigned times)
{
	(void)times;
	return peer_set_hypercalls(&bench->peer, 0);
}

static int perform_event(struct bench *bench, unsigned times)
{
	int error = 0;

	while (times-- && !error)
		error = peer_call(&bench->peer);
	return error;
}

static int map(struct bench *bench, unsigned times, uint32_t pages)
{
	int error = 0;

	for (bench->mapped = 0; bench->mapped < times && !error; bench->mapped += !error)
		error = peer_map(&bench->peer, &bench->grants[bench->mapped], pages);
	return error;
}

static int map_one(struct bench *bench, unsigned times)
{
	return map(bench, times, 1);
}

static int map_many(struct bench *bench, unsigned times)
{
	return map(bench, times, PEER_GRANT_PAGES);
}

static int unmap(struct bench *bench, unsigned times)
{
	(void)times;
	while (bench->mapped)
		grant_unmap(&bench->share, &bench->grants[--bench->mapped]);
	return 0;
}

static int perform_copy(struct bench *bench, unsigned times)
{
	static _Alignas(GRANT_PAGE) char page[GRANT_PAGE];
	int error = 0;

	while (times-- && !error)
		error = peer_copy(&bench->peer, page);
	return error;
}

static const struct operation operations[] = {
	{ "getppid", "getppid", 10000, NULL, perform_getppid, NULL },
	{ "fork", "fork, exit, wait", 20, NULL, perform_fork, NULL },
	{ "hypercall", "null hypercall, by a guest", 20000, set_hypercalls, perform_hypercalls,
	  unset_hypercalls },
	{ "event", "event to a guest and back", 500, NULL, perform_event, NULL },
	{ "grant-map", "map a granted page, read it", MAPPINGS, NULL, map_one, unmap },
	{ "grant-unmap", "unmap it", MAPPINGS, map_one, unmap, NULL },
	{ "grant-map-16", "map 16 granted pages, read them", MAPPINGS, NULL, map_many, unmap },
	{ "grant-unmap-16", "unmap them", MAPPINGS, map_many, unmap, NULL },
	{ "grant-copy", "copy a granted page", 2000, NULL, perform_copy, NULL },
};

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* --- Measuring --- */

static double seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int measure_once(struct bench *bench, const struct operation *operation, double *seconds)
{
	int error = operation->prepare ? operation->prepare(bench, operation->times) : 0, later;
	double start = seconds_now();

	error = error ? error : operation->perform(bench, operation->times);
	*seconds = seconds_now() - start;
	later = operation->finish ? operation->finish(bench, operation->times) : 0;
	return error ? error : later;
}

/* The fastest round is the one that was disturbed least. */
static int measure(struct bench *bench, const struct operation *operation,
		   unsigned long long rounds, double *nanoseconds)
{
	double seconds, fastest = 0;
	int error = 0;

	for (unsigned long long i = 0; i < rounds && !error; i++) {
		error = measure_once(bench, operation, &seconds);
		if (i == 0 || seconds < fastest)
			fastest = seconds;
	}
	*nanoseconds = fastest * 1e9 / operation->times;
	return error;
}

static json_t *row(const struct operation *operation, double nanoseconds)
{
	return json_pack("{s:s, s:s, s:i, s:f}", "name", operation->name, "operation",
			 operation->title, "times", (int)operation->times, "nanoseconds",
			 nanoseconds);
}

static enum status bench_all(const struct command *command, struct bench *bench,
			     unsigned long long rounds)
{
	static const struct output_column columns[] = {
		{ "NAME", "name", OUTPUT_TEXT },
		{ "OPERATION", "operation", OUTPUT_TEXT },
		{ "TIMES", "times", OUTPUT_NUMBER },
		{ "NANOSECONDS", "nanoseconds", OUTPUT_NUMBER },
		{ NULL, NULL, OUTPUT_TEXT },
	};
	json_t *rows = json_array();

	for (unsigned i = 0; i < OPERATIONS; i++) {
		double nanoseconds;
		int error = measure(bench, &operations[i], rounds, &nanoseconds);

		if (error) {
			json_decref(rows);
			return command_fail(command, STATUS_FAILED, "%s: %s", operations[i].title,
					    strerror(-error));
		}
		json_array_append_new(rows, row(&operations[i], nanoseconds));
	}
	return output_table(command, columns, rows);
}

static enum status with_peer(const struct command *command, struct bench *bench,
			     unsigned long long rounds)
{
	enum status status;
	int error = peer_open(&bench->peer, &bench->share);

	if (error)
		return command_fail(command, STATUS_FAILED, "no domain to measure with: %s",
				    strerror(-error));
	status = bench_all(command, bench, rounds);
	unmap(bench, 0);
	peer_close(&bench->peer);
	return status;
}

enum status verb_bench(struct command *command)
{
	static struct bench bench;
	const char *text = command_option(command, "rounds");
	unsigned long long rounds = ROUNDS_DEFAULT;
	enum status status;
	int error;

	if (text && !command_number(command, "--rounds", text, 1, ROUNDS_MAX, &rounds))
		return STATUS_USAGE;
	error = share_open(&bench.share);
	if (error)
		return command_fail(command, STATUS_FAILED, "%s: %s", RF_CONTROL_DEVICE,
				    strerror(-error));
	status = with_peer(command, &bench, rounds);
	share_close(&bench.share);
	return status;
}
