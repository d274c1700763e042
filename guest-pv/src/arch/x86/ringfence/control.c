// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ringfence: the control domain's programs ask the hypervisor. What may be asked is one table; see
 * abi/control_device.h for what it means.
 *
 * The hypervisor reaches only what is mapped: so arguments are copied to memory of the kernel, and what
 * domain_copy copies is pinned and named by its address in the direct map.
 *
 * A file that is locked to a domain knows it by its serial number. The number of a domain is not
 * given again while somebody who has compared the two is at work: creating waits for them.
 */
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <asm/ringfence/abi/control_device.h>
#include <asm/ringfence/abi/memory.h>

#include "ringfence.h"

#define COPY_PAGES	(RF_COPY_SIZE / PAGE_SIZE + 1)
#define CONSOLE_PIECE	4096

struct handle {
	struct rw_semaphore lock;	/* written to lock it */
	bool locked;
	u32 domain;
	u64 serial;
	u64 seen;			/* news that were read */
};

static DECLARE_RWSEM(numbers);		/* read while a domain's number must stay its own */
static DECLARE_WAIT_QUEUE_HEAD(waiters);
static atomic64_t news = ATOMIC64_INIT(1);

/* --- The calls */

static long call_create(void *argument)
{
	struct rf_control_create *c = argument;
	long domain;

	if (c->reserved)
		return -EINVAL;
	domain = rf_call1(RF_HYPERCALL_domain_create, (unsigned long)&c->config);
	if (domain < 0)
		return domain;
	c->domain = domain;
	return 0;
}

static long call_set(void *argument)
{
	struct rf_control_set *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call2(RF_HYPERCALL_domain_set, c->domain, (unsigned long)&c->set);
}

static long call_info(void *argument)
{
	struct rf_control_info *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call2(RF_HYPERCALL_domain_info, c->domain, (unsigned long)&c->info);
}

static long call_destroy(void *argument)
{
	struct rf_control_domain *c = argument;

	if (c->reserved)
		return -EINVAL;
	return rf_call1(RF_HYPERCALL_domain_destroy, c->domain);
}

static long call_counters(void *argument)
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

static long call_trigger(void *argument)
{
	const struct rf_control_trigger *c = argument;

	if (c->what == RF_TRIGGER_INPUT)
		return send_input(c);
	return rf_call4(RF_HYPERCALL_domain_trigger, c->domain, c->what, c->argument, c->length);
}

/* The kernel has a console of its own: what was typed for that is not to be taken from it. */
static bool is_own(u32 domain)
{
	return domain == RF_DOMAIN_SELF || domain == rf_start_info.domain;
}

static long call_console_read(void *argument)
{
	struct rf_control_console *c = argument;
	unsigned long length = min_t(u32, c->length, CONSOLE_PIECE);
	void *text;
	long result;

	if (is_own(c->domain))
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

	if (is_own(c->domain))
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

static long call_populate(void *argument)
{
	return call_memory(RF_HYPERCALL_memory_populate, argument);
}

static long call_release(void *argument)
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

static long call_copy(void *argument)
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

/* --- Who may call what */

static const struct call {
	unsigned int command;
	long (*perform)(void *argument);
} calls[] = {
	{ RF_CONTROL_DOMAIN_CREATE,	call_create },
	{ RF_CONTROL_DOMAIN_SET,	call_set },
	{ RF_CONTROL_DOMAIN_COPY,	call_copy },
	{ RF_CONTROL_DOMAIN_TRIGGER,	call_trigger },
	{ RF_CONTROL_DOMAIN_INFO,	call_info },
	{ RF_CONTROL_DOMAIN_DESTROY,	call_destroy },
	{ RF_CONTROL_CONSOLE_READ,	call_console_read },
	{ RF_CONTROL_COUNTERS,		call_counters },
	{ RF_CONTROL_MEMORY_POPULATE,	call_populate },
	{ RF_CONTROL_MEMORY_RELEASE,	call_release },
};

/* Zero: there is no such domain. */
static u64 serial_of(u32 domain)
{
	struct rf_domain_info info;

	if (rf_call2(RF_HYPERCALL_domain_info, domain, (unsigned long)&info))
		return 0;
	return info.serial;
}

static long create_as(const struct handle *handle, void *argument)
{
	long result;

	if (handle->locked)
		return -EPERM;
	down_write(&numbers);
	result = call_create(argument);
	up_write(&numbers);
	return result;
}

static long call_as(const struct handle *handle, const struct call *call, void *argument)
{
	const u32 *domain = argument;
	long result = -EPERM;

	if (call->perform == call_create)
		return create_as(handle, argument);
	down_read(&numbers);
	if (!handle->locked ||
	    (*domain == handle->domain && serial_of(*domain) == handle->serial))
		result = call->perform(argument);
	up_read(&numbers);
	return result;
}

static long lock_handle(struct handle *handle, const struct rf_control_domain *c)
{
	u64 serial;

	if (c->reserved || is_own(c->domain))
		return -EINVAL;
	serial = serial_of(c->domain);
	if (!serial)
		return -ESRCH;
	down_write(&handle->lock);
	if (!handle->locked) {
		handle->domain = c->domain;
		handle->serial = serial;
		handle->locked = true;
	} else if (handle->domain != c->domain || handle->serial != serial) {
		serial = 0;
	}
	up_write(&handle->lock);
	return serial ? 0 : -EPERM;
}

/* --- The file */

static const struct call *find_call(unsigned int command)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(calls); i++)
		if (calls[i].command == command)
			return &calls[i];
	return NULL;
}

