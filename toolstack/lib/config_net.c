// SPDX-License-Identifier: BSD-2-Clause
/*
 * The networks of a configuration: objects as in docs/config.md, or texts as xl.cfg has them: words
 * `key=value` with commas between.
 *
 * Interface: config_nets_set of config.h. Locks: none.
 * Odd: such a text may have the keys of objects, too; of xl's own, a script says what the mode is, and what is
 * about emulated cards is ignored with a warning.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "abi/io/net.h"
#include "toolstack/lib/address.h"
#include "toolstack/lib/config_part.h"

#define RATE_MAX 1000000000000ULL /* bytes in a second */

static const char *const modes[] = { "bridge", "nat", "routed", NULL };

static const char *wrong_interface(const char *text)
{
	return address_is_interface(text) ? NULL
					  : "an interface's name of 1 to 15 letters, digits, dots, "
					    "dashes, underscores";
}

static const char *wrong_mac(const char *text)
{
	return address_is_mac(text) ? NULL : "an address of one interface, as 02:00:00:00:00:01";
}

static const char *wrong_address(const char *text)
{
	uint32_t address;

	return address_parse(text, &address) ? NULL : "an address of IPv4, as 10.0.0.2";
}

static const char *wrong_addresses(const char *text)
{
	return address_is_list(text) ? NULL : "addresses of IPv4 or IPv6, with blanks between";
}

static const char *wrong_subnet(const char *text)
{
	struct address_subnet subnet;

	return address_parse_subnet(text, &subnet)
		       ? NULL
		       : "as 10.82.0.0/24, with 8 to 30 bits and zeroes behind them";
}

static const struct config_part_key keys[] = {
	{ "mode", modes, 0, 0, NULL },
	{ "bridge", NULL, 0, 0, wrong_interface },
	{ "uplink", NULL, 0, 0, wrong_interface },
	{ "move_addresses", NULL, 0, 1, NULL },
	{ "subnet", NULL, 0, 0, wrong_subnet },
	{ "ip", NULL, 0, 0, wrong_address },
	{ "mac", NULL, 0, 0, wrong_mac },
	{ "mtu", NULL, RF_NET_MTU_MIN, RF_NET_MTU_MAX, NULL },
	{ "link", NULL, 0, 1, NULL },
	{ "filter_mac", NULL, 0, 1, NULL },
	{ "source_addresses", NULL, 0, 0, wrong_addresses },
	{ "limit_bytes", NULL, 0, INT64_MAX, NULL },
	{ "limit_packets", NULL, 0, INT64_MAX, NULL },
	{ "burst_bytes", NULL, 0, INT64_MAX, NULL },
	{ "burst_packets", NULL, 0, INT64_MAX, NULL },
	{ NULL, NULL, 0, 0, NULL },
};

/* --- xl's texts --- */

static uint64_t unit_of(char unit)
{
	switch (unit) {
	case 'K':
		return 1000;
	case 'M':
		return 1000000;
	case 'G':
		return 1000000000;
	default:
		return 0;
	}
}

/* `10Mb/s` or `1MB/s`, bits or bytes; an interval after an @ says how smooth, which is decided here. 0: is none. */
static uint64_t bytes_of_rate(const char *text)
{
	char *end;
	uint64_t number = isdigit((unsigned char)*text) ? strtoull(text, &end, 10) : 0;
	uint64_t unit = number ? unit_of(*end) : 0;

	if (!number || number > RATE_MAX)
		return 0;
	end += unit != 0;
	if (!strncmp(end, "b/s", 3) || !strncmp(end, "B/s", 3))
		number = number * (unit ? unit : 1) / (*end == 'b' ? 8 : 1);
	else
		return 0;
	return !end[3] || end[3] == '@' ? number : 0;
}

static bool put_rate(const struct config_part *part, json_t *net, const char *rate)
{
	uint64_t bytes = bytes_of_rate(rate);
	char text[32];

	if (!bytes)
		return config_fail(part->report, part->place,
				   "rate: '%s': should be as 10Mb/s or 1MB/s, with K, M or G",
				   rate);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)bytes);
	return config_part_put(part, net, "limit_bytes", text);
}

