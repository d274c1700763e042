// SPDX-License-Identifier: BSD-2-Clause
/*
 * Facts about interfaces, from the kernel itself: no program has to be there for that.
 *
 * Interface: network_facts.h. Locks: none.
 * Odd: /proc/net/route has addresses as the processor would store them in memory, so in the network's order.
 */
#include "toolstack/lib/network_facts.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE	     512
#define IPV6_OF_LINK 0x20 /* a scope */

static void read_master(struct network_facts *facts, const char *interface)
{
	char path[128], target[PATH_MAX];
	ssize_t length;
	char *slash;

	snprintf(path, sizeof(path), "/sys/class/net/%s/master", interface);
	length = readlink(path, target, sizeof(target) - 1);
	if (length < 0)
		return;
	target[length] = 0;
	slash = strrchr(target, '/');
	snprintf(facts->master, sizeof(facts->master), "%.*s", IFNAMSIZ - 1,
		 slash ? slash + 1 : target);
}

static void read_mac(struct network_facts *facts, const char *interface)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/class/net/%s/address", interface);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fscanf(file, "%17s", facts->mac) != 1)
		facts->mac[0] = 0;
	fclose(file);
}

/* --- Addresses --- */

static uint32_t ipv4_of(const struct sockaddr *address)
{
	return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr);
}

static void add_address(struct network_facts *facts, const struct ifaddrs *one)
{
	if (facts->count == NETWORK_ADDRESSES) {
		facts->others = true;
		return;
	}
	facts->address[facts->count] = ipv4_of(one->ifa_addr);
	facts->bits[facts->count++] = (unsigned)__builtin_popcount(ipv4_of(one->ifa_netmask));
}

/* What the network gives out by itself comes to whatever interface is in it; what somebody has set does not. */
static void read_ipv6(struct network_facts *facts, const char *interface)
{
	FILE *file = fopen("/proc/net/if_inet6", "re");
	char line[LINE], name[IFNAMSIZ];
	unsigned scope, flags;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%*s %*x %*x %x %x %15s", &scope, &flags, name) == 3 &&
		    scope != IPV6_OF_LINK && (flags & IFA_F_PERMANENT) && !strcmp(name, interface))
			facts->others = true;
	if (file)
		fclose(file);
}

static void read_addresses(struct network_facts *facts, const char *interface)
{
	struct ifaddrs *all;

	read_ipv6(facts, interface);

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *one = all; one; one = one->ifa_next)
		if (!strcmp(one->ifa_name, interface) && one->ifa_addr &&
		    one->ifa_addr->sa_family == AF_INET)
			add_address(facts, one);
	freeifaddrs(all);
}

bool network_has_address(const char *interface)
{
	struct network_facts facts = { .count = 0 };

	read_addresses(&facts, interface);
	return facts.count || facts.others;
}

/* --- Routes --- */

struct route {
	char interface[IFNAMSIZ];
	uint32_t target;
	uint32_t gateway;
	uint32_t mask;
};

static bool read_route(FILE *file, struct route *route)
{
	char line[LINE];

	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%15s %x %x %*x %*d %*d %*d %x", route->interface, &route->target,
			   &route->gateway, &route->mask) != 4)
			continue;
		route->target = ntohl(route->target);
		route->gateway = ntohl(route->gateway);
		route->mask = ntohl(route->mask);
		return true;
	}
	return false;
}

/* A default route is no claim on the subnet. */
static bool overlaps(const struct route *route, const struct address_subnet *subnet)
{
	uint32_t both = route->mask & address_mask(subnet);

	return route->mask && (route->target & both) == (subnet->base & both);
}

static void read_routes(struct network_facts *facts, const struct network_want *want)
{
	FILE *file = fopen("/proc/net/route", "re");
	struct route route;

	while (file && read_route(file, &route)) {
		if (!route.mask && want->uplink && !strcmp(route.interface, want->uplink))
			facts->gateway = route.gateway;
		if (want->mode == NETWORK_NAT && overlaps(&route, &want->subnet))
			snprintf(facts->user, sizeof(facts->user), "%s", route.interface);
	}
	if (file)
		fclose(file);
}

void network_facts_read(const struct network_want *want, struct network_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->bridge = if_nametoindex(want->name) != 0;
	if (want->uplink) {
		facts->uplink = if_nametoindex(want->uplink) != 0;
		read_master(facts, want->uplink);
		read_mac(facts, want->uplink);
		read_addresses(facts, want->uplink);
	}
	read_routes(facts, want);
}
