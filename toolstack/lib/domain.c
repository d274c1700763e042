// SPDX-License-Identifier: BSD-2-Clause
/*
 * What can be asked of domains, one hypercall a function, or a few.
 *
 * Interface: domain.h. Locks: none.
 * Odd: a number is given away again when a domain is gone; its serial number is not. Who waits for a
 * domain compares serial numbers.
 */
#include "toolstack/lib/domain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "abi/console.h"

/* News say when to look; what they do not say (that a domain is gone while nobody was told) is seen so often. */
#define LOOK_MS 200

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

int domain_get(struct access *access, uint32_t number, struct rf_domain_info *info)
{
	memset(info, 0, sizeof(*info));
	return (int)access_call(access, RF_HYPERCALL_domain_info, number, access_pointer(info));
}

/* --- Finding --- */

bool domain_next(struct access *access, uint32_t number, struct rf_domain_info *info)
{
	return number < DOMAIN_NUMBERS && !domain_get(access, RF_DOMAIN_NEXT + number, info);
}

static int find_name(struct access *access, const char *name, struct rf_domain_info *info)
{
	struct rf_domain_info other;
	bool found = false;

	for (uint32_t n = 0; domain_next(access, n, &other); n = other.domain + 1) {
		if (strncmp(other.name, name, sizeof(other.name)))
			continue;
		if (found)
			return -EEXIST;
		*info = other;
		found = true;
	}
	return found ? 0 : -ESRCH;
}

int domain_find(struct access *access, const char *word, struct rf_domain_info *info)
{
	unsigned long number;

	/* No domain that rf made has a name of digits only. */
	if (*word && strspn(word, "0123456789") == strlen(word)) {
		number = strtoul(word, NULL, 10);
		return number < DOMAIN_NUMBERS ? domain_get(access, (uint32_t)number, info)
					       : -ESRCH;
	}
	return strlen(word) < RF_DOMAIN_NAME_SIZE ? find_name(access, word, info) : -ESRCH;
}

/* --- Changing --- */

int domain_set(struct access *access, uint32_t number, const struct rf_domain_set *set)
{
	return (int)access_call(access, RF_HYPERCALL_domain_set, number, access_pointer(set));
}

int domain_pause(struct access *access, uint32_t number, bool paused)
{
	struct rf_domain_set set = { .mask = RF_SET_PAUSED, .paused = paused };

	return domain_set(access, number, &set);
}

int domain_trigger(struct access *access, uint32_t number, uint32_t what, uint64_t argument)
{
	return (int)access_call(access, RF_HYPERCALL_domain_trigger, number, what, argument, 0);
}

/* --- Reading --- */

int domain_counters(struct access *access, uint32_t number, uint32_t vcpu,
		    struct rf_counters *counters)
{
	return (int)access_call(access, RF_HYPERCALL_counters, number, vcpu,
				access_pointer(counters));
}

int64_t domain_read(struct access *access, uint32_t number, char *text, size_t size,
		    uint64_t *position)
{
	return access_call(access, RF_HYPERCALL_console_read, number, access_pointer(text), size,
			   access_pointer(position));
}

int64_t domain_type(struct access *access, uint32_t number, const char *text, size_t size)
{
	return access_call(access, RF_HYPERCALL_domain_trigger, number, RF_TRIGGER_INPUT,
			   access_pointer(text), size);
}

/* --- Ends --- */

bool domain_ended(const struct rf_domain_info *info)
{
	return info->state == RF_DOMAIN_SHUTDOWN || info->state == RF_DOMAIN_CRASHED;
}

const char *domain_state(const struct rf_domain_info *info)
{
	switch (info->state) {
	case RF_DOMAIN_RUNNING:
		return "running";
	case RF_DOMAIN_PAUSED:
		return "paused";
	case RF_DOMAIN_CRASHED:
		return "crashed";
	case RF_DOMAIN_DYING:
		return "dying";
	case RF_DOMAIN_SHUTDOWN:
		if (info->reason == RF_SHUTDOWN_CRASH)
			return "crashed";
		return info->reason == RF_SHUTDOWN_REBOOT ? "wants-reboot" : "powered-off";
	default:
		return "unknown";
	}
}

/* It, and not one that came after it. */
static int get_same(struct access *access, struct rf_domain_info *info)
{
	struct rf_domain_info now;
	int error = domain_get(access, info->domain, &now);

	if (error)
		return error;
	if (now.serial != info->serial)
		return -ESRCH;
	*info = now;
	return 0;
}

int domain_destroy(struct access *access, const struct rf_domain_info *info, unsigned milliseconds)
{
	int error = (int)access_call(access, RF_HYPERCALL_domain_destroy, info->domain);
	uint64_t end = now_ms() + milliseconds;
	struct rf_domain_info now = *info;

	/* Somebody else has asked for it. */
	error = error == -EBUSY ? 0 : error;
	while (!error) {
		error = get_same(access, &now);
		if (!error && now_ms() >= end)
			return -ETIMEDOUT;
		if (!error)
			access_wait(access, -1, LOOK_MS);
	}
	return error == -ESRCH ? 0 : error;
}

int domain_wait(struct access *access, struct rf_domain_info *info, unsigned milliseconds)
{
	uint64_t end = now_ms() + milliseconds;
	int error;

	for (;;) {
		error = get_same(access, info);
		if (error || domain_ended(info))
			return error == -ESRCH ? 0 : error;
		if (now_ms() >= end)
			return -ETIMEDOUT;
		access_wait(access, -1, LOOK_MS);
	}
}
