// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/xen/xenbus: programs of this domain ask the store, by the protocol of xenstore
 *
 * The name and the meaning are those that its clients know: write() takes messages, in pieces of any
 * size, and returns when the store has answered to those that are whole; read() gives answers and
 * events of watches, as many bytes as there are, and poll() says whether there are any. Who may open it
 * may do all that this domain may: only root, unless somebody changes that.
 *
 * All files share the connection of the kernel. So watches are the kernel's, and events are given to
 * the file that set them; a transaction belongs to the file that has begun it, and does not survive the
 * store. What a file leaves is ended after it by a task of its own, since who was killed waits for nothing.
 *
 * Bounds: answers that nobody reads have further messages refused (ENOBUFS); events that nobody reads
 * become one for each watch, as at its start.
 *
 * Locks: client->requests (one message), then client->lock, a short one, which functions of watches
 * take too.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <asm/ringfence/start.h>

#include "store.h"
#include "store_link.h"

#define UNREAD_MAX	65536	/* bytes of answers, and of events */
#define WATCHES_MAX	64

struct header {
	u32 type;
	u32 request;
	u32 transaction;
	u32 length;
};

struct unread {
	struct list_head list;
	u32 size, done;
	char bytes[];
};

struct client {
	struct mutex requests;
	struct header header;			/* of the message that is being written, */
	char body[STORE_BODY_MAX + 1];
	u32 done;				/* and how many bytes of both there are */
	struct xarray transactions;		/* by number: the connection */
	struct list_head watches;
	unsigned int watch_count;

	spinlock_t lock;			/* of what follows */
	struct list_head unread;
	u32 unread_bytes;
	bool lost;				/* there is a watch that has lost events */
	wait_queue_head_t readers;
	struct work_struct end;
};

/* Path and token, each with a zero, are what an event has. */
struct client_watch {
	struct list_head list;
	struct client *client;
	struct rf_store_watch *watch;
	bool lost;				/* under client->lock: there were events */
	const char *token;
	char path[];
};

/* --- What is to be read */

static struct unread *new_message(const struct header *header, const char *first, u32 first_size,
				  const char *second, u32 second_size)
{
	struct unread *u = kmalloc(struct_size(u, bytes, sizeof(*header) + first_size + second_size),
				   GFP_NOIO | __GFP_NOWARN);

	if (!u)
		return NULL;
	u->done = 0;
	u->size = sizeof(*header) + first_size + second_size;
	memcpy(u->bytes, header, sizeof(*header));
	memcpy(u->bytes + sizeof(*header), first, first_size);
	memcpy(u->bytes + sizeof(*header) + first_size, second, second_size);
	return u;
}

/* With the lock. */
static void add_unread(struct client *client, struct unread *u)
{
	list_add_tail(&u->list, &client->unread);
	client->unread_bytes += u->size;
	wake_up_interruptible(&client->readers);
}

static struct unread *new_event(const struct client_watch *w, const char *path)
{
	u32 path_size = strlen(path) + 1, token_size = strlen(w->token) + 1;
	const struct header header = {
		.type	= STORE_WATCH_EVENT,
		.length	= path_size + token_size,
	};

	return new_message(&header, path, path_size, w->token, token_size);
}

static void watch_changed(void *argument, const char *path)
{
	struct client_watch *w = argument;
	struct unread *u = new_event(w, path);

	spin_lock(&w->client->lock);
	if (u && w->client->unread_bytes < UNREAD_MAX) {
		add_unread(w->client, u);
		u = NULL;
	} else {
		w->lost = true;
		w->client->lost = true;
		wake_up_interruptible(&w->client->readers);
	}
	spin_unlock(&w->client->lock);
	kfree(u);
}

/* Those whose events were too many are told their own path. */
static void tell_lost(struct client *client)
{
	struct client_watch *w;

	mutex_lock(&client->requests);
	WRITE_ONCE(client->lost, false);
	list_for_each_entry(w, &client->watches, list) {
		struct unread *u = READ_ONCE(w->lost) ? new_event(w, w->path) : NULL;

		if (!u)
			continue;
		spin_lock(&client->lock);
		w->lost = false;
		add_unread(client, u);
		spin_unlock(&client->lock);
	}
	mutex_unlock(&client->requests);
}

