// SPDX-License-Identifier: BSD-2-Clause
/*
 * Telling the store of domains: the nodes of a new one, and who may change them.
 *
 * Interface: introduce.h. Locks: none.
 * Odd: nobody is refused for want of a store. To one that comes later the daemon tells of the domains before it; one
 * that is started anew knows them.
 */
#include "toolstack/lib/introduce.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/store/client/rfstore.h"

#define VM_PATH 64

struct place {
	uint32_t domain;
	const struct config *config;
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
static int show_path(const struct writing *w, const char *path, const char *value)
{
	const struct rfstore_permission list[] = { { 0, 'n' }, { (uint16_t)w->domain, 'r' } };
	int error = value ? rfstore_write(w->store, w->transaction, path, value, strlen(value))
			  : rfstore_mkdir(w->store, w->transaction, path);

	return error ? error : rfstore_set_permissions(w->store, w->transaction, path, list, 2);
}

static int show(const struct writing *w, const char *node, const char *value)
{
	char path[128];

	node_path(path, sizeof(path), w->domain, node);
	return show_path(w, path, value);
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

static void vm_path(char path[VM_PATH], const char *uuid, const char *node)
{
	snprintf(path, VM_PATH, "/vm/%s%s%s", uuid, *node ? "/" : "", node);
}

/* What does not change when a guest is made again, as clients of xenstore look for it. */
static int write_vm(const struct writing *w, const struct config *config)
{
	const struct {
		const char *node, *value;
	} nodes[] = {
		{ "", NULL },
		{ "uuid", config->uuid },
		{ "name", config->name },
	};
	char path[VM_PATH], number[16];
	int error = 0;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && !error; i++) {
		vm_path(path, config->uuid, nodes[i].node);
		error = show_path(w, path, nodes[i].value);
	}
	/* Whose it is: another of that uuid may have followed when this one is forgotten. */
	snprintf(number, sizeof(number), "%" PRIu32, w->domain);
	vm_path(path, config->uuid, "domid");
	error = error ? error : show_path(w, path, number);
	vm_path(path, config->uuid, "");
	return error ? error : show(w, "vm", path);
}

static int write_nodes(struct rfstore *store, struct rfstore_transaction transaction,
		       void *argument)
{
	static const char *const own[] = { "control", "data", "device" };
	const struct place *place = argument;
	const struct writing w = { store, transaction, place->domain };
	uint64_t kib = place->config->memory / 1024;
	int error = show(&w, "", NULL);

	error = error ? error : show(&w, "name", place->config->name);
	error = error ? error : show_number(&w, "domid", place->domain);
	error = error || !place->config->uuid ? error : write_vm(&w, place->config);
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

static int introduce(struct rfstore *store, struct place *place)
{
	int error = rfstore_introduce(store, (uint16_t)place->domain, 0, 0);

	return error ? error : rfstore_transact(store, write_nodes, place);
}

uint32_t introduce_domain(uint32_t domain, const struct config *config, struct report *report)
{
	struct place place = { domain, config };
	struct rfstore *store;
	uint32_t port = 0;
	int error = rfstore_open(&store, NULL);

	if (error) {
		report_warn(
			report,
			"%s: there is no store (rfstored), so it gets no devices until there is: %s",
			config->name, strerror(error));
		return 0;
	}
	error = introduce(store, &place);
	if (!error)
		error = read_port(store, domain, &port);
	if (error)
		report_warn(report, "%s: the store does not take it, so it gets no devices: %s",
			    config->name, strerror(error));
	rfstore_close(store);
	return port;
}

bool introduce_late(struct rfstore *store, uint32_t domain, const struct config *config)
{
	struct place place = { domain, config };
	bool known = true;

	return !rfstore_is_introduced(store, (uint16_t)domain, &known) && !known &&
	       !introduce(store, &place);
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

/* The domain to whom the folder belongs; a negative error. */
static int64_t owner_of(struct rfstore *store, const char *folder)
{
	char path[VM_PATH + 8], *text;
	int64_t owner;
	size_t length;

	snprintf(path, sizeof(path), "%s/domid", folder);
	if (rfstore_read(store, RFSTORE_NONE, path, &text, &length))
		return -1;
	owner = strtol(text, NULL, 10);
	free(text);
	return owner;
}

static void rename_vm(struct rfstore *store, uint32_t domain, const char *name)
{
	char path[128], *folder;
	size_t length;

	node_path(path, sizeof(path), domain, "vm");
	if (rfstore_read(store, RFSTORE_NONE, path, &folder, &length))
		return;
	snprintf(path, sizeof(path), "%.*s/name", VM_PATH, folder);
	if (owner_of(store, folder) == domain)
		rfstore_write(store, RFSTORE_NONE, path, name, strlen(name));
	free(folder);
}

void introduce_rename(uint32_t domain, const char *name)
{
	struct rfstore *store;
	char path[128];

	if (rfstore_open(&store, NULL))
		return;
	node_path(path, sizeof(path), domain, "name");
	rfstore_write(store, RFSTORE_NONE, path, name, strlen(name));
	rename_vm(store, domain, name);
	rfstore_close(store);
}

static void remove_vm(struct rfstore *store, uint32_t domain, const char *folder)
{
	if (!strncmp(folder, "/vm/", 4) && owner_of(store, folder) == domain)
		rfstore_remove(store, RFSTORE_NONE, folder);
}

struct sweeping {
	const char *folder;
	bool (*is_there)(void *argument, uint32_t domain);
	void *argument;
	bool removed;
};

/* Another guest of that uuid may be introduced at this moment: then there is a conflict, and we look again. */
static int sweep_one(struct rfstore *store, struct rfstore_transaction transaction, void *argument)
{
	struct sweeping *s = argument;
	char path[VM_PATH + 8], *text;
	size_t length;
	int error;

	s->removed = false;
	snprintf(path, sizeof(path), "%s/domid", s->folder);
	error = rfstore_read(store, transaction, path, &text, &length);
	if (error)
		return error == ENOENT ? 0 : error;
	if (!s->is_there(s->argument, (uint32_t)strtoul(text, NULL, 10))) {
		error = rfstore_remove(store, transaction, s->folder);
		s->removed = !error;
	}
	free(text);
	return error;
}

unsigned introduce_sweep(struct rfstore *store, bool (*is_there)(void *argument, uint32_t domain),
			 void *argument)
{
	struct sweeping s = { .is_there = is_there, .argument = argument };
	char path[VM_PATH], **names;
	unsigned swept = 0;
	size_t count;

	if (rfstore_list(store, RFSTORE_NONE, "/vm", &names, &count))
		return 0;
	for (size_t i = 0; i < count; i++) {
		vm_path(path, names[i], "");
		s.folder = path;
		if (!rfstore_transact(store, sweep_one, &s))
			swept += s.removed;
	}
	free(names);
	return swept;
}

/* Only we write that node. */
static void release_vm(struct rfstore *store, uint32_t domain)
{
	char path[128], *folder;
	size_t length;

	node_path(path, sizeof(path), domain, "vm");
	if (rfstore_read(store, RFSTORE_NONE, path, &folder, &length))
		return;
	if (length < VM_PATH)
		remove_vm(store, domain, folder);
	free(folder);
}

void introduce_release(uint32_t domain)
{
	struct rfstore *store;

	if (rfstore_open(&store, NULL))
		return;
	release_vm(store, domain);
	rfstore_release(store, (uint16_t)domain);
	rfstore_close(store);
}