/* A path may be before it. */
static bool put_script(const struct config_part *part, json_t *net, const char *script)
{
	static const char *const known[][2] = { { "vif-bridge", "bridge" },
						{ "vif-nat", "nat" },
						{ "vif-route", "routed" } };
	const char *slash = strrchr(script, '/'), *name = slash ? slash + 1 : script;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(name, known[i][0]))
			return config_part_put(part, net, "mode", known[i][1]);
	return config_fail(part->report, part->place,
			   "script: '%s': should be one of vif-bridge, vif-nat, vif-route", script);
}

static bool is_ignored(const char *name)
{
	static const char *const names[] = { "type",	"model", "vifname",
					     "backend", "devid", "trusted" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool put_named(const struct config_part *part, json_t *net, const char *name,
		      const char *value)
{
	if (!strcmp(name, "gatewaydev"))
		return config_part_put(part, net, "uplink", value);
	if (!strcmp(name, "rate"))
		return put_rate(part, net, value);
	if (!strcmp(name, "script"))
		return put_script(part, net, value);
	for (size_t i = 0; keys[i].name; i++)
		if (!strcmp(name, keys[i].name))
			return config_part_put(part, net, name, value);
	if (!is_ignored(name))
		return config_fail(part->report, part->place, "'%s': not known of networks here",
				   name);
	report_warn(part->report, "%s:%u: %s: %s: ignored: it has no meaning here",
		    part->place->file, part->place->line, part->place->key, name);
	return true;
}

static bool read_text(const struct config_part *part, char *text, json_t *net)
{
	for (char *word; (word = config_part_word(&text));) {
		char *equals = strchr(word, '=');

		if (!*word)
			continue;
		if (!equals)
			return config_fail(part->report, part->place, "'%s': should be KEY=VALUE",
					   word);
		*equals = 0;
		if (!put_named(part, net, word, equals + 1))
			return false;
	}
	return true;
}

/* --- All of it --- */

static bool is_mode(const json_t *net, const char *mode)
{
	const char *value = json_string_value(json_object_get(net, "mode"));

	return !strcmp(value ? value : modes[0], mode);
}

static bool refuse(const struct config_part *part, const json_t *net, size_t number,
		   const char *name, const char *why)
{
	return !json_object_get(net, name) ||
	       config_fail(part->report, part->place, "net %zu: %s: %s", number, name, why);
}

static bool check_subnet(const struct config_part *part, const json_t *net, size_t number)
{
	const char *text = json_string_value(json_object_get(net, "subnet"));
	const char *ip = json_string_value(json_object_get(net, "ip"));
	struct address_subnet subnet;
	uint32_t address;

	if (!ip)
		return true;
	address_parse_subnet(text ? text : SETTING_SUBNET, &subnet);
	address_parse(ip, &address);
	if (address > address_first(&subnet) && address <= address_last(&subnet))
		return true;
	return config_fail(part->report, part->place,
			   "net %zu: ip: '%s': should be in %s, and neither its first nor its last",
			   number, ip, text ? text : SETTING_SUBNET);
}

static bool complete(const struct config_part *part, json_t *net, size_t number)
{
	if (is_mode(net, "nat"))
		return refuse(part, net, number, "uplink", "nat takes the way that the node has") &&
		       refuse(part, net, number, "move_addresses", "only of mode bridge") &&
		       check_subnet(part, net, number);
	if (!refuse(part, net, number, "subnet", "only of mode nat"))
		return false;
	if (is_mode(net, "bridge"))
		return json_object_get(net, "uplink") ||
		       refuse(part, net, number, "move_addresses", "needs an uplink");
	if (!json_object_get(net, "ip"))
		return config_fail(part->report, part->place, "net %zu: mode routed needs an ip",
				   number);
	return refuse(part, net, number, "bridge", "mode routed has none") &&
	       refuse(part, net, number, "move_addresses", "only of mode bridge");
}

bool config_nets_set(json_t **field, const json_t *value, const struct config_place *place,
		     struct report *report)
{
	static const struct config_part_class class = {
		.what = "net",
		.keys = keys,
		.most = SETTING_NETS,
		.read_text = read_text,
		.complete = complete,
	};

	return config_part_set(&class, field, value, place, report);
}
