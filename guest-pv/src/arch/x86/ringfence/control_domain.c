// SPDX-License-Identifier: GPL-2.0
/*
 * What programs of the control domain ask about domains, by /dev/ringfence: making, changing, reading them, and copies
 * from and to their memory.
 *
 * The hypervisor reaches only what is mapped: so arguments were copied to memory of the kernel, and what
 * domain_copy copies is pinned and named by its address in the direct map.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/ringfence/abi/memory.h>

#include "control.h"

#define COPY_PAGES	(RF_COPY_SIZE / PAGE_SIZE + 1)
#define CONSOLE_PIECE	4096

/* --- The calls */

static int note_fleeting(struct control_handle *handle, u32 domain)
{
	int error = xa_err(xa_store(&handle->fleeting, domain,
				    xa_mk_value(rf_control_serial(domain)), GFP_KERNEL));

	if (error)
		rf_call1(RF_HYPERCALL_domain_destroy, domain);
	return error;
}

/* Called while nobody else can make one, so the number is still that domain's. */
long rf_control_create(struct control_handle *handle, void *argument)
{
	struct rf_control_create *c = argument;
	long domain;

	if (c->flags & ~RF_CONTROL_CREATE_FLEETING)
		return -EINVAL;
	domain = rf_call1(RF_HYPERCALL_domain_create, (unsigned long)&c->config);
	if (domain < 0)
		return domain;
	c->domain = domain;
	return c->flags & RF_CONTROL_CREATE_FLEETING ? note_fleeting(handle, domain) : 0;
}

long rf_control_keep(struct control_handle *handle, void *argument)
{
	const struct rf_control_domain *c = argument;

	if (c->reserved)
		return -EINVAL;
	return xa_erase(&handle->fleeting, c->domain) ? 0 : -ENOENT;
}

/* Those that somebody else has destroyed meanwhile, and whose numbers are others', are not ours. */
void rf_control_end_fleeting(struct control_handle *handle)
{
	unsigned long domain;
	void *serial;

	xa_for_each(&handle->fleeting, domain, serial)
		if (rf_control_serial(domain) == xa_to_value(serial))
			rf_call1(RF_HYPERCALL_domain_destroy, domain);
	xa_destroy(&handle->fleeting);
}

long rf_control_set(struct control_handle *handle, void *argument)
{
	struct rf_control_set *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call2(RF_HYPERCALL_domain_set, c->domain, (unsigned long)&c->set);
}

long rf_control_info(struct control_handle *handle, void *argument)
{
	struct rf_control_info *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call2(RF_HYPERCALL_domain_info, c->domain, (unsigned long)&c->info);
}

long rf_control_destroy(struct control_handle *handle, void *argument)
{
	struct rf_control_domain *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call1(RF_HYPERCALL_domain_destroy, c->domain);
}

long rf_control_counters(struct control_handle *handle, void *argument)
{
	struct rf_control_counters *c = argument;

	return rf_call(RF_HYPERCALL_counters, c->domain, c->vcpu, (unsigned long)&c->counters);
}

static long send_input(const struct rf_control_trigger *c)
{
	void *text;
	long result;

	if (c->length > RF_TRIGGER_INPUT_MAX)
		return -E2BIG;
	text = memdup_user(u64_to_user_ptr(c->argument), c->length);
	if (IS_ERR(text))
		return PTR_ERR(text);
	result = rf_call4(RF_HYPERCALL_domain_trigger, c->domain, c->what, (unsigned long)text,
			  c->length);
	kfree(text);
	return result;
}

long rf_control_trigger(struct control_handle *handle, void *argument)
{
	const struct rf_control_trigger *c = argument;

	if (c->what == RF_TRIGGER_INPUT)
		return send_input(c);
	return rf_call4(RF_HYPERCALL_domain_trigger, c->domain, c->what, c->argument, c->length);
}

/* The kernel has a console of its own: what was typed for that is not to be taken from it. */
bool rf_control_is_own(u32 domain)
{
	return domain == RF_DOMAIN_SELF || domain == rf_start_info.domain;
}

