// SPDX-License-Identifier: BSD-2-Clause
/*
 * Addresses of interfaces: Ethernet, IPv4, and names.
 *
 * Interface: address.h. Locks: none.
 */
#include "toolstack/lib/address.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BITS_MIN 8
#define BITS_MAX 30
#define MAC_TEXT 17

bool address_parse(const char *text, uint32_t *address)
{
	struct in_addr parsed;

	if (inet_pton(AF_INET, text, &parsed) != 1)
		return false;
	*address = ntohl(parsed.s_addr);
	return true;
}

const char *address_format(uint32_t address, char *text)
{
	snprintf(text, ADDRESS_TEXT, "%u.%u.%u.%u", address >> 24, address >> 16 & 255,
		 address >> 8 & 255, address & 255);
	return text;
}

uint32_t address_mask(const struct address_subnet *subnet)
{
	return UINT32_MAX << (32 - subnet->bits);
}

bool address_parse_subnet(const char *text, struct address_subnet *subnet)
{
	const char *slash = strchr(text, '/');
	char base[ADDRESS_TEXT], *end;

	if (!slash || (size_t)(slash - text) >= sizeof(base) || !isdigit((unsigned char)slash[1]))
		return false;
	snprintf(base, sizeof(base), "%.*s", (int)(slash - text), text);
	subnet->bits = (unsigned)strtoul(slash + 1, &end, 10);
	return !*end && subnet->bits >= BITS_MIN && subnet->bits <= BITS_MAX &&
	       address_parse(base, &subnet->base) && !(subnet->base & ~address_mask(subnet));
}

bool address_within(const struct address_subnet *subnet, uint32_t address)
{
	return (address & address_mask(subnet)) == subnet->base;
}

uint32_t address_first(const struct address_subnet *subnet)
{
	return subnet->base + 1;
}

/* The one behind it goes to all of them. */
uint32_t address_last(const struct address_subnet *subnet)
{
	return (subnet->base | ~address_mask(subnet)) - 1;
}

bool address_is_mac(const char *text)
{
	if (strlen(text) != MAC_TEXT || !strcmp(text, "00:00:00:00:00:00"))
		return false;
	for (size_t i = 0; i < MAC_TEXT; i++)
		if (i % 3 == 2 ? text[i] != ':' : !isxdigit((unsigned char)text[i]))
			return false;
	return !(strtoul(text, NULL, 16) & 1);
}

static bool is_address(const char *text)
{
	struct in6_addr parsed;

	return inet_pton(AF_INET, text, &parsed) == 1 || inet_pton(AF_INET6, text, &parsed) == 1;
}

bool address_is_list(const char *text)
{
	char *copy = strdup(text), *rest = copy;
	bool good = copy && *copy;

	for (char *word; good && (word = strsep(&rest, " "));)
		good = !*word || is_address(word);
	free(copy);
	return good;
}

bool address_is_interface(const char *text)
{
	size_t length = strlen(text);

	if (!length || length >= IFNAMSIZ || text[0] == '.' || text[0] == '-')
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
			return false;
	return true;
}