static int answer(struct client *client, const char *body, u32 length)
{
	const struct header header = {
		.type		= client->header.type,
		.request	= client->header.request,
		.transaction	= client->header.transaction,
		.length		= length,
	};
	struct unread *u = new_message(&header, body, length, "", 0);

	if (!u)
		return -ENOMEM;
	spin_lock(&client->lock);
	add_unread(client, u);
	spin_unlock(&client->lock);
	return 0;
}

static int answer_done(struct client *client)
{
	return answer(client, "OK", sizeof("OK"));
}

static int answer_error(struct client *client, int error)
{
	const char *name = store_link_error_name(error);

	client->header.type = STORE_ERROR;
	return answer(client, name, strlen(name) + 1);
}

/* --- Messages */

/* The answer is freed by the caller, if there is one. */
static int ask(struct client *client, char **reply, u32 *length)
{
	struct kvec piece = { client->body, client->header.length };
	struct store_call call = {
		.type		= client->header.type,
		.transaction	= client->header.transaction,
		.pieces		= &piece,
		.count		= 1,
	};
	int error = store_link_call(&call);

	*reply = error ? NULL : call.reply;
	*length = error ? 0 : call.length;
	return error;
}

static int pass_on(struct client *client)
{
	u32 length;
	char *reply;
	int error = ask(client, &reply, &length);

	if (error)
		return answer_error(client, error);
	error = answer(client, reply, length);
	kfree(reply);
	return error;
}

static int begin_transaction(struct client *client)
{
	u32 connection = store_link_generation(), length, id;
	char *reply;
	int error;

	if (client->header.transaction)
		return answer_error(client, -EBUSY);
	error = ask(client, &reply, &length);
	if (!error)
		error = kstrtou32(reply, 10, &id);
	if (!error)
		error = xa_err(xa_store(&client->transactions, id, xa_mk_value(connection),
					GFP_KERNEL));
	error = error ? answer_error(client, error) : answer(client, reply, length);
	kfree(reply);
	return error;
}

/* Ours, and of this connection to the store. */
static int check_transaction(struct client *client)
{
	void *connection = xa_load(&client->transactions, client->header.transaction);

	if (!client->header.transaction)
		return 0;
	if (!connection)
		return -ENOENT;
	return xa_to_value(connection) == store_link_generation() ? 0 : -EAGAIN;
}

static int end_transaction(struct client *client, int error)
{
	xa_erase(&client->transactions, client->header.transaction);
	return error ? answer_error(client, error) : pass_on(client);
}

/* --- Watches */

/* The body: a path and a token, each with a zero. NULL: it is none. */
static const char *token_of(const struct client *client)
{
	u32 path_size = strnlen(client->body, client->header.length) + 1;
	const char *token = client->body + path_size;

	if (path_size >= client->header.length ||
	    path_size + strlen(token) + 1 != client->header.length)
		return NULL;
	return token;
}

static struct client_watch *find_watch(struct client *client, const char *token)
{
	struct client_watch *w;

	list_for_each_entry(w, &client->watches, list)
		if (!strcmp(w->path, client->body) && !strcmp(w->token, token))
			return w;
	return NULL;
}

/* Setting a watch is not answered to us: whether there can be one is seen by reading what it is for. */
static int check_watch(struct client *client, const char *token)
{
	struct kvec piece = { client->body, strlen(client->body) + 1 };
	struct store_call call = { .type = STORE_READ, .pieces = &piece, .count = 1 };
	int error;

	if (find_watch(client, token))
		return -EEXIST;
	if (client->watch_count == WATCHES_MAX)
		return -E2BIG;
	error = store_link_call(&call);
	if (!error)
		kfree(call.reply);
	if (error == -EINVAL || (error == -EACCES && client->body[0] == '@'))
		return error;
	return 0;
}

