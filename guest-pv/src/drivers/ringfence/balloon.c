// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon: how much memory this domain has. The control domain writes into memory/target of the store how
 * many KiB it should be; what is more is taken from Linux and released to the machine, what is less is
 * asked back, up to what the domain had at its start.
 *
 * Both go in pieces of 2 MiB where there are any, so that the hypervisor's mappings stay large, else of
 * 4 KiB; a step at most BATCH of them, and other work between two steps. When the guest's own programs need what
 * is to be released, or the machine has nothing to give, it is tried again after a while.
 *
 * What has been released stays in the kernel's direct map: a stray access faults, no more. Pages are marked as
 * offline, so that nobody looks into them.
 *
 * /sys/kernel/ringfence/target is the same target, to be read and written; `memory` there has the frames.
 */
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include <asm/ringfence/abi/domain.h>
#include <asm/ringfence/abi/memory.h>
#include <asm/ringfence/hypercall.h>
#include <asm/ringfence/start.h>

#include "store.h"

#define BATCH		64
#define LARGE_ORDER	9
#define LARGE_PAGES	(1UL << LARGE_ORDER)
#define KEEP_PAGES	(16UL << (20 - PAGE_SHIFT))	/* available to programs, at least */
#define RETRY_TIME	HZ
#define KIB_PER_PAGE	(PAGE_SIZE / 1024)

/* What has been released, by its order. Of the work item only. */
struct released {
	unsigned int order;
	unsigned long count;
	struct list_head pages;		/* by lru */
};

static struct released large = { LARGE_ORDER, 0, LIST_HEAD_INIT(large.pages) };
static struct released small = { 0, 0, LIST_HEAD_INIT(small.pages) };
static unsigned long target;		/* in pages; 0: none was given */

static void adjust(struct work_struct *work);
static DECLARE_DELAYED_WORK(adjust_work, adjust);

/* Frames that this domain owns, and may own. */
static int read_frames(u64 *frames, u64 *most)
{
	struct rf_domain_info *info = kzalloc(sizeof(*info), GFP_NOIO);
	long error;

	if (!info)
		return -ENOMEM;
	error = rf_call2(RF_HYPERCALL_domain_info, RF_DOMAIN_SELF, (unsigned long)info);
	*frames = info->frames;
	*most = info->frames_max;
	kfree(info);
	return error;
}

/* --- One step: extents of some pages */

static unsigned int perform(enum rf_hypercall number, struct page **pages, unsigned int count,
			    unsigned int order)
{
	struct rf_memory_extent extents[BATCH];
	unsigned int done = 0, i;

	for (i = 0; i < count; i++)
		extents[i] = (struct rf_memory_extent){ page_to_pfn(pages[i]), order, 0 };
	while (done < count) {
		long result = rf_call(number, RF_DOMAIN_SELF, (unsigned long)&extents[done],
				      count - done);

		if (result <= 0)
			break;
		done += result;
	}
	return done;
}

static void mark(struct page *page, unsigned int order, bool offline)
{
	unsigned int i;

	for (i = 0; i < 1U << order; i++) {
		if (offline)
			__SetPageOffline(page + i);
		else
			__ClearPageOffline(page + i);
		adjust_managed_page_count(page + i, offline ? -1 : 1);
	}
}

/* --- Releasing */

static struct page *take_page(unsigned int order)
{
	gfp_t flags = GFP_HIGHUSER | __GFP_NOWARN | __GFP_NORETRY | __GFP_NOMEMALLOC;

	if (si_mem_available() < KEEP_PAGES + (1UL << order))
		return NULL;
	return alloc_pages(order ? flags & ~__GFP_RECLAIM : flags, order);
}

static void note_released(struct released *list, struct page *page)
{
	mark(page, list->order, true);
	list_add(&page->lru, &list->pages);
	list->count++;
}

