/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Frames that other domains granted, mapped by the control domain: pages as others are, at their machine
 * addresses, which may be read (or written, if that was asked for) until they are given back.
 */
#ifndef _ASM_X86_RINGFENCE_GRANT_MAP_H
#define _ASM_X86_RINGFENCE_GRANT_MAP_H

#include <linux/types.h>

#include <asm/ringfence/abi/grant.h>

struct page;

struct rf_granted {
	unsigned int room;		/* frames that there can be */
	unsigned int frames;
	unsigned int mappings;
	bool direct;			/* all are RAM that the kernel knows, in its direct map */
	struct page **pages;		/* of `frames`; to look into only if `direct` */
	struct rf_grant_unmap *unmap;	/* of `mappings` */
};

/* For at most so many frames. */
int rf_granted_init(struct rf_granted *granted, unsigned int room);
/*
 * Frames [first, first + count) of a grant of another domain, after those that are there. What was mapped
 * before an error stays.
 */
int rf_granted_add(struct rf_granted *granted, u32 domain, u32 grant, u32 first, u32 count,
		   u32 flags);
/*
 * Whether somebody has a reference to one of the pages: it is mapped, or a device or socket has it. Those that
 * are not `direct` have none.
 */
bool rf_granted_busy(const struct rf_granted *granted);
/* Gives all back. Nobody may have any of the pages mapped, but for the kernel's own direct map. */
void rf_granted_end(struct rf_granted *granted);

#endif
