// SPDX-License-Identifier: GPL-2.0
/*
 * Grants of other domains, for the control domain's programs: mapped at an offset of the file, which mmap()
 * shows, and copied from and to.
 *
 * A grant is given back when nothing can reach it: the program has given it up, no address space has it, and nobody
 * has a reference to one of its pages. The first two are references here. References to pages are what
 * O_DIRECT takes, or a pipe, and last longer than the mapping they were found by; nobody tells us when
 * they go, so we look again: at once, since O_DIRECT lets go just after it has said that it is done, and then
 * less and less often.
 *
 * Lock: handle->mutex, for what is at which offset.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pfn.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>

#include <asm/ringfence/grant_map.h>

#include "control.h"

#define AREA_PAGES	RF_CONTROL_GRANT_FRAMES	/* from the offset of one to that of the next */
#define LOOK_LAST	HZ
#define BATCH_PIECES	64

struct area {
	struct kref references;
	struct rf_granted granted;
	u32 domain;
	bool writable;
	unsigned long delay;
	struct delayed_work look;
};

static void give_back(struct area *area)
{
	rf_granted_end(&area->granted);
	kfree(area);
}

static void look_again(struct area *area)
{
	if (!rf_granted_busy(&area->granted)) {
		give_back(area);
		return;
	}
	schedule_delayed_work(&area->look, area->delay);
	area->delay = min_t(unsigned long, 2 * area->delay + 1, LOOK_LAST);
}

static void look(struct work_struct *work)
{
	look_again(container_of(to_delayed_work(work), struct area, look));
}

static void end_area(struct kref *references)
{
	look_again(container_of(references, struct area, references));
}

static void put_area(struct area *area)
{
	kref_put(&area->references, end_area);
}

/* --- Mapping */

static struct area *new_area(u32 domain, u32 flags, unsigned int frames)
{
	struct area *area = kzalloc(sizeof(*area), GFP_KERNEL);

	if (!area)
		return NULL;
	if (rf_granted_init(&area->granted, frames)) {
		kfree(area);
		return NULL;
	}
	kref_init(&area->references);
	area->domain = domain;
	area->writable = flags & RF_GRANT_MAP_WRITE;
	INIT_DELAYED_WORK(&area->look, look);
	return area;
}

/* How many frames; 0: too many, or something is wrong. */
static unsigned int count_frames(const struct rf_control_segment *segments, u32 count)
{
	unsigned int frames = 0;
	u32 i;

	for (i = 0; i < count; i++) {
		if (segments[i].reserved || segments[i].count < 1 ||
		    segments[i].count > RF_CONTROL_GRANT_FRAMES - frames)
			return 0;
		frames += segments[i].count;
	}
	return frames;
}

static int map_segments(struct area *area, const struct rf_control_segment *segments, u32 count,
			u32 flags)
{
	int error = 0;
	u32 i;

	for (i = 0; i < count && !error; i++)
		error = rf_granted_add(&area->granted, area->domain, segments[i].grant,
				       segments[i].first, segments[i].count, flags);
	return error;
}

static int map_area(struct control_handle *handle, struct rf_control_grant_map *c,
		    const struct rf_control_segment *segments)
{
	unsigned int frames = count_frames(segments, c->count);
	struct area *area;
	int error;
	u32 id;

	if (!frames)
		return -EINVAL;
	area = new_area(c->domain, c->flags, frames);
	if (!area)
		return -ENOMEM;
	error = map_segments(area, segments, c->count, c->flags);
	if (!error)
		error = xa_alloc(&handle->grants, &id, area, XA_LIMIT(0, RF_CONTROL_GRANTS - 1),
				 GFP_KERNEL);
	if (error) {
		put_area(area);
		return error == -EBUSY ? -EMFILE : error;
	}
	c->offset = (u64)id * AREA_PAGES * PAGE_SIZE;
	return 0;
}