/* Returns how many pages it released, as they are counted. */
static unsigned long release(struct released *list, unsigned long pages)
{
	struct page *taken[BATCH];
	unsigned int count = 0, done, i;

	while (count < BATCH && (count + 1UL) << list->order <= pages) {
		taken[count] = take_page(list->order);
		if (!taken[count])
			break;
		count++;
	}
	done = count ? perform(RF_HYPERCALL_memory_release, taken, count, list->order) : 0;
	for (i = 0; i < done; i++)
		note_released(list, taken[i]);
	for (; i < count; i++)
		__free_pages(taken[i], list->order);
	return (unsigned long)done << list->order;
}

/* --- Taking back */

static void give_back(struct released *list, struct page *page)
{
	list_del(&page->lru);
	list->count--;
	mark(page, list->order, false);
	__free_pages(page, list->order);
}

static unsigned long populate(struct released *list, unsigned long pages)
{
	struct page *wanted[BATCH], *page;
	unsigned int count = 0, done, i;

	list_for_each_entry(page, &list->pages, lru) {
		if (count == BATCH || (count + 1UL) << list->order > pages)
			break;
		wanted[count++] = page;
	}
	done = count ? perform(RF_HYPERCALL_memory_populate, wanted, count, list->order) : 0;
	for (i = 0; i < done; i++)
		give_back(list, wanted[i]);
	return (unsigned long)done << list->order;
}

/* The machine has no 2 MiB in one piece, or not so much is wanted. */
static void split_one(void)
{
	struct page *page = list_first_entry(&large.pages, struct page, lru);
	unsigned int i;

	list_del(&page->lru);
	large.count--;
	split_page(page, LARGE_ORDER);
	for (i = 0; i < LARGE_PAGES; i++)
		list_add(&page[i].lru, &small.pages);
	small.count += LARGE_PAGES;
}

static unsigned long take_back(unsigned long pages)
{
	unsigned long done = populate(&large, pages);

	if (done)
		return done;
	if (!small.count && large.count)
		split_one();
	return populate(&small, pages);
}

/* --- Steps */

static unsigned long step(unsigned long now, unsigned long wanted)
{
	unsigned long done;

	if (now < wanted)
		return take_back(wanted - now);
	done = release(&large, now - wanted);
	return done ? done : release(&small, now - wanted);
}

static void adjust(struct work_struct *work)
{
	unsigned long wanted = READ_ONCE(target);
	u64 now, most;

	if (!wanted || read_frames(&now, &most))
		return;
	wanted = min_t(u64, wanted, most);
	if (now == wanted || (now < wanted && !large.count && !small.count))
		return;
	queue_delayed_work(system_unbound_wq, &adjust_work, step(now, wanted) ? 0 : RETRY_TIME);
}

static void set_target(u64 kib)
{
	WRITE_ONCE(target, max_t(u64, kib / KIB_PER_PAGE, 1));
	mod_delayed_work(system_unbound_wq, &adjust_work, 0);
}

/* --- Who says how much */

static void target_changed(void *unused, const char *path)
{
	u64 kib;
	int error = rf_store_read_number(RF_STORE_ALONE, "memory", "target", &kib);

	if (!error)
		set_target(kib);
	else if (error != -ENOENT)
		pr_warn("ringfence: the memory's target cannot be read: %d\n", error);
}

static ssize_t target_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	u64 now, most;
	int error = read_frames(&now, &most);

	if (error)
		return error;
	return sysfs_emit(text, "%llu\n", (READ_ONCE(target) ?: now) * KIB_PER_PAGE);
}

static ssize_t target_store(struct kobject *object, struct kobj_attribute *attribute,
			    const char *text, size_t size)
{
	u64 kib;
	int error = kstrtou64(text, 10, &kib);

	if (error)
		return error;
	set_target(kib);
	return size;
}

static struct kobj_attribute target_attribute = __ATTR_RW_MODE(target, 0600);

static int __init rf_balloon_init(void)
{
	if (!rf_domain() || rf_is_control())
		return 0;
	if (!rf_store_watch("memory/target", target_changed, NULL))
		return -ENOMEM;
	return rf_sysfs_folder ? sysfs_create_file(rf_sysfs_folder, &target_attribute.attr) : 0;
}
device_initcall(rf_balloon_init);
