/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_WIRE_H
#define STORE_WIRE_H

/*
 * The store's protocol, that of xenstore: a header, then up to 4096 bytes. It is the same on a
 * socket and on a shared page (abi/io/store.h). Both ends include this.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Numbers are the protocol's: 20 has been taken away. */
enum wire_type {
	WIRE_CONTROL,
	WIRE_DIRECTORY,
	WIRE_READ,
	WIRE_GET_PERMISSIONS,
	WIRE_WATCH,
	WIRE_UNWATCH,
	WIRE_TRANSACTION_START,
	WIRE_TRANSACTION_END,
	WIRE_INTRODUCE,
	WIRE_RELEASE,
	WIRE_GET_DOMAIN_PATH,
	WIRE_WRITE,
	WIRE_MKDIR,
	WIRE_RM,
	WIRE_SET_PERMISSIONS,
	WIRE_WATCH_EVENT,
	WIRE_ERROR,
	WIRE_IS_DOMAIN_INTRODUCED,
	WIRE_RESUME,
	WIRE_SET_TARGET,
	WIRE_RESET_WATCHES = 21,
	WIRE_DIRECTORY_PART,
	WIRE_TYPES,
};

struct wire_header {
	uint32_t type;
	uint32_t request;
	uint32_t transaction;
	uint32_t length;
};

_Static_assert(sizeof(struct wire_header) == 16, "layout");

#define WIRE_PAYLOAD_MAX  4096
#define WIRE_PATH_MAX	  3072 /* of an absolute path, without the zero at its end */
#define WIRE_RELATIVE_MAX 2048
/* An event has a path, a token and two zeros. */
#define WIRE_TOKEN_MAX	  (WIRE_PAYLOAD_MAX - WIRE_PATH_MAX - 2)

struct wire_error {
	int number;
	const char *name;
};

/* Errors are sent by name; these are all that the protocol knows. */
static const struct wire_error wire_errors[] = {
	{ EINVAL, "EINVAL" }, { EACCES, "EACCES" },   { EEXIST, "EEXIST" },
	{ EISDIR, "EISDIR" }, { ENOENT, "ENOENT" },   { ENOMEM, "ENOMEM" },
	{ ENOSPC, "ENOSPC" }, { EIO, "EIO" },	      { ENOTEMPTY, "ENOTEMPTY" },
	{ ENOSYS, "ENOSYS" }, { EROFS, "EROFS" },     { EBUSY, "EBUSY" },
	{ EAGAIN, "EAGAIN" }, { EISCONN, "EISCONN" }, { E2BIG, "E2BIG" },
	{ EPERM, "EPERM" },
};

#define WIRE_ERRORS (sizeof(wire_errors) / sizeof(wire_errors[0]))

static inline const char *wire_error_name(int number)
{
	for (size_t i = 0; i < WIRE_ERRORS; i++) {
		if (wire_errors[i].number == number)
			return wire_errors[i].name;
	}
	return "EINVAL";
}

/* What a name stands for; a name that is not known is an input or output error. */
static inline int wire_error_number(const char *name)
{
	for (size_t i = 0; i < WIRE_ERRORS; i++) {
		if (strcmp(wire_errors[i].name, name) == 0)
			return wire_errors[i].number;
	}
	return EIO;
}

#endif
