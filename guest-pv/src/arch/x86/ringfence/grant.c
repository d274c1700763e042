// SPDX-License-Identifier: GPL-2.0
/*
 * Grants: what of this domain's memory others may use. The table is given to the hypervisor a page at a
 * time, when the numbers run out; it never gets smaller. A number is free, or its entry's word is
 * not zero, or somebody uses what it was for: only then it is taken.
 *
 * Revoking is writing zero, then a full barrier, then looking whether the entry is in use: a domain that
 * has just seen the word has noted its use before it saw it. Memory that is still used is kept on a list,
 * and looked at every second: so what another domain does not let go of is never used for something
 * else, and costs this much.
 *
 * Locks: `lock` is taken last, with interrupts off.
 */
#include <linux/export.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <asm/ringfence/grant.h>

#include "ringfence.h"

#define ENTRIES	(RF_GRANT_PAGES * RF_GRANT_PAGE_ENTRIES)
#define RESERVED	1	/* the first numbers */

static DEFINE_SPINLOCK(lock);
static struct rf_grant_entry *pages[RF_GRANT_PAGES];
static u16 free_numbers[ENTRIES];	/* a stack */
static unsigned int free_count;
static unsigned int taken;
static LIST_HEAD(waiting);		/* pages, by lru; private is the number, index the order */
static unsigned int waiting_count;

static void look_at_waiting(struct work_struct *work);
static DECLARE_DELAYED_WORK(waiting_work, look_at_waiting);

static struct rf_grant_entry *entry_of(unsigned int number)
{
	return &pages[number / RF_GRANT_PAGE_ENTRIES][number % RF_GRANT_PAGE_ENTRIES];
}

/* --- Numbers: under the lock */

static void push_numbers(unsigned int first)
{
	unsigned int number = first + RF_GRANT_PAGE_ENTRIES;

	/* The lowest is taken first. */
	while (number-- > max_t(unsigned int, first, RESERVED))
		free_numbers[free_count++] = number;
}

static int add_page(void)
{
	void *page = (void *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);
	long first;

	if (!page)
		return -ENOMEM;
	first = rf_call1(RF_HYPERCALL_grant_register, __pa(page) >> PAGE_SHIFT);
	if (first < 0) {
		free_page((unsigned long)page);
		return first;
	}
	pages[first / RF_GRANT_PAGE_ENTRIES] = page;
	push_numbers(first);
	return 0;
}

static int take_number(void)
{
	int error = free_count ? 0 : add_page();

	if (error)
		return error;
	taken++;
	return free_numbers[--free_count];
}

static void give_number(unsigned int number)
{
	if (number < RESERVED)
		return;
	taken--;
	free_numbers[free_count++] = number;
}

/* --- Granting */

static bool fits(u32 domain, phys_addr_t address, unsigned int frames)
{
	return frames && frames <= RF_GRANT_FRAMES && !(address & ~RF_GRANT_ADDRESS) &&
	       domain < 1U << (64 - RF_GRANT_DOMAIN_SHIFT);
}

/* What the frames hold comes first. */
static void write_entry(unsigned int number, u32 domain, phys_addr_t address, unsigned int frames,
			bool writable)
{
	u64 word = RF_GRANT_VALID | (writable ? RF_GRANT_WRITE : 0) |
		   (u64)(frames - 1) << RF_GRANT_COUNT_SHIFT | address |
		   (u64)domain << RF_GRANT_DOMAIN_SHIFT;

	smp_store_release(&entry_of(number)->grant, word);
}

/* Under the lock. Numbers that were not used yet can be given back at once. */
static int take_numbers(int *numbers, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		numbers[i] = take_number();
		if (numbers[i] < 0)
			break;
	}
	if (i == count)
		return 0;
	count = i;
	while (i--)
		give_number(numbers[i]);
	return numbers[count];
}

