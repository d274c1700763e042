/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses as people write them (address.c). */
#ifndef TOOLSTACK_LIB_ADDRESS_H
#define TOOLSTACK_LIB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ADDRESS_TEXT 16 /* of IPv4, with the zero at its end */

/* A part of the addresses of IPv4: those that have the first `bits` of `base`. */
struct address_subnet {
	uint32_t base;
	unsigned bits;
};

/* Dots and decimal numbers. */
bool address_parse(const char *text, uint32_t *address);
const char *address_format(uint32_t address, char *text);
/* `A.B.C.D/BITS`, with 8 to 30 of them, and none behind them that is set. */
bool address_parse_subnet(const char *text, struct address_subnet *subnet);
uint32_t address_mask(const struct address_subnet *subnet);
bool address_within(const struct address_subnet *subnet, uint32_t address);
/* The first and the last that a computer can have. */
uint32_t address_first(const struct address_subnet *subnet);
uint32_t address_last(const struct address_subnet *subnet);
/* Of one interface: neither of a group nor zero. */
bool address_is_mac(const char *text);
/* IPv4 and IPv6 addresses with blanks between them. */
bool address_is_list(const char *text);
/* What an interface may be called. */
bool address_is_interface(const char *text);

#endif
