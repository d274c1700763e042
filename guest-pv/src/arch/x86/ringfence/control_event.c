// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels of the control domain's programs. Each port is an interrupt of ours, and a file that
 * says whether it was raised; see abi/control_device.h for what that file does.
 *
 * When the port is raised, its interrupt is disabled, which masks it at once; reading the file enables
 * it. So another domain gets as many interrupts from us as the program reads.
 *
 * A port belongs to the file of /dev/ringfence and has one of its own; it is closed with the first of the two that
 * goes. But the files of a process that ends go in any order, so there it is closed with the device's: then the
 * other domain is told when its grants are unmapped.
 *
 * Locks: handle->mutex has the list of ports, port->mutex the interrupt of one; in this order.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "control.h"

struct port {
	struct control_handle *handle;
	struct list_head in_handle;	/* as long as the interrupt is there */
	struct kref references;		/* its file, and the list */
	struct mutex mutex;
	int irq;			/* 0: closed */
	unsigned int number;
	atomic_t raised;		/* and the interrupt is disabled */
	wait_queue_head_t waiters;
};

static void free_port(struct kref *references)
{
	struct port *port = container_of(references, struct port, references);

	rf_control_put(port->handle);
	kfree(port);
}

static void put_port(struct port *port)
{
	kref_put(&port->references, free_port);
}

/* --- The interrupt */

static irqreturn_t port_raised(int irq, void *argument)
{
	struct port *port = argument;

	disable_irq_nosync(irq);
	atomic_set(&port->raised, 1);
	wake_up_interruptible(&port->waiters);
	return IRQ_HANDLED;
}

/* Closes the port, too, and so tells the other domain. */
static void end_interrupt(struct port *port)
{
	int irq;

	mutex_lock(&port->mutex);
	irq = port->irq;
	WRITE_ONCE(port->irq, 0);
	if (irq) {
		free_irq(irq, port);
		irq_domain_free_irqs(irq, 1);
	}
	mutex_unlock(&port->mutex);
	wake_up_interruptible(&port->waiters);
}

/* The number of a port becomes its interrupt's, or is closed. */
static int begin_interrupt(struct port *port)
{
	int irq = rf_event_irq(port->number);
	int error;

	if (irq <= 0) {
		rf_call1(RF_HYPERCALL_event_close, port->number);
		return irq ?: -ENOSPC;
	}
	/* Masked at once, not when it comes once more. */
	irq_set_status_flags(irq, IRQ_DISABLE_UNLAZY);
	port->irq = irq;
	error = request_irq(irq, port_raised, 0, "ringfence-program", port);
	if (error) {
		port->irq = 0;
		irq_domain_free_irqs(irq, 1);
	}
	return error;
}

/* --- The file of a port */

static __poll_t port_poll(struct file *file, poll_table *table)
{
	struct port *port = file->private_data;
	__poll_t events = 0;

	poll_wait(file, &port->waiters, table);
	if (!READ_ONCE(port->irq))
		return EPOLLHUP | EPOLLIN;
	if (atomic_read(&port->raised))
		events |= EPOLLIN | EPOLLRDNORM;
	return events | EPOLLOUT | EPOLLWRNORM;
}

/* 1: it was raised, and may be again. */
static int take_raised(struct port *port)
{
	int taken = 0;

	mutex_lock(&port->mutex);
	if (port->irq && atomic_xchg(&port->raised, 0)) {
		enable_irq(port->irq);
		taken = 1;
	}
	mutex_unlock(&port->mutex);
	return taken;
}

static bool can_read(struct port *port)
{
	return atomic_read(&port->raised) || !READ_ONCE(port->irq);
}

static ssize_t port_read(struct file *file, char __user *text, size_t size, loff_t *position)
{
	struct port *port = file->private_data;
	u64 count = 1;

	if (size < sizeof(count))
		return -EINVAL;
	while (!take_raised(port)) {
		if (!READ_ONCE(port->irq))
			return 0;
		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		if (wait_event_interruptible(port->waiters, can_read(port)))
			return -ERESTARTSYS;
	}
	return copy_to_user(text, &count, sizeof(count)) ? -EFAULT : sizeof(count);
}