int rf_grant_several(u32 domain, const struct rf_grant_range *ranges, unsigned int count,
		     bool writable, int *numbers)
{
	unsigned long flags;
	unsigned int i;
	int error;

	for (i = 0; i < count; i++)
		if (WARN_ON_ONCE(!fits(domain, ranges[i].address, ranges[i].frames)))
			return -EINVAL;
	spin_lock_irqsave(&lock, flags);
	error = take_numbers(numbers, count);
	spin_unlock_irqrestore(&lock, flags);
	for (i = 0; i < count && !error; i++)
		write_entry(numbers[i], domain, ranges[i].address, ranges[i].frames, writable);
	return error;
}
EXPORT_SYMBOL_GPL(rf_grant_several);

int rf_grant(u32 domain, phys_addr_t address, unsigned int frames, bool writable)
{
	const struct rf_grant_range range = { address, frames };
	int number, error;

	error = rf_grant_several(domain, &range, 1, writable, &number);
	return error ? error : number;
}
EXPORT_SYMBOL_GPL(rf_grant);

int rf_grant_reserved(unsigned int number, u32 domain, phys_addr_t address, unsigned int frames,
		      bool writable)
{
	unsigned long flags;
	int error;

	if (WARN_ON_ONCE(number >= RESERVED || !fits(domain, address, frames)))
		return -EINVAL;
	spin_lock_irqsave(&lock, flags);
	error = pages[0] ? 0 : add_page();
	spin_unlock_irqrestore(&lock, flags);
	if (!error)
		write_entry(number, domain, address, frames, writable);
	return error;
}

/* --- Taking back */

static bool is_unused(unsigned int number)
{
	WRITE_ONCE(entry_of(number)->grant, 0);
	smp_mb();
	return !READ_ONCE(entry_of(number)->in_use);
}

bool rf_grant_revoke(unsigned int number)
{
	bool unused = is_unused(number);
	unsigned long flags;

	/* What the other side wrote is read after this. */
	smp_rmb();
	if (unused) {
		spin_lock_irqsave(&lock, flags);
		give_number(number);
		spin_unlock_irqrestore(&lock, flags);
	}
	return unused;
}
EXPORT_SYMBOL_GPL(rf_grant_revoke);

static void put_on_list(unsigned int number, struct page *page, unsigned int order)
{
	unsigned long flags;

	set_page_private(page, number);
	page->index = order;
	spin_lock_irqsave(&lock, flags);
	list_add_tail(&page->lru, &waiting);
	waiting_count++;
	spin_unlock_irqrestore(&lock, flags);
	schedule_delayed_work(&waiting_work, HZ);
}

void rf_grant_free(unsigned int number, struct page *page, unsigned int order)
{
	if (rf_grant_revoke(number))
		__free_pages(page, order);
	else
		put_on_list(number, page, order);
}
EXPORT_SYMBOL_GPL(rf_grant_free);

/* Those that nobody uses any more come off the list. */
static void take_unused(struct list_head *unused)
{
	struct page *page, *next;

	spin_lock_irq(&lock);
	list_for_each_entry_safe(page, next, &waiting, lru) {
		if (!is_unused(page_private(page)))
			continue;
		list_move(&page->lru, unused);
		give_number(page_private(page));
		waiting_count--;
	}
	spin_unlock_irq(&lock);
}

static void look_at_waiting(struct work_struct *work)
{
	struct page *page, *next;
	LIST_HEAD(unused);

	take_unused(&unused);
	list_for_each_entry_safe(page, next, &unused, lru) {
		unsigned int order = page->index;

		list_del(&page->lru);
		set_page_private(page, 0);
		page->index = 0;
		__free_pages(page, order);
	}
	if (READ_ONCE(waiting_count))
		schedule_delayed_work(&waiting_work, HZ);
}

void rf_grant_count(struct rf_grant_counts *counts)
{
	spin_lock_irq(&lock);
	counts->granted = taken;
	counts->waiting = waiting_count;
	spin_unlock_irq(&lock);
}
