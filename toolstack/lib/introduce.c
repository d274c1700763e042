// SPDX-License-Identifier: BSD-2-Clause
/*
 * Telling the store of domains: the nodes of a new one, and who may change them.
 *
 * Interface: introduce.h. Locks: none.
 * Odd: nobody is refused for want of a store. One that comes later does not know of the domains before it; one
 * that is started anew does.
 */
#include "toolstack/lib/introduce.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/store/client/rfstore.h"

struct place {
	uint32_t domain;
	const char *name;
	uint64_t memory;
};

struct writing {
	struct rfstore *store;
	struct rfstore_transaction transaction;
	uint32_t domain;
};

static void node_path(char *path, size_t size, uint32_t domain, const char *node)
{
	snprintf(path, size, "/local/domain/%u%s%s", domain, *node ? "/" : "", node);
}

/* The domain may read it. */
static int show(const struct writing *w, const char *node, const char *value)
{
	const struct rfstore_permission list[] = { { 0, 'n' }, { (uint16_t)w->domain, 'r' } };
	char path[128];
	int error;

	node_path(path, sizeof(path), w->domain, node);
	error = value ? rfstore_write(w->store, w->transaction, path, value, strlen(value))
		      : rfstore_mkdir(w->store, w->transaction, path);
	return error ? error : rfstore_set_permissions(w->store, w->transaction, path, list, 2);
}

/* It is the domain's own. */
static int give(const struct writing *w, const char *node)
{
	const struct rfstore_permission owner = { (uint16_t)w->domain, 'n' };
	char path[128];
	int error;

	node_path(path, sizeof(path), w->domain, node);
	error = rfstore_mkdir(w->store, w->transaction, path);
	return error ? error : rfstore_set_permissions(w->store, w->transaction, path, &owner, 1);
}

static int show_number(const struct writing *w, const char *node, uint64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return show(w, node, text);
}

static int write_nodes(struct rfstore *store, struct rfstore_transaction transaction,
		       void *argument)
{
	static const char *const own[] = { "control", "data", "device" };
	const struct place *place = argument;
	const struct writing w = { store, transaction, place->domain };
	uint64_t kib = place->memory / 1024;
	int error = show(&w, "", NULL);

	error = error ? error : show(&w, "name", place->name);
	error = error ? error : show_number(&w, "domid", place->domain);
	error = error ? error : show(&w, "memory", NULL);
	error = error ? error : show_number(&w, "memory/target", kib);
	error = error ? error : show_number(&w, "memory/static-max", kib);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]) && !error; i++)
		error = give(&w, own[i]);
	return error;
}

static int read_port(struct rfstore *store, uint32_t domain, uint32_t *port)
{
	char path[128], *text;
	size_t length;
	int error;

	node_path(path, sizeof(path), domain, "store/port");
	error = rfstore_read(store, RFSTORE_NONE, path, &text, &length);
	if (error)
		return error;
	*port = (uint32_t)strtoul(text, NULL, 10);
	free(text);
	return 0;
}

uint32_t introduce_domain(uint32_t domain, const char *name, uint64_t memory, struct report *report)
{
	struct place place = { domain, name, memory };
	struct rfstore *store;
	uint32_t port = 0;
	int error = rfstore_open(&store, NULL);

	if (error) {
		report_warn(report, "%s: there is no store (rfstored), so it gets no devices: %s",
			    name, strerror(error));
		return 0;
	}
	error = rfstore_introduce(store, (uint16_t)domain, 0, 0);
	if (!error)
		error = rfstore_transact(store, write_nodes, &place);
	if (!error)
		error = read_port(store, domain, &port);
	if (error)
		report_warn(report, "%s: the store does not take it, so it gets no devices: %s",
			    name, strerror(error));
	rfstore_close(store);
	return port;
}

struct wish {
	uint32_t domain;
	const char *node;
	const char *value;
};

static int write_wish(struct rfstore *store, struct rfstore_transaction transaction, void *argument)
{
	const struct wish *wish = argument;
	const struct writing w = { store, transaction, wish->domain };

	return show(&w, wish->node, wish->value);
}

int introduce_tell(uint32_t domain, const char *node, const char *value)
{
	struct wish wish = { domain, node, value };
	struct rfstore *store;
	int error = rfstore_open(&store, NULL);

	if (error)
		return -error;
	error = rfstore_transact(store, write_wish, &wish);
	rfstore_close(store);
	return -error;
}

void introduce_rename(uint32_t domain, const char *name)
{
	struct rfstore *store;
	char path[128];

	if (rfstore_open(&store, NULL))
		return;
	node_path(path, sizeof(path), domain, "name");
	rfstore_write(store, RFSTORE_NONE, path, name, strlen(name));
	rfstore_close(store);
}

void introduce_release(uint32_t domain)
{
	struct rfstore *store;

	if (rfstore_open(&store, NULL))
		return;
	rfstore_release(store, (uint16_t)domain);
	rfstore_close(store);
}
