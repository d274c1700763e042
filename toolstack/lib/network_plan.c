// SPDX-License-Identifier: BSD-2-Clause
/*
 * Plans of networks: which commands make a bridge, a network behind NAT, or a route to a guest, in
 * order. Nothing is done here, so that all of it can be tested without rights.
 *
 * Interface: network_plan.h; network_steps.c performs them. Locks: none.
 * Odd: steps are undone from the last to the first, also when a later one fails. An interface's
 * routes go with its addresses, so what brings them back is with the first step.
 */
#include "toolstack/lib/network_plan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 256

/* --- Steps --- */

static void set(json_t *step, const char *key, const char *format, va_list arguments)
{
	json_object_set_new(step, key, json_vsprintf(format, arguments));
}

__attribute__((format(printf, 2, 3))) static json_t *add(json_t *plan, const char *format, ...)
{
	json_t *step = json_object();
	va_list arguments;

	va_start(arguments, format);
	set(step, "do", format, arguments);
	va_end(arguments);
	json_array_append_new(plan, step);
	return step;
}

__attribute__((format(printf, 2, 3))) static void undo(json_t *step, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(step, "undo", format, arguments);
	va_end(arguments);
}

__attribute__((format(printf, 2, 3))) static void input(json_t *step, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	set(step, "input", format, arguments);
	va_end(arguments);
}

/* --- Behind NAT --- */

/* A table of its own: what others have is not touched. Its name may not have all characters of an interface's. */
static void plan_table(json_t *plan, const struct network_want *want)
{
	char table[IFNAMSIZ], base[ADDRESS_TEXT];
	json_t *step = add(plan, "nft -f -");

	snprintf(table, sizeof(table), "%s", want->name);
	for (char *c = table; *c; c++)
		if (*c == '-' || *c == '.')
			*c = '_';
	undo(step, "nft delete table ip ringfence_%s", table);
	address_format(want->subnet.base, base);
	input(step,
	      "table ip ringfence_%1$s {\n"
	      "\tchain forward {\n"
	      "\t\ttype filter hook forward priority 0; policy accept;\n"
	      "\t\tiifname \"%2$s\" ip saddr != %3$s/%4$u drop\n"
	      "\t\toifname \"%2$s\" ct state established,related accept\n"
	      "\t\toifname \"%2$s\" iifname != \"%2$s\" drop\n"
	      "\t}\n"
	      "\tchain out {\n"
	      "\t\ttype nat hook postrouting priority 100; policy accept;\n"
	      "\t\tip saddr %3$s/%4$u oifname != \"%2$s\" masquerade\n"
	      "\t}\n"
	      "}\n",
	      table, want->name, base, want->subnet.bits);
}

/* Guests have addresses that were chosen for them; no others are given. */
static void plan_names(json_t *plan, const struct network_want *want)
{
	char base[ADDRESS_TEXT], mask[ADDRESS_TEXT];
	char file[LINE];
	json_t *step;

	snprintf(file, sizeof(file), "%s/%s", want->folder, want->name);
	step = add(plan, "write %s.conf", file);
	undo(step, "remove %s.conf", file);
	input(step,
	      "interface=%1$s\nexcept-interface=lo\nbind-dynamic\nno-hosts\ndhcp-authoritative\n"
	      "dhcp-range=%2$s,static,%3$s\ndhcp-ignore=tag:!known\n"
	      "dhcp-hostsfile=%4$s.hosts\naddn-hosts=%4$s.names\ndhcp-leasefile=%4$s.leases\n"
	      "pid-file=%4$s.pid\n",
	      want->name, address_format(want->subnet.base, base),
	      address_format(address_mask(&want->subnet), mask), file);
	undo(add(plan, "dnsmasq --conf-file=%s.conf", file), "stop %s.pid", file);
}

static bool plan_nat(json_t *plan, const struct network_want *want,
		     const struct network_facts *facts, struct report *report)
{
	char own[ADDRESS_TEXT], base[ADDRESS_TEXT];

	address_format(want->subnet.base, base);
	if (facts->bridge)
		return report_fail(
			report,
			"%s is there already, and was not made for guests: choose another "
			"`bridge`",
			want->name);
	if (facts->user[0])
		return report_fail(
			report,
			"%s/%u: the node reaches some of these addresses by %s: choose another "
			"`subnet`",
			base, want->subnet.bits, facts->user);
	undo(add(plan, "ip link add %s type bridge", want->name), "ip link del %s", want->name);
	address_format(address_first(&want->subnet), own);
	add(plan, "ip addr add %s/%u dev %s", own, want->subnet.bits, want->name);
	add(plan, "ip link set %s up", want->name);
	undo(add(plan, "forward on %s", want->name), "forward off %s", want->name);
	plan_table(plan, want);
	plan_names(plan, want);
	return true;
}

