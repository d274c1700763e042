// SPDX-License-Identifier: BSD-2-Clause
/*
 * Network interfaces of guests, each served by an rf-net behind a tap.
 *
 * Interface: net.h. Locks: those of network.c. Odd: which address a guest has is decided when the
 * tap is made, so the keys that depend on it are written then.
 */
#include "toolstack/lib/net.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "toolstack/lib/network.h"

#define MTU "1500"

static const struct device_key keys[] = {
	{ "mac", "mac", false, 0 },
	{ "mtu", "mtu", false, 1 },
	{ "link", "link", false, 1 },
	{ "mode", "private/mode", false, 0 },
	{ "ip", "private/ip", false, 0 },
	{ "tap", "private/tap", false, 0 },
	{ "bridge", "private/bridge", false, 0 },
	{ "limit-bytes", "private/limit-bytes", false, 1 },
	{ "limit-packets", "private/limit-packets", false, 1 },
	{ "error", "error", false, 0 },
	{ NULL, NULL, false, 0 },
};

static void tap_name(const struct device_folders *f, char *name)
{
	snprintf(name, IFNAMSIZ, "rf%u.%u", f->domain, f->id);
}

static bool write_private(struct rfstore *store, const struct device_folders *f, const char *name,
			  const char *value, struct report *report)
{
	return !device_write_private(store, f, name, value) ||
	       report_fail(report, "the store does not take %s of a network", name);
}

/* What the guest is called by others. */
static void guest_name(struct rfstore *store, uint32_t domain, char *name, size_t size)
{
	char path[DEVICE_PATH], *value;
	size_t length;

	snprintf(name, size, "guest%u", domain);
	snprintf(path, sizeof(path), "/local/domain/%u/name", domain);
	if (rfstore_read(store, RFSTORE_NONE, path, &value, &length))
		return;
	snprintf(name, size, "%s", value);
	free(value);
}

static bool begin(struct rfstore *store, const struct device_folders *f, const json_t *wanted,
		  struct report *report)
{
	json_t *net = json_copy((json_t *)wanted);
	char tap[IFNAMSIZ], guest[64];
	const char *ip;
	bool good;

	tap_name(f, tap);
	guest_name(store, f->domain, guest, sizeof(guest));
	good = network_join(net, tap, guest, report) && write_private(store, f, "tap", tap, report);
	ip = json_string_value(json_object_get(net, "ip"));
	/* It cannot take another's. */
	if (good && ip && !json_object_get(net, "source_addresses"))
		good = write_private(store, f, "source-addresses", ip, report) &&
		       write_private(store, f, "ip", ip, report);
	json_decref(net);
	return good;
}

static void end(const struct device_folders *f)
{
	char tap[IFNAMSIZ];

	tap_name(f, tap);
	network_leave(tap);
}

const struct device_class net_class = {
	.name = "net",
	.program = "rf-net",
	.what = "network",
	.hint = "",
	.keys = keys,
	.begin = begin,
	.end = end,
};

/* One of those that nobody was given: local, and of one interface. */
static json_t *random_mac(void)
{
	unsigned char byte[3] = { 0 };

	if (getrandom(byte, sizeof(byte), 0) < 0)
		return NULL;
	return json_sprintf("02:72:66:%02x:%02x:%02x", byte[0], byte[1], byte[2]);
}

/* A bridge is named, so that lists can show it. */
static void complete(json_t *net)
{
	const char *mode = json_string_value(json_object_get(net, "mode"));
	bool nat = mode && !strcmp(mode, "nat"), routed = mode && !strcmp(mode, "routed");

	if (!json_object_get(net, "mac"))
		json_object_set_new(net, "mac", random_mac());
	if (!json_object_get(net, "mtu"))
		json_object_set_new(net, "mtu", json_string(MTU));
	if (!mode)
		json_object_set_new(net, "mode", json_string("bridge"));
	if (!routed && !json_object_get(net, "bridge"))
		json_object_set_new(net, "bridge",
				    json_string(nat ? NETWORK_NAT_NAME : NETWORK_BRIDGE_NAME));
}

bool net_attach(uint32_t domain, const json_t *net, unsigned *id, struct report *report)
{
	json_t *all = json_copy((json_t *)net);
	bool good;

	complete(all);
	good = device_attach(&net_class, domain, all, id, report);
	json_decref(all);
	return good;
}

bool net_attach_all(uint32_t domain, const json_t *nets, struct report *report)
{
	json_t *net;
	unsigned id;
	size_t i;

	json_array_foreach(nets, i, net) {
		if (!net_attach(domain, net, &id, report))
			return false;
	}
	return true;
}