long rf_control_grant_map(struct control_handle *handle, void *argument)
{
	struct rf_control_grant_map *c = argument;
	struct rf_control_segment *segments;
	long result;

	if (c->reserved || c->offset || c->flags & ~RF_GRANT_MAP_WRITE || !c->count ||
	    rf_control_is_own(c->domain))
		return -EINVAL;
	if (c->count > RF_CONTROL_GRANT_FRAMES)
		return -E2BIG;
	segments = memdup_user(u64_to_user_ptr(c->segments), c->count * sizeof(*segments));
	if (IS_ERR(segments))
		return PTR_ERR(segments);
	result = map_area(handle, c, segments);
	kfree(segments);
	return result;
}

long rf_control_grant_unmap(struct control_handle *handle, void *argument)
{
	const struct rf_control_grant_unmap *c = argument;
	u64 id = c->offset / (AREA_PAGES * PAGE_SIZE);
	struct area *area;

	if (c->reserved || c->offset % (AREA_PAGES * PAGE_SIZE) || id >= RF_CONTROL_GRANTS)
		return -EINVAL;
	mutex_lock(&handle->mutex);
	area = xa_load(&handle->grants, id);
	if (area && area->domain == c->domain)
		xa_erase(&handle->grants, id);
	else
		area = NULL;
	mutex_unlock(&handle->mutex);
	if (!area)
		return -ENOENT;
	put_area(area);
	return 0;
}

/* --- mmap() */

static void area_open(struct vm_area_struct *vma)
{
	struct area *area = vma->vm_private_data;

	kref_get(&area->references);
}

/* Its translations are gone from all CPUs. */
static void area_close(struct vm_area_struct *vma)
{
	put_area(vma->vm_private_data);
}

static const struct vm_operations_struct area_operations = {
	.open	= area_open,
	.close	= area_close,
};

static struct area *find_area(struct control_handle *handle, unsigned long page)
{
	struct area *area = NULL;

	if (page % AREA_PAGES || page / AREA_PAGES >= RF_CONTROL_GRANTS)
		return NULL;
	mutex_lock(&handle->mutex);
	area = xa_load(&handle->grants, page / AREA_PAGES);
	if (area)
		kref_get(&area->references);
	mutex_unlock(&handle->mutex);
	return area;
}

static int check_area(const struct area *area, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED) || vma_pages(vma) != area->granted.frames)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC || (vma->vm_flags & VM_WRITE && !area->writable))
		return -EACCES;
	return 0;
}

/* Nobody gets a reference to what the kernel itself cannot reach: it has no use for it. */
static int insert_page(struct vm_area_struct *vma, unsigned long address, const struct area *area,
		       struct page *page)
{
	if (area->granted.direct)
		return vm_insert_page(vma, address, page);
	return vmf_insert_pfn(vma, address, page_to_pfn(page)) == VM_FAULT_NOPAGE ? 0 : -ENOMEM;
}

static int insert_pages(struct vm_area_struct *vma, const struct area *area)
{
	unsigned int i;
	int error = 0;

	vma->vm_flags |= area->granted.direct ? VM_MIXEDMAP : VM_PFNMAP;
	vma->vm_flags |= VM_DONTEXPAND | VM_DONTCOPY | VM_DONTDUMP;
	vma->vm_flags &= ~(VM_MAYEXEC | (area->writable ? 0 : VM_MAYWRITE));
	for (i = 0; i < area->granted.frames && !error; i++)
		error = insert_page(vma, vma->vm_start + i * PAGE_SIZE, area,
				    area->granted.pages[i]);
	/* Now, while we have a reference to the area, not when we have returned. */
	if (error)
		zap_page_range(vma, vma->vm_start, vma->vm_end - vma->vm_start);
	return error;
}

int rf_control_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct area *area = find_area(file->private_data, vma->vm_pgoff);
	int error;

	if (!area)
		return -EINVAL;
	error = check_area(area, vma);
	if (!error)
		error = insert_pages(vma, area);
	if (error) {
		put_area(area);
		return error;
	}
	vma->vm_private_data = area;
	vma->vm_ops = &area_operations;
	return 0;
}

/* --- Copying */

/* Pieces that are copied with one hypercall, and the page of the program's that each has. */
struct batch {
	struct rf_grant_copy copies[BATCH_PIECES];
	struct page *pages[BATCH_PIECES];
	bool written[BATCH_PIECES];
	unsigned int count;
};

