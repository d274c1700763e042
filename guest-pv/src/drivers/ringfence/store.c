// SPDX-License-Identifier: GPL-2.0
/*
 * What this kernel reads and writes in the store, and the watches that it has there. Messages are
 * store_link.c's.
 *
 * One task, rf-watch, sets watches and takes them away, and calls those that they are for, in the order in
 * which the store told of changes. So whoever has a watch needs no lock against another of its
 * calls. If there are more events than EVENTS_MAX which have not been told, or no memory for one, all of them
 * are replaced by one for each watch, as at its start.
 *
 * Locks: `delivering` is held while a function of a watch is called, so that rf_store_unwatch() can wait
 * for it; then `lock`, a short one.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <asm/ringfence/start.h>

#include "store.h"
#include "store_link.h"

#define EVENTS_MAX	1024
#define TOKEN_SIZE	12

struct rf_store_watch {
	struct list_head list;
	u32 token;
	u32 set_for;		/* the connection that it has been set for */
	bool dead;
	void (*changed)(void *argument, const char *path);
	void *argument;
	char path[];
};

struct event {
	struct list_head list;
	u32 token;
	char path[];
};

static DEFINE_MUTEX(delivering);
static DEFINE_SPINLOCK(lock);
/* Under lock; the task alone takes watches out, and events. */
static LIST_HEAD(watches);
static LIST_HEAD(events);
static unsigned int event_count;
static bool lost;		/* events; so each watch is called */
static u32 last_token;

static DECLARE_WAIT_QUEUE_HEAD(task_wait);
static struct task_struct *task;
static bool work;		/* there is something to do for the task */

/* --- Requests */

