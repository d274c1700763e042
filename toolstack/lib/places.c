// SPDX-License-Identifier: BSD-2-Clause
/*
 * The folders of the toolstack.
 *
 * Interface: places.h. Locks: none.
 */
#include "toolstack/lib/places.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *chosen(const char *variable, const char *usual)
{
	const char *value = secure_getenv(variable);

	return value && *value ? value : usual;
}

const char *places_config(void)
{
	return chosen("RINGFENCE_CONFIG", PLACES_CONFIG);
}

const char *places_state(void)
{
	return chosen("RINGFENCE_STATE", PLACES_STATE);
}

const char *places_log(void)
{
	return chosen("RINGFENCE_LOG", PLACES_LOG);
}

const char *places_definitions(void)
{
	return chosen("RINGFENCE_DEFINITIONS", PLACES_DEFINITIONS);
}

const char *places_networks(void)
{
	return chosen("RINGFENCE_NETWORKS", PLACES_NETWORKS);
}

bool places_find_config(const char *word, char *path, size_t size)
{
	static const char *const endings[] = { ".json", ".cfg" };

	if (strpbrk(word, "/."))
		return snprintf(path, size, "%s", word) < (int)size;
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		int length = snprintf(path, size, "%s/%s%s", places_config(), word, endings[i]);

		if (length < (int)size && !access(path, F_OK))
			return true;
	}
	return false;
}

bool places_make_state(void)
{
	return !mkdir(places_state(), 0700) || errno == EEXIST;
}

bool places_make(const char *path)
{
	char part[PATH_MAX];

	if (snprintf(part, sizeof(part), "%s", path) >= (int)sizeof(part)) {
		errno = ENAMETOOLONG;
		return false;
	}
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(part, 0755);
		*slash = '/';
	}
	return !mkdir(part, 0700) || errno == EEXIST;
}
