// SPDX-License-Identifier: BSD-2-Clause
/*
 * Who may do what with a node, and how that is written.
 *
 * Interface: permission_access, permission_parse, permission_print, permission_domain.
 */
#include "permission.h"

#include <stdio.h>
#include <string.h>

static const char letters[] = "nrwb"; /* by PERMISSION_READ and PERMISSION_WRITE */

static bool permission_is_of(const struct permission *entry, uint32_t domain, uint32_t target)
{
	return entry->domain == domain || entry->domain == target;
}

unsigned int permission_access(const struct permission *list, size_t count, uint32_t domain,
			       uint32_t target)
{
	if (domain == 0 || (count && permission_is_of(&list[0], domain, target)))
		return PERMISSION_ALL;
	for (size_t i = 1; i < count; i++) {
		if (permission_is_of(&list[i], domain, target))
			return list[i].access;
	}
	return count ? list[0].access : 0;
}

bool permission_domain(const char *text, uint16_t *domain)
{
	unsigned int value = 0;
	size_t length = strlen(text);

	if (!length || length > 5)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	*domain = (uint16_t)value;
	return value <= UINT16_MAX;
}

static bool permission_parse_one(const char *text, struct permission *entry)
{
	const char *letter = *text ? strchr(letters, *text) : NULL;

	if (!letter || !permission_domain(text + 1, &entry->domain))
		return false;
	entry->access = (uint16_t)(letter - letters);
	return true;
}

size_t permission_parse(const char *text, size_t length, struct permission *list, size_t limit)
{
	size_t count = 0;

	if (!length || text[length - 1])
		return 0;
	for (size_t at = 0; at < length; at += strlen(text + at) + 1) {
		if (count == limit || !permission_parse_one(text + at, &list[count]))
			return 0;
		count++;
	}
	return count;
}

size_t permission_print(const struct permission *list, size_t count, char *text)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += (size_t)sprintf(text + length, "%c%u", letters[list[i].access & 3],
					  list[i].domain) +
			  1;
	return length;
}