static ssize_t port_write(struct file *file, const char __user *text, size_t size,
			  loff_t *position)
{
	struct port *port = file->private_data;
	long result = -EPIPE;

	if (size != sizeof(u64))
		return -EINVAL;
	mutex_lock(&port->mutex);
	if (port->irq)
		result = rf_call1(RF_HYPERCALL_event_send, port->number);
	mutex_unlock(&port->mutex);
	return result ?: sizeof(u64);
}

/* Whoever takes it off the list ends it. */
static void close_port(struct port *port)
{
	struct control_handle *handle = port->handle;
	bool listed;

	mutex_lock(&handle->mutex);
	listed = !list_empty(&port->in_handle);
	if (listed) {
		list_del_init(&port->in_handle);
		handle->port_count--;
	}
	mutex_unlock(&handle->mutex);
	if (listed) {
		end_interrupt(port);
		put_port(port);
	}
}

static int port_release(struct inode *inode, struct file *file)
{
	struct port *port = file->private_data;

	if (!(current->flags & PF_EXITING))
		close_port(port);
	put_port(port);
	return 0;
}

static const struct file_operations port_operations = {
	.owner		= THIS_MODULE,
	.release	= port_release,
	.read		= port_read,
	.write		= port_write,
	.poll		= port_poll,
	.llseek		= noop_llseek,
};

/* --- New ones */

static struct port *new_port(struct control_handle *handle, unsigned int number)
{
	struct port *port = kzalloc(sizeof(*port), GFP_KERNEL);

	if (!port)
		return NULL;
	kref_get(&handle->references);
	port->handle = handle;
	port->number = number;
	kref_init(&port->references);
	mutex_init(&port->mutex);
	init_waitqueue_head(&port->waiters);
	INIT_LIST_HEAD(&port->in_handle);
	return port;
}

/* The list has a reference from now on. */
static int list_port(struct port *port)
{
	struct control_handle *handle = port->handle;
	int error = 0;

	mutex_lock(&handle->mutex);
	if (handle->port_count >= RF_CONTROL_PORTS) {
		error = -EMFILE;
	} else {
		kref_get(&port->references);
		list_add(&port->in_handle, &handle->ports);
		handle->port_count++;
	}
	mutex_unlock(&handle->mutex);
	return error;
}

/* A descriptor; the port is closed if there is none. */
static int give_port(struct control_handle *handle, unsigned int number)
{
	struct port *port = new_port(handle, number);
	int file;

	if (!port) {
		rf_call1(RF_HYPERCALL_event_close, number);
		return -ENOMEM;
	}
	file = begin_interrupt(port);
	if (!file) {
		file = list_port(port);
		if (!file)
			file = anon_inode_getfd("[ringfence-port]", &port_operations, port,
						O_RDWR | O_CLOEXEC);
		if (file < 0) {
			close_port(port);
			end_interrupt(port);
		}
	}
	if (file < 0)
		put_port(port);
	return file;
}

static long give(struct control_handle *handle, struct rf_control_event *c, long number)
{
	int file;

	if (number < 0)
		return number;
	file = give_port(handle, number);
	if (file < 0)
		return file;
	c->port = number;
	c->file = file;
	return 0;
}

long rf_control_event_listen(struct control_handle *handle, void *argument)
{
	struct rf_control_event *c = argument;

	if (c->reserved || c->port || rf_control_is_own(c->domain) ||
	    c->domain == RF_DOMAIN_HYPERVISOR)
		return -EINVAL;
	return give(handle, c, rf_call1(RF_HYPERCALL_event_listen, c->domain));
}

long rf_control_event_connect(struct control_handle *handle, void *argument)
{
	struct rf_control_event *c = argument;

	if (c->reserved || rf_control_is_own(c->domain))
		return -EINVAL;
	return give(handle, c, rf_call2(RF_HYPERCALL_event_connect, c->domain, c->port));
}

/* --- All of a file */

bool rf_control_has_ports(struct control_handle *handle)
{
	bool has;

	mutex_lock(&handle->mutex);
	has = handle->port_count;
	mutex_unlock(&handle->mutex);
	return has;
}

static struct port *first_port(struct control_handle *handle)
{
	struct port *port;

	mutex_lock(&handle->mutex);
	port = list_first_entry_or_null(&handle->ports, struct port, in_handle);
	if (port)
		kref_get(&port->references);
	mutex_unlock(&handle->mutex);
	return port;
}

void rf_control_end_ports(struct control_handle *handle)
{
	struct port *port;

	while ((port = first_port(handle))) {
		close_port(port);
		put_port(port);
	}
}