long rf_control_console_read(struct control_handle *handle, void *argument)
{
	struct rf_control_console *c = argument;
	unsigned long length = min_t(u32, c->length, CONSOLE_PIECE);
	void *text;
	long result;

	if (rf_control_is_own(c->domain))
		return -EINVAL;
	text = kmalloc(CONSOLE_PIECE, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	result = rf_call4(RF_HYPERCALL_console_read, c->domain, (unsigned long)text, length,
			  (unsigned long)&c->position);
	if (result > 0 && copy_to_user(u64_to_user_ptr(c->text), text, result))
		result = -EFAULT;
	kfree(text);
	return result;
}

/* The kernel's own memory is its own business. */
static long call_memory(enum rf_hypercall number, const struct rf_control_memory *c)
{
	void *extents;
	long result;

	if (rf_control_is_own(c->domain))
		return -EINVAL;
	if (c->count > RF_MEMORY_BATCH_MAX)
		return -E2BIG;
	extents = memdup_user(u64_to_user_ptr(c->extents),
			      c->count * sizeof(struct rf_memory_extent));
	if (IS_ERR(extents))
		return PTR_ERR(extents);
	result = rf_call(number, c->domain, (unsigned long)extents, c->count);
	kfree(extents);
	return result;
}

long rf_control_populate(struct control_handle *handle, void *argument)
{
	return call_memory(RF_HYPERCALL_memory_populate, argument);
}

long rf_control_release(struct control_handle *handle, void *argument)
{
	return call_memory(RF_HYPERCALL_memory_release, argument);
}

/* --- Copying */

/* One operation on pinned pages, a piece a page. */
static long copy_pages(u32 domain, const struct rf_domain_copy *op, struct page **pages)
{
	struct rf_domain_copy pieces[COPY_PAGES];
	unsigned int offset = 0, count = 0;
	long done;

	while (offset < op->size) {
		unsigned int in_page = offset_in_page(op->address + offset);
		unsigned int size = min_t(unsigned int, op->size - offset, PAGE_SIZE - in_page);

		pieces[count] = (struct rf_domain_copy){
			.direction	= op->direction,
			.size		= size,
			.physical	= op->physical + offset,
			.address	= (u64)page_address(pages[count]) + in_page,
		};
		offset += size;
		count++;
	}
	done = rf_call(RF_HYPERCALL_domain_copy, domain, (unsigned long)pieces, count);
	if (done < 0 || done == count)
		return done;
	/* Why it stopped. */
	done = rf_call(RF_HYPERCALL_domain_copy, domain, (unsigned long)&pieces[done], 1);
	return done < 0 ? done : -EAGAIN;
}

static long copy_one(u32 domain, const struct rf_domain_copy *op)
{
	bool write = op->direction == RF_COPY_FROM;
	struct page *pages[COPY_PAGES];
	unsigned long first = op->address & PAGE_MASK;
	int wanted, pinned;
	long result;

	if (op->direction > RF_COPY_TO || op->size > RF_COPY_SIZE ||
	    op->address + op->size < op->address)
		return -EINVAL;
	if (!op->size)
		return 0;
	wanted = (PAGE_ALIGN(op->address + op->size) - first) >> PAGE_SHIFT;
	pinned = pin_user_pages_fast(first, wanted, write ? FOLL_WRITE : 0, pages);
	if (pinned < 0)
		return pinned;
	result = pinned == wanted ? copy_pages(domain, op, pages) : -EFAULT;
	unpin_user_pages_dirty_lock(pages, pinned, write);
	return result;
}

static long copy_all(u32 domain, const struct rf_domain_copy *operations, u32 count)
{
	long error = 0;
	u32 done;

	for (done = 0; done < count; done++) {
		error = fatal_signal_pending(current) ? -EINTR :
							copy_one(domain, &operations[done]);
		if (error < 0)
			break;
		cond_resched();
	}
	return done || error >= 0 ? done : error;
}

long rf_control_copy(struct control_handle *handle, void *argument)
{
	const struct rf_control_copy *c = argument;
	struct rf_domain_copy *operations;
	long result;

	if (c->count > RF_COPY_MAX)
		return -E2BIG;
	operations = memdup_user(u64_to_user_ptr(c->operations), c->count * sizeof(*operations));
	if (IS_ERR(operations))
		return PTR_ERR(operations);
	result = copy_all(c->domain, operations, c->count);
	kfree(operations);
	return result;
}
