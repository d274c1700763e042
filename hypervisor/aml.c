// SPDX-License-Identifier: BSD-2-Clause
/*
 * Finds how the machine is turned off, in the byte code of the firmware's DSDT.
 *
 * Interface: aml.h. No locks, no state. The code is not run: it is searched for the definition of
 * a package called _S5_, which firmware writes out in constants. Whatever is not as expected there
 * is passed over, and nothing beyond `size` is read.
 */
#include "aml.h"

#include "string.h"

#define NAME_OPERATOR	 0x08
#define ROOT_PREFIX	 '\\'
#define PACKAGE_OPERATOR 0x12
#define BYTE_PREFIX	 0x0a
#define LENGTH_MORE	 6 /* the first byte's upper two bits: how many follow */
#define TYPE_MAX	 7

static const uint8_t start[] = { '_', 'S', '5', '_', PACKAGE_OPERATOR };

struct reader {
	const uint8_t *at;
	size_t left;
};

/* Zero after the end, which as a number of elements is no package. */
static uint8_t take(struct reader *r)
{
	if (r->left == 0)
		return 0;
	r->left--;
	return *r->at++;
}

static void skip_length(struct reader *r)
{
	for (unsigned more = take(r) >> LENGTH_MORE; more; more--)
		take(r);
}

/* Zero and one are operators whose codes are 0 and 1. */
static bool take_type(struct reader *r, uint8_t *type)
{
	if (r->left == 0)
		return false;
	*type = take(r);
	if (*type == BYTE_PREFIX) {
		if (r->left == 0)
			return false;
		*type = take(r);
		return *type <= TYPE_MAX;
	}
	return *type <= 1;
}

static bool read_package(struct reader r, uint8_t types[2])
{
	skip_length(&r);
	return take(&r) >= 2 && take_type(&r, &types[0]) && take_type(&r, &types[1]);
}

static bool is_definition(const uint8_t *code, size_t name)
{
	if (name && code[name - 1] == ROOT_PREFIX)
		name--;
	return name && code[name - 1] == NAME_OPERATOR;
}

bool aml_find_off(const uint8_t *code, size_t size, uint8_t types[2])
{
	for (size_t i = 0; i + sizeof(start) < size; i++) {
		struct reader after = { code + i + sizeof(start), size - i - sizeof(start) };

		if (memcmp(code + i, start, sizeof(start)) == 0 && is_definition(code, i) &&
		    read_package(after, types))
			return true;
	}
	return false;
}