static struct client_watch *new_watch(struct client *client)
{
	struct client_watch *w = kzalloc(struct_size(w, path, client->header.length), GFP_KERNEL);

	if (!w)
		return NULL;
	memcpy(w->path, client->body, client->header.length);
	w->token = w->path + strlen(w->path) + 1;
	w->client = client;
	return w;
}

static int set_watch(struct client *client)
{
	const char *token = token_of(client);
	int error = token ? check_watch(client, token) : -EINVAL;
	struct client_watch *w;

	if (error)
		return answer_error(client, error);
	w = new_watch(client);
	/* Its first event follows the answer. */
	error = w ? answer_done(client) : -ENOMEM;
	if (!error)
		w->watch = rf_store_watch(w->path, watch_changed, w);
	if (error || !w->watch) {
		kfree(w);
		return error ? error : -ENOMEM;
	}
	list_add(&w->list, &client->watches);
	client->watch_count++;
	return 0;
}

static void end_watch(struct client_watch *w)
{
	rf_store_unwatch(w->watch);
	list_del(&w->list);
	w->client->watch_count--;
	kfree(w);
}

static int remove_watch(struct client *client)
{
	const char *token = token_of(client);
	struct client_watch *w = token ? find_watch(client, token) : NULL;

	if (!w)
		return answer_error(client, token ? -ENOENT : -EINVAL);
	end_watch(w);
	return answer_done(client);
}

static void end_watches(struct client *client)
{
	struct client_watch *w, *next;

	list_for_each_entry_safe(w, next, &client->watches, list)
		end_watch(w);
}

static int reset_watches(struct client *client)
{
	end_watches(client);
	return answer_done(client);
}

static int perform(struct client *client)
{
	int error = check_transaction(client);

	if (client->header.type == STORE_TRANSACTION_END)
		return end_transaction(client, error);
	if (error)
		return answer_error(client, error);
	switch (client->header.type) {
	case STORE_TRANSACTION_START:
		return begin_transaction(client);
	case STORE_WATCH:
		return set_watch(client);
	case STORE_UNWATCH:
		return remove_watch(client);
	case STORE_RESET_WATCHES:
		return reset_watches(client);
	default:
		return pass_on(client);
	}
}

/* --- The file */

static u32 wanted(const struct client *client)
{
	if (client->done < sizeof(struct header))
		return sizeof(struct header) - client->done;
	return sizeof(struct header) + client->header.length - client->done;
}

/* The next piece of a message; how many bytes. */
static ssize_t take_piece(struct client *client, const char __user *text, size_t size)
{
	void *to = client->done < sizeof(struct header) ?
			   (void *)&client->header + client->done :
			   client->body + (client->done - sizeof(struct header));

	size = min_t(size_t, size, wanted(client));
	if (copy_from_user(to, text, size))
		return -EFAULT;
	client->done += size;
	if (client->done == sizeof(struct header) && client->header.length > STORE_BODY_MAX) {
		client->done = 0;
		return -E2BIG;
	}
	return size;
}

static ssize_t take(struct client *client, const char __user *text, size_t size)
{
	ssize_t got;

	if (READ_ONCE(client->unread_bytes) > 2 * UNREAD_MAX)
		return -ENOBUFS;
	got = take_piece(client, text, size);
	if (got >= 0 && client->done >= sizeof(struct header) && !wanted(client)) {
		int error;

		client->done = 0;
		client->body[client->header.length] = 0;
		error = perform(client);
		if (error)
			return error;
	}
	return got;
}

static ssize_t device_write(struct file *file, const char __user *text, size_t size,
			    loff_t *position)
{
	struct client *client = file->private_data;
	ssize_t got = 0;
	size_t done;

	if (mutex_lock_interruptible(&client->requests))
		return -ERESTARTSYS;
	for (done = 0; done < size && got >= 0; done += got > 0 ? got : 0)
		got = take(client, text + done, size - done);
	mutex_unlock(&client->requests);
	return done ? done : got;
}