/* call NULL: RF_CONTROL_LOCK. */
static long perform(struct handle *handle, const struct call *call, void *argument)
{
	long result;

	if (!call)
		return lock_handle(handle, argument);
	down_read(&handle->lock);
	result = call_as(handle, call, argument);
	up_read(&handle->lock);
	return result;
}

static long control_ioctl(struct file *file, unsigned int command, unsigned long address)
{
	const struct call *call = find_call(command);
	unsigned int size = _IOC_SIZE(command);
	void *argument;
	long result;

	if (!call && command != RF_CONTROL_LOCK)
		return -ENOTTY;
	argument = memdup_user((void __user *)address, size);
	if (IS_ERR(argument))
		return PTR_ERR(argument);
	result = perform(file->private_data, call, argument);
	if (result >= 0 && copy_to_user((void __user *)address, argument, size))
		result = -EFAULT;
	kfree(argument);
	return result;
}

static bool has_news(const struct handle *handle)
{
	return atomic64_read(&news) != READ_ONCE(handle->seen);
}

static __poll_t control_poll(struct file *file, poll_table *table)
{
	poll_wait(file, &waiters, table);
	return has_news(file->private_data) ? EPOLLIN | EPOLLRDNORM : 0;
}

static ssize_t control_read(struct file *file, char __user *text, size_t size, loff_t *position)
{
	struct handle *handle = file->private_data;
	u64 now, count;

	if (size < sizeof(count))
		return -EINVAL;
	if (!has_news(handle) && (file->f_flags & O_NONBLOCK))
		return -EAGAIN;
	if (wait_event_interruptible(waiters, has_news(handle)))
		return -ERESTARTSYS;
	now = atomic64_read(&news);
	count = now - xchg(&handle->seen, now);
	return copy_to_user(text, &count, sizeof(count)) ? -EFAULT : sizeof(count);
}

static int control_open(struct inode *inode, struct file *file)
{
	struct handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);

	if (!handle)
		return -ENOMEM;
	init_rwsem(&handle->lock);
	file->private_data = handle;
	return stream_open(inode, file);
}

static int control_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations control_operations = {
	.owner		= THIS_MODULE,
	.open		= control_open,
	.release	= control_release,
	.unlocked_ioctl	= control_ioctl,
	.poll		= control_poll,
	.read		= control_read,
	.llseek		= no_llseek,
};

static struct miscdevice control_device = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "ringfence",
	.mode	= 0600,
	.fops	= &control_operations,
};

static irqreturn_t news_came(int irq, void *unused)
{
	atomic64_inc(&news);
	wake_up_interruptible(&waiters);
	return IRQ_HANDLED;
}

static int __init listen_for_news(void)
{
	long port = rf_call1(RF_HYPERCALL_event_listen, RF_DOMAIN_HYPERVISOR);
	int irq;

	if (port < 0)
		return port;
	irq = rf_event_irq(port);
	if (irq < 0)
		return irq;
	return request_irq(irq, news_came, 0, "ringfence-news", &control_device);
}

static int __init rf_control_init(void)
{
	int error;

	if (!rf_domain() || !(rf_start_info.flags & RF_START_CONTROL))
		return 0;
	error = listen_for_news();
	if (error) {
		pr_err("Ringfence: no news of domains: %d\n", error);
		return error;
	}
	return misc_register(&control_device);
}
device_initcall(rf_control_init);