static struct rf_grant_copy copy_of(u32 domain, const struct rf_control_grant_piece *piece,
				    const struct page *page)
{
	struct rf_grant_place other = {
		.domain	 = domain,
		.grant	 = piece->grant,
		.address = piece->address,
	};
	struct rf_grant_place own = {
		.domain	 = RF_DOMAIN_SELF,
		.address = PFN_PHYS(page_to_pfn(page)) + offset_in_page(piece->own),
	};

	return (struct rf_grant_copy){
		.from  = piece->direction == RF_COPY_FROM ? other : own,
		.to    = piece->direction == RF_COPY_FROM ? own : other,
		.bytes = piece->bytes,
	};
}

/* What the program shows of another's grant is not its own: the hypervisor refuses it. */
static long add_piece(struct batch *batch, u32 domain, const struct rf_control_grant_piece *piece)
{
	bool write = piece->direction == RF_COPY_FROM;
	struct page **page = &batch->pages[batch->count];
	int pinned;

	if (piece->direction > RF_COPY_TO || !piece->bytes ||
	    piece->bytes > PAGE_SIZE - offset_in_page(piece->own))
		return -EINVAL;
	pinned = pin_user_pages_fast(piece->own & PAGE_MASK, 1, write ? FOLL_WRITE : 0, page);
	if (pinned != 1)
		return pinned < 0 ? pinned : -EFAULT;
	batch->written[batch->count] = write;
	batch->copies[batch->count++] = copy_of(domain, piece, *page);
	return 0;
}

static void unpin_batch(struct batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->count; i++)
		unpin_user_pages_dirty_lock(&batch->pages[i], 1, batch->written[i]);
}

/*
 * The next pieces, as many as go with one call. How many were copied; an error: not even the first.
 * What comes before a piece that is wrong is copied.
 */
static long copy_batch(struct batch *batch, u32 domain, const struct rf_control_grant_piece *pieces,
		       u32 count)
{
	long result = 0;

	batch->count = 0;
	while (batch->count < min_t(u32, count, BATCH_PIECES) && !result)
		result = add_piece(batch, domain, &pieces[batch->count]);
	if (batch->count)
		result = rf_call2(RF_HYPERCALL_grant_copy, (unsigned long)batch->copies,
				  batch->count);
	unpin_batch(batch);
	return result;
}

static long copy_pieces(struct batch *batch, u32 domain,
			const struct rf_control_grant_piece *pieces, u32 count)
{
	long result = 0;
	u32 done;

	for (done = 0; done < count; done += result) {
		result = fatal_signal_pending(current) ?
				 -EINTR :
				 copy_batch(batch, domain, &pieces[done], count - done);
		if (result < 0)
			break;
		cond_resched();
	}
	return done || result >= 0 ? done : result;
}

static long copy_with_batch(u32 domain, const struct rf_control_grant_piece *pieces, u32 count)
{
	struct batch *batch = kvmalloc(sizeof(*batch), GFP_KERNEL);
	long result;

	if (!batch)
		return -ENOMEM;
	result = copy_pieces(batch, domain, pieces, count);
	kvfree(batch);
	return result;
}

long rf_control_grant_copy(struct control_handle *handle, void *argument)
{
	const struct rf_control_grant_copy *c = argument;
	struct rf_control_grant_piece *pieces;
	long result;

	if (rf_control_is_own(c->domain))
		return -EINVAL;
	if (c->count > RF_COPY_MAX)
		return -E2BIG;
	pieces = memdup_user(u64_to_user_ptr(c->pieces), c->count * sizeof(*pieces));
	if (IS_ERR(pieces))
		return PTR_ERR(pieces);
	result = copy_with_batch(c->domain, pieces, c->count);
	kfree(pieces);
	return result;
}

/* --- All of a file */

bool rf_control_has_grants(struct control_handle *handle)
{
	return !xa_empty(&handle->grants);
}

/* Nothing is mapped any more: who maps has a reference to the file. */
void rf_control_end_grants(struct control_handle *handle)
{
	struct area *area;
	unsigned long id;

	xa_for_each(&handle->grants, id, area)
		put_area(area);
	xa_destroy(&handle->grants);
}