/* --- Routed --- */

static bool plan_routed(json_t *plan, const struct network_want *want,
			const struct network_facts *facts, struct report *report)
{
	char ip[ADDRESS_TEXT];

	if (want->uplink && !facts->uplink)
		return report_fail(report, "%s: the node has no such interface", want->uplink);
	address_format(want->ip, ip);
	undo(add(plan, "forward on %s", want->name), "forward off %s", want->name);
	/* The guest may ask for anybody's address, and is given the tap's, at once. */
	input(add(plan, "write /proc/sys/net/ipv4/neigh/%s/proxy_delay", want->name), "0");
	input(add(plan, "write /proc/sys/net/ipv4/conf/%s/proxy_arp", want->name), "1");
	add(plan, "ip route add %s/32 dev %s", ip, want->name);
	if (want->uplink)
		undo(add(plan, "ip neigh add proxy %s dev %s", ip, want->uplink),
		     "ip neigh del proxy %s dev %s", ip, want->uplink);
	return true;
}

/* --- In a bridge --- */

static bool check_uplink(const struct network_want *want, const struct network_facts *facts,
			 struct report *report)
{
	char address[ADDRESS_TEXT] = "of IPv6";

	if (!facts->uplink)
		return report_fail(report, "%s: the node has no such interface", want->uplink);
	if (facts->master[0])
		return report_fail(report, "%s: is in the bridge %s", want->uplink, facts->master);
	if (!facts->count && !facts->others)
		return true;
	if (facts->count)
		address_format(facts->address[0], address);
	if (!want->move)
		return report_fail(
			report,
			"%s has the node's address %s: in a bridge, the node would be cut off. "
			"move_addresses=1 moves it to the bridge; modes nat and routed leave it",
			want->uplink, address);
	if (facts->others)
		return report_fail(
			report,
			"%s has addresses of IPv6, or more than %d: they are not moved, and "
			"the node would be cut off",
			want->uplink, NETWORK_ADDRESSES);
	return true;
}

static void plan_move(json_t *plan, const struct network_want *want,
		      const struct network_facts *facts)
{
	const char *from = want->uplink, *to = want->name;
	char text[ADDRESS_TEXT];

	for (unsigned i = 0; i < facts->count; i++) {
		address_format(facts->address[i], text);
		undo(add(plan, "ip addr del %s/%u dev %s", text, facts->bits[i], from),
		     "ip addr add %s/%u dev %s", text, facts->bits[i], from);
		undo(add(plan, "ip addr add %s/%u dev %s", text, facts->bits[i], to),
		     "ip addr del %s/%u dev %s", text, facts->bits[i], to);
	}
	if (!facts->gateway)
		return;
	address_format(facts->gateway, text);
	add(plan, "ip route replace default via %s dev %s", text, to);
	add(plan, "reach %s %s", text, to);
}

static bool plan_bridge(json_t *plan, const struct network_want *want,
			const struct network_facts *facts, struct report *report)
{
	char gateway[ADDRESS_TEXT];
	json_t *first;

	if (want->uplink && !check_uplink(want, facts, report))
		return false;
	if (!facts->bridge) {
		first = add(plan, "ip link add %s type bridge", want->name);
		undo(first, "unbridge %s", want->name);
		if (want->uplink)
			add(plan, "ip link set %s address %s", want->name, facts->mac);
		add(plan, "ip link set %s up", want->name);
	}
	if (!want->uplink)
		return true;
	if (facts->gateway)
		undo(add(plan, "ip link set %s up", want->uplink),
		     "ip route replace default via %s dev %s",
		     address_format(facts->gateway, gateway), want->uplink);
	undo(add(plan, "ip link set %s master %s", want->uplink, want->name),
	     "ip link set %s nomaster", want->uplink);
	add(plan, "ip link set %s up", want->uplink);
	plan_move(plan, want, facts);
	return true;
}

json_t *network_plan(const struct network_want *want, const struct network_facts *facts,
		     struct report *report)
{
	json_t *plan = json_array();
	bool good;

	if (want->mode == NETWORK_NAT)
		good = plan_nat(plan, want, facts, report);
	else if (want->mode == NETWORK_ROUTED)
		good = plan_routed(plan, want, facts, report);
	else
		good = plan_bridge(plan, want, facts, report);
	if (good)
		return plan;
	json_decref(plan);
	return NULL;
}
