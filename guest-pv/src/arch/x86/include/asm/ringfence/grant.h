/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of this domain that others may use. From any context. */
#ifndef _ASM_X86_RINGFENCE_GRANT_H
#define _ASM_X86_RINGFENCE_GRANT_H

#include <linux/types.h>

#include <asm/ringfence/abi/grant.h>

struct page;

/* What sysfs tells. */
struct rf_grant_counts {
	unsigned int granted;	/* numbers that are not free, but for the reserved one */
	unsigned int waiting;	/* of these, of memory that somebody still uses, and shall be freed */
};

/*
 * Lets a domain use `frames` frames from an address on, which is page aligned; writable: it may write
 * them. Returns the number that the other domain is told, or an error. What the other is to see
 * there is written before.
 */
int rf_grant(u32 domain, phys_addr_t address, unsigned int frames, bool writable);

/* Frames that follow each other; the address is page aligned. */
struct rf_grant_range {
	phys_addr_t address;
	unsigned int frames;
};

/* The same with several at once, a number each: all of them, or none and an error. */
int rf_grant_several(u32 domain, const struct rf_grant_range *ranges, unsigned int count,
		     bool writable, int *numbers);

/* The same with a number that is reserved (RF_GRANT_STORE): only its user may name it. */
int rf_grant_reserved(unsigned int number, u32 domain, phys_addr_t address, unsigned int frames,
		      bool writable);

/*
 * Takes it back. True: nobody uses it, and the number is free. False: nobody new can use it, but
 * somebody still does, so the memory must stay as it is; ask again.
 */
bool rf_grant_revoke(unsigned int number);

/*
 * Takes back 2^order frames from alloc_pages(), and frees them as soon as nobody uses them. They are gone for
 * the caller, who may not have used page->lru, page->private or page->index.
 */
void rf_grant_free(unsigned int number, struct page *page, unsigned int order);

void rf_grant_count(struct rf_grant_counts *counts);

#endif
