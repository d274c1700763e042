// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the control domain does with other domains: events, grants, and whole guests, made by `rf` from a
 * configuration that tests/bench/domain_ramdisk.py puts into the RAM disk.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "operation.h"
#include "toolstack/measure/peer.h"

#define MAPPINGS 200u
#define RF	 "/usr/bin/rf"
#define GUEST	 "bench"
#define OUTPUT	 "/output"

static struct share share;
static struct peer peer;
static struct grant grants[MAPPINGS];
static unsigned int mapped;

static bool is_control_domain(void)
{
	return access(RF_CONTROL_DEVICE, R_OK | W_OK) == 0;
}

/* --- A tiny domain --- */

static void open_peer(void)
{
	operation_check(share_open(&share) == 0, RF_CONTROL_DEVICE);
	operation_check(peer_open(&peer, &share) == 0, "a domain to measure with");
}

static void close_peer(void)
{
	peer_close(&peer);
	share_close(&share);
}

static void perform_events(uint64_t iterations)
{
	while (iterations--)
		operation_check(peer_call(&peer) == 0, "an event");
}

static void map(uint64_t iterations, uint32_t pages)
{
	for (mapped = 0; mapped < iterations; mapped++)
		operation_check(peer_map(&peer, &grants[mapped], pages) == 0, "mapping a grant");
}

static void perform_map(uint64_t iterations)
{
	map(iterations, 1);
}

static void perform_map_many(uint64_t iterations)
{
	map(iterations, PEER_GRANT_PAGES);
}

static void perform_unmap(uint64_t iterations)
{
	(void)iterations;
	while (mapped)
		grant_unmap(&share, &grants[--mapped]);
}

static void open_mapped(void)
{
	open_peer();
	perform_map(MAPPINGS);
}

static void open_many_mapped(void)
{
	open_peer();
	perform_map_many(MAPPINGS);
}

static void close_mapped(void)
{
	perform_unmap(0);
	close_peer();
}

static void perform_copies(uint64_t iterations)
{
	static _Alignas(GRANT_PAGE) char page[GRANT_PAGE];

	while (iterations--)
		operation_check(peer_copy(&peer, page) == 0, "copying a grant");
}

/* --- Whole guests --- */

static bool has_guest(void)
{
	return is_control_domain() && access(RF, X_OK) == 0;
}

static void execute(const char *const *arguments)
{
	char *const environment[] = { NULL };
	int output = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	dup2(output, STDOUT_FILENO);
	dup2(output, STDERR_FILENO);
	execve(arguments[0], (char *const *)arguments, environment);
	_exit(127);
}

static void show_output(void)
{
	char line[256];
	FILE *file = fopen(OUTPUT, "r");

	while (file && fgets(line, sizeof(line), file))
		printf("bench: output: %s", line);
	if (file)
		fclose(file);
}

static void run(const char *const *arguments)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0)
		execute(arguments);
	operation_check(child > 0 && waitpid(child, &status, 0) == child, "waiting for rf");
	if (status)
		show_output();
	operation_check(status == 0, "rf");
}

static void perform_create(uint64_t iterations)
{
	static const char *const arguments[] = { RF, "create", "--paused", GUEST, NULL };

	while (iterations--)
		run(arguments);
}

static void destroy_guest(void)
{
	static const char *const arguments[] = { RF, "destroy", GUEST, NULL };

	run(arguments);
}

/* Its first process powers off at once; rf waits for that, and removes it. */
static void perform_boot(uint64_t iterations)
{
	static const char *const arguments[] = { RF, "create", "--wait", GUEST, NULL };

	while (iterations--)
		run(arguments);
}

const struct operation domain_operations[] = {
	{ "event", 500, open_peer, perform_events, close_peer, is_control_domain },
	{ "grant-map", MAPPINGS, open_peer, perform_map, close_mapped, is_control_domain },
	{ "grant-unmap", MAPPINGS, open_mapped, perform_unmap, close_peer, is_control_domain },
	{ "grant-map-16", MAPPINGS, open_peer, perform_map_many, close_mapped, is_control_domain },
	{ "grant-unmap-16", MAPPINGS, open_many_mapped, perform_unmap, close_peer,
	  is_control_domain },
	{ "grant-copy", 2000, open_peer, perform_copies, close_peer, is_control_domain },
	{ "create", 1, NULL, perform_create, destroy_guest, has_guest },
	{ "guest-boot", 1, NULL, perform_boot, NULL, has_guest },
	{},
};
