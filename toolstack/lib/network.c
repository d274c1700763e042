// SPDX-License-Identifier: BSD-2-Clause
/*
 * Networks, each a file in a folder of their own: what takes it back, and which taps are in it.
 *
 * Interface: network.h.
 * Locks: a file in that folder, held from beginning to end.
 * Odd: a tap that is not there any more, whatever has happened, is not counted. The folder is
 * readable for all, since dnsmasq gives its rights up.
 */
#include "toolstack/lib/network.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "toolstack/lib/bridge.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/network_facts.h"
#include "toolstack/lib/network_plan.h"
#include "toolstack/lib/network_steps.h"
#include "toolstack/lib/places.h"

static const char *const modes[] = {
	[NETWORK_BRIDGE] = "bridge",
	[NETWORK_NAT] = "nat",
	[NETWORK_ROUTED] = "routed",
};

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* --- The lock --- */

static int lock(struct report *report)
{
	char path[PATH_MAX];
	int file;

	mkdir(places_networks(), 0755);
	snprintf(path, sizeof(path), "%s/lock", places_networks());
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file >= 0 && flock(file, LOCK_EX) == 0)
		return file;
	report_fail(report, "%s: %s", path, strerror(errno));
	if (file >= 0)
		close(file);
	return -1;
}

/* --- What is known of a network --- */

static void file_path(char *path, const char *name, const char *ending)
{
	snprintf(path, PATH_MAX, "%s/%s%s", places_networks(), name, ending);
}

static void drop_dead(json_t *taps)
{
	const char *name;
	json_t *tap;
	void *next;

	json_object_foreach_safe(taps, next, name, tap)
	{
		if (!if_nametoindex(name))
			json_object_del(taps, name);
	}
}

/* NULL: there is no such network. */
static json_t *load(const char *name)
{
	char path[PATH_MAX];
	json_t *network;

	file_path(path, name, ".json");
	network = json_load_file(path, 0, NULL);
	drop_dead(json_object_get(network, "taps"));
	return network;
}

static bool save(const char *name, const json_t *network, struct report *report)
{
	char path[PATH_MAX], new[PATH_MAX + 8];

	file_path(path, name, ".json");
	snprintf(new, sizeof(new), "%s.new", path);
	if (!json_dump_file(network, new, JSON_INDENT(2)) && !rename(new, path))
		return true;
	report_fail(report, "%s: %s", path, strerror(errno));
	unlink(new);
	return false;
}

static bool has_mode(const json_t *network, enum network_mode mode)
{
	const char *text = text_of(network, "mode");

	return text && !strcmp(text, modes[mode]);
}

/* --- Names and addresses, for dnsmasq --- */

static void write_list(const json_t *network, const char *name, const char *ending, bool names)
{
	char path[PATH_MAX], *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	const char *key;
	json_t *tap;

	if (!out)
		return;
	json_object_foreach(json_object_get(network, "taps"), key, tap) {
		const char *ip = text_of(tap, "ip"), *guest = text_of(tap, "guest");

		if (names)
			fprintf(out, "%s %s\n", ip, guest);
		else
			fprintf(out, "%s,%s,%s\n", text_of(tap, "mac"), ip, guest);
	}
	fclose(out);
	file_path(path, name, ending);
	network_steps_write(path, text);
	free(text);
}

static void tell_names(const json_t *network, const char *name)
{
	char path[PATH_MAX];

	if (!has_mode(network, NETWORK_NAT))
		return;
	write_list(network, name, ".hosts", false);
	write_list(network, name, ".names", true);
	file_path(path, name, ".pid");
	network_steps_signal(path, SIGHUP);
}

static void forget_names(const char *name)
{
	static const char *const endings[] = { ".json", ".hosts", ".names", ".leases" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		file_path(path, name, endings[i]);
		unlink(path);
	}
}

static const char *who_has(const json_t *network, const char *ip)
{
	const char *name;
	json_t *tap;

	json_object_foreach(json_object_get(network, "taps"), name, tap) {
		const char *other = text_of(tap, "ip");

		if (other && !strcmp(other, ip))
			return name;
	}
	return NULL;
}

static bool choose_ip(const json_t *network, const struct network_want *want, json_t *net,
		      struct report *report)
{
	const char *wanted = text_of(net, "ip"), *other = wanted ? who_has(network, wanted) : NULL;
	char text[ADDRESS_TEXT];

	if (other)
		return report_fail(report, "ip: %s is the address of %s", wanted, other);
	if (wanted || want->mode != NETWORK_NAT)
		return true;
	for (uint32_t ip = address_first(&want->subnet) + 1; ip <= address_last(&want->subnet);
	     ip++)
		if (!who_has(network, address_format(ip, text)))
			return !json_object_set_new(net, "ip", json_string(text));
	return report_fail(report, "%s: all addresses are taken", want->name);
}

/* --- Coming --- */

static enum network_mode mode_of(const json_t *net)
{
	const char *text = text_of(net, "mode");

	for (size_t i = 0; text && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(text, modes[i]))
			return (enum network_mode)i;
	return NETWORK_BRIDGE;
}

static struct network_want want_of(const json_t *net, const char *tap)
{
	const char *bridge = text_of(net, "bridge"), *subnet = text_of(net, "subnet");
	const char *move = text_of(net, "move_addresses"), *ip = text_of(net, "ip");
	struct network_want want = { .mode = mode_of(net), .folder = places_networks() };

