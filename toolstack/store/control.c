// SPDX-License-Identifier: BSD-2-Clause
/*
 * Commands to the store itself, for `xenstore-control` and the toolstack.
 *
 * Interface: control_do.
 */
#include "control.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check.h"
#include "journal.h"
#include "store.h"

struct command {
	const char *name;
	const char *help;
	int (*run)(struct session *session, const char *parameter, char *text, size_t size);
};

static int run_check(struct session *session, const char *parameter, char *text, size_t size)
{
	(void)parameter;
	check_store(session->store, text, size);
	return 0;
}

static int run_stats(struct session *session, const char *parameter, char *text, size_t size)
{
	const struct store *store = session->store;
	struct journal_counters counters = { .sequence = 0 };

	(void)parameter;
	if (store->journal)
		counters = journal_count(store->journal);
	snprintf(text, size,
		 "nodes %u\nwatches %zu\ncommits %" PRIu64 "\nsteps %" PRIu64 "\nrecords %" PRIu64
		 "\njournal-bytes %" PRIu64 "\nsnapshot-bytes %" PRIu64 "\nsyncs %" PRIu64 "\n",
		 tree_find(store->top, "/")->total, store->watches.count, store->commits,
		 node_steps, counters.sequence, counters.bytes, counters.snapshot, counters.syncs);
	return 0;
}

static int run_domain(struct session *session, const char *parameter, char *text, size_t size)
{
	const struct account *account;
	uint16_t domain;

	if (!parameter || !permission_domain(parameter, &domain))
		return EINVAL;
	account = quota_account(&session->store->quota, domain);
	snprintf(text, size,
		 "introduced %d\nnodes %u\nbytes %" PRIu64 "\nwatches %u\ntransactions %u\n",
		 account->introduced, account->nodes, account->bytes, account->watches,
		 account->transactions);
	return 0;
}

static int run_snapshot(struct session *session, const char *parameter, char *text, size_t size)
{
	(void)parameter;
	snprintf(text, size, "OK");
	return journal_compact(session->store->journal, session->store, true);
}

static int run_restrict(struct session *session, const char *parameter, char *text, size_t size)
{
	uint16_t domain;

	if (!parameter || !permission_domain(parameter, &domain))
		return EINVAL;
	snprintf(text, size, "OK");
	return session_restrict(session, domain);
}

static int run_upgrade(struct session *session, const char *parameter, char *text, size_t size)
{
	if (!session->store->upgrade)
		return ENOSYS;
	snprintf(text, size, "OK");
	return session->store->upgrade(session->store, parameter);
}

static int run_help(struct session *session, const char *parameter, char *text, size_t size);

static const struct command commands[] = {
	{ "check", "counts everything again and says what is wrong", run_check },
	{ "domain", "|NUMBER: what a domain has", run_domain },
	{ "help", "this list", run_help },
	{ "restrict", "|NUMBER: this connection is that domain's from now on", run_restrict },
	{ "snapshot", "writes the store down and begins a new journal", run_snapshot },
	{ "stats", "counters", run_stats },
	{ "upgrade", "[|PROGRAM]: the program is executed anew, connections stay", run_upgrade },
};

static int run_help(struct session *session, const char *parameter, char *text, size_t size)
{
	size_t length = 0;

	(void)session;
	(void)parameter;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		length += (size_t)snprintf(text + length, size - length, "%s\t%s\n",
					   commands[i].name, commands[i].help);
	return 0;
}

int control_do(struct session *session, const char *command, const char *parameter, char *text,
	       size_t size)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, command) == 0)
			return commands[i].run(session, parameter, text, size);
	}
	return EINVAL;
}
