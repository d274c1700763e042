// SPDX-License-Identifier: BSD-2-Clause
/*
 * Network interfaces of guests, each served by an rf-net behind a tap that is in a bridge.
 *
 * Interface: net.h. Locks: none.
 */
#include "toolstack/lib/net.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "toolstack/lib/bridge.h"

#define MTU "1500"

static const char *const names[] = { "mac",	    "mtu",
				     "link",	    "filter-mac",
				     "bridge",	    "source-addresses",
				     "limit-bytes", "limit-packets",
				     "burst-bytes", "burst-packets",
				     NULL };

static const struct device_key keys[] = {
	{ "mac", "mac", false, 0 },
	{ "mtu", "mtu", false, 1 },
	{ "link", "link", false, 1 },
	{ "tap", "private/tap", false, 0 },
	{ "bridge", "private/bridge", false, 0 },
	{ "error", "error", false, 0 },
	{ NULL, NULL, false, 0 },
};

static void tap_name(const struct device_folders *f, char *name)
{
	snprintf(name, IFNAMSIZ, "rf%u.%u", f->domain, f->id);
}

static bool begin(struct rfstore *store, const struct device_folders *f, const json_t *net,
		  struct report *report)
{
	const char *mtu = json_string_value(json_object_get(net, "mtu"));
	char path[DEVICE_PATH + 32], tap[IFNAMSIZ];

	tap_name(f, tap);
	snprintf(path, sizeof(path), "%s/private/tap", f->back);
	if (rfstore_write(store, RFSTORE_NONE, path, tap, strlen(tap)))
		return report_fail(report, "the store does not take the name of the tap");
	return bridge_attach(json_string_value(json_object_get(net, "bridge")), tap,
			     (unsigned)strtoul(mtu, NULL, 10), report);
}

static void end(const struct device_folders *f)
{
	char tap[IFNAMSIZ];

	tap_name(f, tap);
	bridge_detach(tap);
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

static bool is_known(const char *name)
{
	for (const char *const *known = names; *known; known++)
		if (!strcmp(*known, name))
			return true;
	return false;
}

/* One of those that nobody was given: local, and of one interface. */
static json_t *random_mac(void)
{
	unsigned char byte[3] = { 0 };

	if (getrandom(byte, sizeof(byte), 0) < 0)
		return NULL;
	return json_sprintf("02:72:66:%02x:%02x:%02x", byte[0], byte[1], byte[2]);
}

static bool complete(json_t *net, struct report *report)
{
	const char *name;
	json_t *value;

	json_object_foreach(net, name, value) {
		if (!is_known(name) || !json_is_string(value))
			return report_fail(report, "%s: is no key of a network", name);
	}
	if (!json_object_get(net, "mac"))
		json_object_set_new(net, "mac", random_mac());
	if (!json_object_get(net, "mtu"))
		json_object_set_new(net, "mtu", json_string(MTU));
	if (!json_object_get(net, "bridge"))
		json_object_set_new(net, "bridge", json_string(BRIDGE_NAME));
	return true;
}

bool net_attach(uint32_t domain, const json_t *net, unsigned *id, struct report *report)
{
	json_t *all = json_copy((json_t *)net);
	bool good = complete(all, report) && device_attach(&net_class, domain, all, id, report);

	json_decref(all);
	return good;
}
