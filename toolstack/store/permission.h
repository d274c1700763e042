/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_PERMISSION_H
#define STORE_PERMISSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PERMISSION_READ	  1
#define PERMISSION_WRITE  2
#define PERMISSION_OWNER  4
#define PERMISSION_ALL	  7
/* As many as a message holds. */
#define PERMISSION_MAX	  1024
/* Whoever has no domain of its own to act for. */
#define PERMISSION_NOBODY UINT32_MAX

/* The first of a node's is its owner, with what all may who are not named; then come those named. */
struct permission {
	uint16_t domain;
	uint16_t access;
};

/* What a domain may, acting also for target (PERMISSION_NOBODY: for none). Domain 0 may all. */
unsigned int permission_access(const struct permission *list, size_t count, uint32_t domain,
			       uint32_t target);

/* "b7" and the like, each with a zero at its end. The count, or 0 if it is not well formed. */
size_t permission_parse(const char *text, size_t length, struct permission *list, size_t limit);

/* The length of the text, zeros and all; room is for that many bytes at least 7 each. */
size_t permission_print(const struct permission *list, size_t count, char *text);

/* A decimal number from 0 to 65535 and nothing else. */
bool permission_domain(const char *text, uint16_t *domain);

#endif
