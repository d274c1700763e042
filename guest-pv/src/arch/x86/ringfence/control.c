// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ringfence: the control domain's programs ask the hypervisor. What may be asked is one table; see
 * abi/control_device.h for what it means. The calls are in control_domain.c, control_event.c and control_grant.c;
 * arguments are copied here, to memory of the kernel and back.
 *
 * A file that is locked to a domain knows it by its serial number. The number of a domain is not
 * given again while somebody who has compared the two is at work: creating waits for them.
 */
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "control.h"

static DECLARE_RWSEM(numbers);		/* read while a domain's number must stay its own */
static DECLARE_WAIT_QUEUE_HEAD(waiters);
static atomic64_t news = ATOMIC64_INIT(1);

/* --- Who may call what */

static const struct call {
	unsigned int command;
	long (*perform)(struct control_handle *handle, void *argument);
} calls[] = {
	{ RF_CONTROL_DOMAIN_CREATE,	rf_control_create },
	{ RF_CONTROL_DOMAIN_SET,		rf_control_set },
	{ RF_CONTROL_DOMAIN_COPY,	rf_control_copy },
	{ RF_CONTROL_DOMAIN_TRIGGER,	rf_control_trigger },
	{ RF_CONTROL_DOMAIN_INFO,	rf_control_info },
	{ RF_CONTROL_DOMAIN_DESTROY,	rf_control_destroy },
	{ RF_CONTROL_CONSOLE_READ,	rf_control_console_read },
	{ RF_CONTROL_COUNTERS,		rf_control_counters },
	{ RF_CONTROL_MEMORY_POPULATE,	rf_control_populate },
	{ RF_CONTROL_MEMORY_RELEASE,	rf_control_release },
	{ RF_CONTROL_EVENT_LISTEN,	rf_control_event_listen },
	{ RF_CONTROL_EVENT_CONNECT,	rf_control_event_connect },
	{ RF_CONTROL_GRANT_MAP,		rf_control_grant_map },
	{ RF_CONTROL_GRANT_UNMAP,	rf_control_grant_unmap },
	{ RF_CONTROL_GRANT_COPY,		rf_control_grant_copy },
	{ RF_CONTROL_DOMAIN_KEEP,	rf_control_keep },
};

u64 rf_control_serial(u32 domain)
{
	struct rf_domain_info info;

	/* Nor is RF_DOMAIN_NEXT with a number a domain. */
	if (rf_call2(RF_HYPERCALL_domain_info, domain, (unsigned long)&info) ||
	    info.domain != domain)
		return 0;
	return info.serial;
}

static long create_as(struct control_handle *handle, void *argument)
{
	long result;

	if (handle->locked)
		return -EPERM;
	down_write(&numbers);
	result = rf_control_create(handle, argument);
	up_write(&numbers);
	return result;
}

static long call_as(struct control_handle *handle, const struct call *call, void *argument)
{
	const u32 *domain = argument;
	long result = -EPERM;

	if (call->perform == rf_control_create)
		return create_as(handle, argument);
	down_read(&numbers);
	/* What it has of a domain that is no more it may give back. */
	if (!handle->locked || call->perform == rf_control_grant_unmap ||
	    (*domain == handle->domain && rf_control_serial(*domain) == handle->serial))
		result = call->perform(handle, argument);
	up_read(&numbers);
	return result;
}

/* With the lock. */
static long lock_to(struct control_handle *handle, u32 domain, u64 serial)
{
	if (handle->locked)
		return handle->domain == domain && handle->serial == serial ? 0 : -EPERM;
	if (rf_control_has_ports(handle) || rf_control_has_grants(handle))
		return -EBUSY;
	handle->domain = domain;
	handle->serial = serial;
	handle->locked = true;
	return 0;
}

static long lock_handle(struct control_handle *handle, const struct rf_control_domain *c)
{
	u64 serial;
	long result;

	if (c->reserved || rf_control_is_own(c->domain))
		return -EINVAL;
	serial = rf_control_serial(c->domain);
	if (!serial)
		return -ESRCH;
	down_write(&handle->lock);
	result = lock_to(handle, c->domain, serial);
	up_write(&handle->lock);
	return result;
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
static long perform(struct control_handle *handle, const struct call *call, void *argument)
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

static bool has_news(struct control_handle *handle)
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
	struct control_handle *handle = file->private_data;
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
	struct control_handle *handle = kzalloc(sizeof(*handle), GFP_KERNEL);

	if (!handle)
		return -ENOMEM;
	kref_init(&handle->references);
	init_rwsem(&handle->lock);
	mutex_init(&handle->mutex);
	INIT_LIST_HEAD(&handle->ports);
	xa_init_flags(&handle->grants, XA_FLAGS_ALLOC);
	xa_init(&handle->fleeting);
	file->private_data = handle;
	return stream_open(inode, file);
}

static void free_handle(struct kref *references)
{
	kfree(container_of(references, struct control_handle, references));
}

void rf_control_put(struct control_handle *handle)
{
	kref_put(&handle->references, free_handle);
}

/* The other domains are told last, when we use nothing of theirs any more. */
static int control_release(struct inode *inode, struct file *file)
{
	struct control_handle *handle = file->private_data;

	rf_control_end_grants(handle);
	rf_control_end_ports(handle);
	down_read(&numbers);
	rf_control_end_fleeting(handle);
	up_read(&numbers);
	rf_control_put(handle);
	return 0;
}

static const struct file_operations control_operations = {
	.owner		= THIS_MODULE,
	.open		= control_open,
	.release	= control_release,
	.unlocked_ioctl	= control_ioctl,
	.poll		= control_poll,
	.read		= control_read,
	.mmap		= rf_control_mmap,
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
