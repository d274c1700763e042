// SPDX-License-Identifier: BSD-2-Clause
/* The private keys of an interface: docs/io.md has their ranges. A key that is wrong is an error, not its default. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/common/keys.h"
#include "backends/net/settings.h"

#define MTU 1500

static bool settings_number(struct rfstore *store, const char *folder, const char *name,
			    uint64_t least, uint64_t most, uint64_t *value)
{
	char *text = keys_text(store, folder, name);
	bool right = !text || keys_number(store, folder, name, least, most, value);

	free(text);
	return right;
}

static bool settings_mac(struct rfstore *store, const char *folder, struct packet_rules *rules)
{
	char *text = keys_text(store, folder, "mac");
	bool right = text && packet_parse_mac(text, rules->mac);

	free(text);
	return right;
}

static bool settings_addresses(struct rfstore *store, const char *folder,
			       struct packet_rules *rules)
{
	char *text = keys_text(store, folder, "source-addresses");
	bool right = !text || packet_parse_addresses(text, rules);

	free(text);
	return right;
}

static uint64_t settings_at_least(uint64_t burst, uint64_t rate)
{
	return burst > rate ? burst : rate;
}

static const char *settings_limits(struct rfstore *store, const char *folder,
				   struct message_settings *settings)
{
	const struct {
		const char *name;
		uint64_t *value;
	} keys[] = {
		{ "limit-bytes", &settings->bytes },
		{ "burst-bytes", &settings->bytes_burst },
		{ "limit-packets", &settings->packets },
		{ "burst-packets", &settings->packets_burst },
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!settings_number(store, folder, keys[i].name, 0, UINT64_MAX, keys[i].value))
			return keys[i].name;
	}
	settings->bytes_burst = settings_at_least(settings->bytes_burst, settings->bytes);
	settings->packets_burst = settings_at_least(settings->packets_burst, settings->packets);
	return NULL;
}

/* The key that is wrong, or NULL. */
static const char *settings_rules(struct rfstore *store, const char *folder,
				  struct message_settings *settings)
{
	struct packet_rules *rules = &settings->rules;
	uint64_t mtu = MTU, link = 1, filter = 1;

	rules->checksum = rules->tcp4 = rules->tcp6 = 1;
	if (!settings_mac(store, folder, rules))
		return "mac";
	if (!settings_number(store, folder, "mtu", RF_NET_MTU_MIN, RF_NET_MTU_MAX, &mtu))
		return "mtu";
	if (!settings_number(store, folder, "link", 0, 1, &link))
		return "link";
	if (!settings_number(store, folder, "filter-mac", 0, 1, &filter))
		return "filter-mac";
	if (!settings_addresses(store, folder, rules))
		return "source-addresses";
	rules->mtu = (uint32_t)mtu;
	rules->filter_mac = (uint8_t)filter;
	settings->link = (uint32_t)link;
	return NULL;
}

bool settings_read(struct rfstore *store, const char *folder, struct message_settings *settings,
		   char *error, size_t size)
{
	const char *wrong;

	/* Compared as memory, with what is between the fields. */
	memset(settings, 0, sizeof(*settings));
	wrong = settings_rules(store, folder, settings);
	if (!wrong)
		wrong = settings_limits(store, folder, settings);
	if (wrong)
		snprintf(error, size, "its key \"%s\" is missing or out of range", wrong);
	return !wrong;
}