	if (!bridge)
		bridge = want.mode == NETWORK_NAT ? NETWORK_NAT_NAME : NETWORK_BRIDGE_NAME;
	want.name = want.mode == NETWORK_ROUTED ? tap : bridge;
	want.uplink = text_of(net, "uplink");
	want.move = move && !strcmp(move, "1");
	address_parse_subnet(subnet ? subnet : SETTING_SUBNET, &want.subnet);
	if (ip)
		address_parse(ip, &want.ip);
	return want;
}

static bool matches(const json_t *network, const struct network_want *want, struct report *report)
{
	const char *uplink = text_of(network, "uplink"), *subnet = text_of(network, "subnet");
	char base[ADDRESS_TEXT], wanted[ADDRESS_TEXT + 4];

	if (!has_mode(network, want->mode))
		return report_fail(report, "%s: is a network of mode %s", want->name,
				   text_of(network, "mode"));
	snprintf(wanted, sizeof(wanted), "%s/%u", address_format(want->subnet.base, base),
		 want->subnet.bits);
	if (want->mode == NETWORK_NAT && subnet && strcmp(subnet, wanted))
		return report_fail(report, "%s: has the subnet %s", want->name, subnet);
	if (want->uplink && (!uplink || strcmp(uplink, want->uplink)))
		return report_fail(report, "%s: has %s%s as uplink", want->name,
				   uplink ? "" : "no interface", uplink ? uplink : "");
	return true;
}

static json_t *new_network(const struct network_want *want)
{
	char base[ADDRESS_TEXT];
	json_t *network = json_pack("{s:s, s:s*, s:{}}", "mode", modes[want->mode], "uplink",
				    want->uplink, "taps");

	address_format(want->subnet.base, base);
	if (want->mode == NETWORK_NAT)
		json_object_set_new(network, "subnet",
				    json_sprintf("%s/%u", base, want->subnet.bits));
	return network;
}

/* Commands that take it back; NULL: nothing was done. */
static json_t *set_up(const struct network_want *want, struct report *report)
{
	struct network_facts facts;
	json_t *plan, *undo;

	network_facts_read(want, &facts);
	plan = network_plan(want, &facts, report);
	undo = plan ? network_steps_do(plan, report) : NULL;
	json_decref(plan);
	return undo;
}

static void add_tap(json_t *network, const char *tap, const json_t *net, const char *guest)
{
	json_object_set_new(json_object_get(network, "taps"), tap,
			    json_pack("{s:s*, s:s*, s:s}", "ip", text_of(net, "ip"), "mac",
				      text_of(net, "mac"), "guest", guest));
}

static bool make_tap(const struct network_want *want, const char *tap, const json_t *net,
		     struct report *report)
{
	const char *mtu = text_of(net, "mtu");
	const char *bridge = want->mode == NETWORK_ROUTED ? NULL : want->name;

	return bridge_attach(bridge, tap, (unsigned)strtoul(mtu, NULL, 10), report);
}

static bool join_old(json_t *network, const struct network_want *want, const char *tap,
		     const json_t *net, struct report *report)
{
	if (!matches(network, want, report) || !make_tap(want, tap, net, report))
		return false;
	tell_names(network, want->name);
	return save(want->name, network, report);
}

/* A route needs the tap, a tap the bridge. */
static bool join_new(json_t *network, const struct network_want *want, const char *tap,
		     const json_t *net, struct report *report)
{
	bool first = want->mode == NETWORK_ROUTED;
	json_t *undo;

	if (first && !make_tap(want, tap, net, report))
		return false;
	tell_names(network, want->name);
	undo = set_up(want, report);
	json_object_set_new(network, "undo", undo);
	if (undo && (first || make_tap(want, tap, net, report)) &&
	    save(want->name, network, report))
		return true;
	bridge_detach(tap);
	network_steps_undo(undo);
	forget_names(want->name);
	return false;
}

bool network_join(json_t *net, const char *tap, const char *guest, struct report *report)
{
	struct network_want want = want_of(net, tap);
	json_t *network;
	bool old, good;
	int file = lock(report);

	if (file < 0)
		return false;
	network = load(want.name);
	old = network && json_object_size(json_object_get(network, "taps"));
	/* It was left behind, so that a new one can be made of it. */
	if (network && !old) {
		network_steps_undo(json_object_get(network, "undo"));
		json_decref(network);
	}
	if (!old)
		network = new_network(&want);
	good = choose_ip(network, &want, net, report);
	if (good) {
		add_tap(network, tap, net, guest);
		good = old ? join_old(network, &want, tap, net, report)
			   : join_new(network, &want, tap, net, report);
	}
	json_decref(network);
	close(file);
	return good;
}

/* --- Going --- */

static void leave(const char *name, const char *tap)
{
	struct report report = { .warnings = 0 };
	json_t *network = load(name), *taps = json_object_get(network, "taps");

	if (json_object_get(taps, tap)) {
		bridge_detach(tap);
		json_object_del(taps, tap);
		if (json_object_size(taps)) {
			tell_names(network, name);
			save(name, network, &report);
		} else {
			network_steps_undo(json_object_get(network, "undo"));
			forget_names(name);
		}
	}
	json_decref(network);
}

static void leave_all(const char *tap)
{
	DIR *folder = opendir(places_networks());

	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		char *dot = strrchr(entry->d_name, '.');

		if (!dot || strcmp(dot, ".json"))
			continue;
		*dot = 0;
		leave(entry->d_name, tap);
	}
	closedir(folder);
}

void network_leave(const char *tap)
{
	struct report report = { .warnings = 0 };
	int file = lock(&report);

	if (file >= 0)
		leave_all(tap);
	/* Whoever has made it. */
	bridge_detach(tap);
	if (file >= 0)
		close(file);
}