static bool has_unread(struct client *client)
{
	return !list_empty_careful(&client->unread) || READ_ONCE(client->lost);
}

static struct unread *first_unread(struct client *client)
{
	struct unread *u;

	spin_lock(&client->lock);
	u = list_first_entry_or_null(&client->unread, struct unread, list);
	if (u) {
		list_del(&u->list);
		client->unread_bytes -= u->size - u->done;
	}
	spin_unlock(&client->lock);
	return u;
}

/* What is left of it is to be read next. */
static void put_back(struct client *client, struct unread *u)
{
	spin_lock(&client->lock);
	list_add(&u->list, &client->unread);
	client->unread_bytes += u->size - u->done;
	spin_unlock(&client->lock);
}

static ssize_t give(struct client *client, char __user *text, size_t size)
{
	struct unread *u = first_unread(client);
	ssize_t given;

	if (!u)
		return 0;
	size = min_t(size_t, size, u->size - u->done);
	given = copy_to_user(text, u->bytes + u->done, size) ? -EFAULT : size;
	u->done += given > 0 ? given : 0;
	if (u->done == u->size)
		kfree(u);
	else
		put_back(client, u);
	return given;
}

static ssize_t device_read(struct file *file, char __user *text, size_t size, loff_t *position)
{
	struct client *client = file->private_data;
	ssize_t given = 0;
	size_t done;

	if (file->f_flags & O_NONBLOCK && !has_unread(client))
		return -EAGAIN;
	if (wait_event_interruptible(client->readers, has_unread(client)))
		return -ERESTARTSYS;
	if (READ_ONCE(client->lost))
		tell_lost(client);
	for (done = 0; done < size; done += given) {
		given = give(client, text + done, size - done);
		if (given <= 0)
			break;
	}
	return done ? done : given;
}

static __poll_t device_poll(struct file *file, poll_table *table)
{
	struct client *client = file->private_data;

	poll_wait(file, &client->readers, table);
	return EPOLLOUT | EPOLLWRNORM | (has_unread(client) ? EPOLLIN | EPOLLRDNORM : 0);
}

/* --- Its beginning and end */

static void end_client(struct work_struct *work)
{
	struct client *client = container_of(work, struct client, end);
	struct unread *u;
	unsigned long id;
	void *connection;

	end_watches(client);
	xa_for_each(&client->transactions, id, connection)
		rf_store_end((struct rf_store_transaction){ id, xa_to_value(connection) }, false);
	xa_destroy(&client->transactions);
	while ((u = first_unread(client)))
		kfree(u);
	kfree(client);
}

static int device_open(struct inode *inode, struct file *file)
{
	struct client *client = kzalloc(sizeof(*client), GFP_KERNEL);

	if (!client)
		return -ENOMEM;
	mutex_init(&client->requests);
	xa_init(&client->transactions);
	INIT_LIST_HEAD(&client->watches);
	spin_lock_init(&client->lock);
	INIT_LIST_HEAD(&client->unread);
	init_waitqueue_head(&client->readers);
	INIT_WORK(&client->end, end_client);
	file->private_data = client;
	return stream_open(inode, file);
}

static int device_release(struct inode *inode, struct file *file)
{
	struct client *client = file->private_data;

	queue_work(system_unbound_wq, &client->end);
	return 0;
}

static const struct file_operations operations = {
	.owner		= THIS_MODULE,
	.open		= device_open,
	.release	= device_release,
	.read		= device_read,
	.write		= device_write,
	.poll		= device_poll,
	.llseek		= no_llseek,
};

static struct miscdevice device = {
	.minor		= MISC_DYNAMIC_MINOR,
	.name		= "ringfence-store",
	.nodename	= "xen/xenbus",
	.mode		= 0600,
	.fops		= &operations,
};

static int __init rf_store_device_init(void)
{
	return rf_domain() && !rf_is_control() ? misc_register(&device) : 0;
}
device_initcall(rf_store_device_init);
