// SPDX-License-Identifier: BSD-2-Clause
/*
 * The rings of domains: from the moment when a domain is introduced until the store or the domain ends.
 *
 * Interface: domain_ring_start, domain_ring_stop. abi/io/store.h has what the domain does.
 * A domain waits until its page can be mapped. It may connect to the port that was made for it, whose number is
 * in `/local/domain/N/store/port`; or name in its page a port that listens for us, as those do that had another
 * store before or began without one. Nobody tells of that, so we look once a second.
 * What is odd: the frame that the journal has of a domain is its serial number, so that after a pause we see whether
 * the domain of that number is still the same. Executing another program ends the rings as killing this one does.
 */
#include "domain_ring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "domain.h"
#include "memory.h"
#include "operation.h"
#include "toolstack/share/grant.h"
#include "toolstack/share/port.h"

#define LOOK	1000 /* milliseconds between looks at those that wait */
#define NUMBERS 1024 /* the hypervisor has no higher ones */

/* A domain without a connection. */
struct waiting {
	uint16_t domain;
	int file; /* the port that listens for it; -1: none */
	bool connected;
	TAILQ_ENTRY(waiting) in_list;
};

/* What a connection's transport leads to. */
struct page {
	struct share *share;
	struct grant grant;
};

struct rings {
	struct server_extra extra; /* first */
	struct server *server;
	struct share *share;
	struct session session; /* of domain 0 */
	TAILQ_HEAD(, waiting) list;
};

static struct rings *rings_of(struct store *store)
{
	return (struct rings *)((struct server *)store)->extra;
}

/* --- Connecting --- */

static void notify(struct transport *transport)
{
	/* Whoever is not there any more is told when it connects. */
	port_send(transport->file);
}

static void close_page(struct transport *transport)
{
	struct page *page = transport->data;

	grant_unmap(page->share, &page->grant);
	free(page);
}

static void serve(struct rings *rings, struct waiting *waiting, const struct grant *grant)
{
	struct connection *connection = server_add_connection(rings->server, waiting->domain);
	struct page *page = memory_zero(sizeof(*page));

	/* The server has it from now on. One that was connected to is not there. */
	epoll_ctl(rings->extra.file, EPOLL_CTL_DEL, waiting->file, NULL);
	*page = (struct page){ rings->share, *grant };
	transport_ring(&connection->transport, grant->memory, waiting->file, notify);
	connection->transport.data = page;
	connection->transport.closed = close_page;
	/* There may be something in the page already, of which we have been told. */
	connection->more = true;
	server_poll_connection(rings->server, connection);
	waiting->file = -1;
}

/* To the port that the page names; its own then is not needed. */
static bool connect_to(struct rings *rings, struct waiting *waiting, struct rf_store_ring *ring)
{
	uint32_t port = __atomic_load_n(&ring->port, __ATOMIC_ACQUIRE);
	int file = port ? port_connect(rings->share, waiting->domain, port) : -ENOENT;

	if (file < 0)
		return false;
	if (waiting->file >= 0)
		close(waiting->file);
	waiting->file = file;
	return true;
}

static bool try(struct rings *rings, struct waiting *waiting)
{
	const struct rf_control_segment segment = { .grant = RF_GRANT_STORE, .count = 1 };
	struct grant grant;

	if (waiting->file >= 0 && port_take(waiting->file))
		waiting->connected = true;
	if (grant_map(rings->share, &grant, waiting->domain, &segment, 1, true))
		return false;
	if (waiting->connected || connect_to(rings, waiting, grant.memory)) {
		serve(rings, waiting, &grant);
		return true;
	}
	grant_unmap(rings->share, &grant);
	return false;
}

/* --- Waiting --- */

static void forget(struct rings *rings, struct waiting *waiting)
{
	TAILQ_REMOVE(&rings->list, waiting, in_list);
	if (TAILQ_EMPTY(&rings->list))
		rings->extra.look = -1;
	if (waiting->file >= 0)
		close(waiting->file);
	free(waiting);
}

static struct waiting *wait_for(struct rings *rings, uint16_t domain)
{
	struct waiting *waiting = memory_zero(sizeof(*waiting));