static int join(char *path, const char *folder, const char *name)
{
	int length = *name ? snprintf(path, RF_STORE_PATH_MAX, "%s/%s", folder, name) :
			     snprintf(path, RF_STORE_PATH_MAX, "%s", folder);

	return length < RF_STORE_PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* A path with its zero, then a value without one. The answer, to be freed, or an error pointer. */
static char *request(enum store_type type, struct rf_store_transaction transaction,
		     const char *path, const void *value, size_t size, u32 *length)
{
	struct kvec pieces[] = {
		{ (void *)path, strlen(path) + 1 },
		{ (void *)value, size },
	};
	struct store_call call = {
		.type		= type,
		.transaction	= transaction.id,
		.pieces		= pieces,
		.count		= ARRAY_SIZE(pieces),
	};
	int error;

	if (transaction.id && transaction.connection != store_link_generation())
		return ERR_PTR(-EAGAIN);
	error = store_link_call(&call);
	if (error)
		return ERR_PTR(error);
	*length = call.length;
	return call.reply;
}

/* The same by folder and name. */
static char *ask(enum store_type type, struct rf_store_transaction transaction, const char *folder,
		 const char *name, const void *value, size_t size, u32 *length)
{
	char path[RF_STORE_PATH_MAX];
	int error = join(path, folder, name);

	return error ? ERR_PTR(error) : request(type, transaction, path, value, size, length);
}

static int error_only(char *reply)
{
	if (IS_ERR(reply))
		return PTR_ERR(reply);
	kfree(reply);
	return 0;
}

/*
 * The store may be another before the answer is here: then the number means nothing, and what is asked with it fails,
 * since the connection is older.
 */
int rf_store_begin(struct rf_store_transaction *transaction)
{
	u32 connection = store_link_generation(), length;
	char *reply = request(STORE_TRANSACTION_START, RF_STORE_ALONE, "", NULL, 0, &length);
	int error;

	if (IS_ERR(reply))
		return PTR_ERR(reply);
	transaction->connection = connection;
	error = kstrtou32(reply, 10, &transaction->id);
	kfree(reply);
	return error;
}

int rf_store_end(struct rf_store_transaction transaction, bool commit)
{
	u32 length;

	return error_only(request(STORE_TRANSACTION_END, transaction, commit ? "T" : "F", NULL, 0,
				  &length));
}

char *rf_store_read(struct rf_store_transaction transaction, const char *folder, const char *name)
{
	u32 length;

	return ask(STORE_READ, transaction, folder, name, NULL, 0, &length);
}

int rf_store_read_number(struct rf_store_transaction transaction, const char *folder,
			 const char *name, u64 *number)
{
	char *text = rf_store_read(transaction, folder, name);
	int error;

	if (IS_ERR(text))
		return PTR_ERR(text);
	error = kstrtou64(text, 10, number) ? -EINVAL : 0;
	kfree(text);
	return error;
}

int rf_store_write(struct rf_store_transaction transaction, const char *folder, const char *name,
		   const char *format, ...)
{
	va_list arguments;
	char *value;
	u32 length;
	int error;

	va_start(arguments, format);
	value = kvasprintf(GFP_NOIO, format, arguments);
	va_end(arguments);
	if (!value)
		return -ENOMEM;
	error = error_only(ask(STORE_WRITE, transaction, folder, name, value, strlen(value),
			       &length));
	kfree(value);
	return error;
}

int rf_store_mkdir(struct rf_store_transaction transaction, const char *folder, const char *name)
{
	u32 length;

	return error_only(ask(STORE_MKDIR, transaction, folder, name, NULL, 0, &length));
}

int rf_store_remove(struct rf_store_transaction transaction, const char *folder, const char *name)
{
	u32 length;
	int error = error_only(ask(STORE_RM, transaction, folder, name, NULL, 0, &length));

	return error == -ENOENT ? 0 : error;
}

char *rf_store_list(struct rf_store_transaction transaction, const char *folder, const char *name)
{
	u32 length;

	/* The zero behind an answer is the empty name at the end. */
	return ask(STORE_DIRECTORY, transaction, folder, name, NULL, 0, &length);
}

/* --- Events */

static void wake_task(void)
{
	WRITE_ONCE(work, true);
	wake_up(&task_wait);
}

/* A path and a token, each with a zero. NULL: it is none, or there is no memory. */
static struct event *make_event(const char *body, u32 length)
{
	size_t size = strlen(body) + 1;
	struct event *event;
	u32 token;

	if (size >= length || kstrtou32(body + size, 16, &token))
		return NULL;
	event = kmalloc(struct_size(event, path, size), GFP_NOIO | __GFP_NOWARN);
	if (!event)
		return NULL;
	event->token = token;
	memcpy(event->path, body, size);
	return event;
}

void store_watch_event(const char *body, u32 length)
{
	struct event *event = make_event(body, length);

	spin_lock(&lock);
	if (event && event_count < EVENTS_MAX) {
		list_add_tail(&event->list, &events);
		event_count++;
		event = NULL;
	} else {
		lost = true;
	}
	spin_unlock(&lock);
	kfree(event);
	wake_task();
}

void store_connected(void)
{
	wake_task();
}

static struct event *first_event(void)
{
	struct event *event;

	spin_lock(&lock);
	event = list_first_entry_or_null(&events, struct event, list);
	if (event) {
		list_del(&event->list);
		event_count--;
	}
	spin_unlock(&lock);
	return event;
}

/* The task alone takes watches out, so it may go on from one without the lock. NULL: the first. */
static struct rf_store_watch *next_watch(struct rf_store_watch *watch)
{
	struct list_head *next;

	spin_lock(&lock);
	next = watch ? watch->list.next : watches.next;
	spin_unlock(&lock);
	return next == &watches ? NULL : list_entry(next, struct rf_store_watch, list);
}

static void call_watch(struct rf_store_watch *watch, const char *path)
{
	mutex_lock(&delivering);
	if (!READ_ONCE(watch->dead))
		watch->changed(watch->argument, path);
	mutex_unlock(&delivering);
}

static void deliver(const struct event *event)
{
	struct rf_store_watch *watch;

	for (watch = next_watch(NULL); watch; watch = next_watch(watch))
		if (watch->token == event->token)
			break;
	if (watch)
		call_watch(watch, event->path);
}

/* One by one, and not those that come meanwhile: watches are to be set between. */
static void deliver_events(void)
{
	unsigned int count = EVENTS_MAX;
	struct event *event;

	while (count-- && (event = first_event())) {
		deliver(event);
		kfree(event);
	}
}

static void deliver_lost(void)
{
	struct rf_store_watch *watch;
	struct event *event;

	spin_lock(&lock);
	lost = false;
	spin_unlock(&lock);
	while ((event = first_event()))
		kfree(event);
	for (watch = next_watch(NULL); watch; watch = next_watch(watch))
		call_watch(watch, watch->path);
}

/* --- Watches */

static int watch_request(enum store_type type, const struct rf_store_watch *watch)
{
	char token[TOKEN_SIZE];
	u32 length, size = snprintf(token, sizeof(token), "%x", watch->token) + 1;

	return error_only(request(type, RF_STORE_ALONE, watch->path, token, size, &length));
}

/* The store tells a new watch its path, so there is nothing to call here. */
static void set_watch(struct rf_store_watch *watch)
{
	u32 connection = store_link_generation();
	int error;

	if (watch->set_for == connection)
		return;
	error = watch_request(STORE_WATCH, watch);
	if (error && error != -EEXIST)
		pr_warn("ringfence: no watch of %s: %d\n", watch->path, error);
	watch->set_for = connection;
}

static void bury(struct rf_store_watch *watch)
{
	if (watch->set_for == store_link_generation())
		watch_request(STORE_UNWATCH, watch);
	spin_lock(&lock);
	list_del(&watch->list);
	spin_unlock(&lock);
	kfree(watch);
}

static void tend_watches(void)
{
	struct rf_store_watch *watch, *next;

	for (watch = next_watch(NULL); watch; watch = next) {
		next = next_watch(watch);
		if (READ_ONCE(watch->dead))
			bury(watch);
		else
			set_watch(watch);
	}
}

/* Devices that memory is paged out to are connected by it. */
static int watch_task(void *unused)
{
	memalloc_noio_save();
	for (;;) {
		wait_event_idle(task_wait, READ_ONCE(work));
		WRITE_ONCE(work, false);
		smp_mb();
		if (store_link_generation())
			tend_watches();
		if (READ_ONCE(lost))
			deliver_lost();
		deliver_events();
		if (!list_empty(&events))
			WRITE_ONCE(work, true);
	}
	return 0;
}

struct rf_store_watch *rf_store_watch(const char *path,
				      void (*changed)(void *argument, const char *path),
				      void *argument)
{
	size_t size = strlen(path) + 1;
	struct rf_store_watch *watch = kzalloc(struct_size(watch, path, size), GFP_KERNEL);

	if (!watch)
		return NULL;
	watch->changed = changed;
	watch->argument = argument;
	memcpy(watch->path, path, size);
	spin_lock(&lock);
	watch->token = ++last_token;
	list_add_tail(&watch->list, &watches);
	spin_unlock(&lock);
	wake_task();
	return watch;
}

void rf_store_unwatch(struct rf_store_watch *watch)
{
	if (!watch)
		return;
	WRITE_ONCE(watch->dead, true);
	if (current != task) {
		mutex_lock(&delivering);
		mutex_unlock(&delivering);
	}
	wake_task();
}

/* --- /sys/kernel/ringfence/name: what the store says that this domain is called */

static ssize_t name_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	char *name = rf_store_read(RF_STORE_ALONE, "name", "");
	ssize_t size;

	if (IS_ERR(name))
		return PTR_ERR(name);
	size = sysfs_emit(text, "%s\n", name);
	kfree(name);
	return size;
}

static struct kobj_attribute name_attribute = __ATTR_RO_MODE(name, 0400);

/* The control domain's programs are those who serve the store: its kernel has none. */
static int __init rf_store_init(void)
{
	int error;

	if (!rf_domain() || rf_is_control())
		return 0;
	task = kthread_run(watch_task, NULL, "rf-watch");
	if (IS_ERR(task))
		return PTR_ERR(task);
	error = store_link_start();
	if (error) {
		pr_err("ringfence: no connection to the store: %d\n", error);
		return error;
	}
	return rf_sysfs_folder ? sysfs_create_file(rf_sysfs_folder, &name_attribute.attr) : 0;
}
device_initcall(rf_store_init);