	waiting->domain = domain;
	waiting->file = -1;
	TAILQ_INSERT_TAIL(&rings->list, waiting, in_list);
	rings->extra.look = LOOK;
	return waiting;
}

static void try_all(struct rings *rings)
{
	struct waiting *next, *waiting = TAILQ_FIRST(&rings->list);

	for (; waiting; waiting = next) {
		next = TAILQ_NEXT(waiting, in_list);
		if (try(rings, waiting))
			forget(rings, waiting);
	}
}

/* --- What the store tells --- */

static uint64_t serial(struct store *store, uint16_t domain)
{
	return share_serial(rings_of(store)->share, domain);
}

static int write_port(struct rings *rings, uint16_t domain, uint32_t port)
{
	const struct permission list[] = { { 0, 0 }, { domain, PERMISSION_READ } };
	const struct view view = { &rings->session, NULL };
	char path[64], text[16];
	int length = snprintf(text, sizeof(text), "%u", port);
	int error;

	snprintf(path, sizeof(path), "/local/domain/%u/store/port", domain);
	error = operation_write(&view, path, text, (size_t)length);
	return error ? error : operation_set_permissions(&view, path, list, 2);
}

static int attach(struct store *store, uint16_t domain)
{
	struct rings *rings = rings_of(store);
	struct epoll_event event = { .events = EPOLLIN };
	struct waiting *waiting;
	uint32_t port;
	int error, file = port_listen(rings->share, domain, &port);

	if (file < 0)
		return file == -ESRCH ? ENOENT : ENOSPC;
	error = write_port(rings, domain, port);
	if (error) {
		close(file);
		return error;
	}
	waiting = wait_for(rings, domain);
	waiting->file = file;
	epoll_ctl(rings->extra.file, EPOLL_CTL_ADD, file, &event);
	return 0;
}

static void detach(struct store *store, uint16_t domain)
{
	struct rings *rings = rings_of(store);
	struct waiting *next, *waiting = TAILQ_FIRST(&rings->list);

	for (; waiting; waiting = next) {
		next = TAILQ_NEXT(waiting, in_list);
		if (waiting->domain == domain)
			forget(rings, waiting);
	}
}

static const struct store_rings methods = {
	.serial = serial,
	.attach = attach,
	.detach = detach,
};

/* --- What the hypervisor tells --- */

/* Introduced by us, not with a frame and a port of somebody else's. */
static const struct account *own_account(const struct rings *rings, unsigned int domain)
{
	const struct account *account = quota_find(&rings->server->store.quota, (uint16_t)domain);

	return account && account->introduced && account->frame && !account->port ? account : NULL;
}

static void release_gone(struct rings *rings)
{
	for (unsigned int i = 1; i < NUMBERS; i++) {
		const struct account *account = own_account(rings, i);

		if (account && share_serial(rings->share, i) != account->frame)
			domain_release(&rings->server->store, (uint16_t)i);
	}
}

static void work(struct server_extra *extra)
{
	struct rings *rings = (struct rings *)extra;

	if (share_take_news(rings->share))
		release_gone(rings);
	try_all(rings);
}

void domain_ring_start(struct server *server, struct share *share)
{
	struct rings *rings = memory_zero(sizeof(*rings));
	struct epoll_event event = { .events = EPOLLIN };

	rings->server = server;
	rings->share = share;
	TAILQ_INIT(&rings->list);
	session_init(&rings->session, &server->store, 0);
	rings->extra.file = epoll_create1(EPOLL_CLOEXEC);
	rings->extra.work = work;
	rings->extra.look = -1;
	epoll_ctl(rings->extra.file, EPOLL_CTL_ADD, share->device, &event);
	server_add_extra(server, &rings->extra);
	server->store.rings = &methods;
	release_gone(rings);
	for (unsigned int i = 1; i < NUMBERS; i++) {
		if (own_account(rings, i))
			wait_for(rings, (uint16_t)i);
	}
	work(&rings->extra);
}

void domain_ring_stop(struct server *server)
{
	struct rings *rings = rings_of(&server->store);

	while (!TAILQ_EMPTY(&rings->list))
		forget(rings, TAILQ_FIRST(&rings->list));
	session_end(&rings->session);
	close(rings->extra.file);
	server->store.rings = NULL;
	server->extra = NULL;
	free(rings);
}
