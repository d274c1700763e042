// SPDX-License-Identifier: GPL-2.0
/*
 * The page that this domain shares with the store (abi/io/store.h): one request at a time, and
 * replies and events as they come.
 *
 * Whoever holds `ring_lock` moves bytes in both directions, as far as they go: the task that was
 * interrupted by the store's events, or who has something to ask. What is read is copied once and then
 * looked at; what cannot be (an index, a length) has the connection begin again. So has a request that was not
 * answered in time, since half of it may be in the page.
 *
 * A request without an answer is sent again on the next connection, unless it belongs to a transaction.
 *
 * Locks: call_lock (one request), then ring_lock. No memory is reclaimed by I/O while they are held,
 * since devices that are to be connected again wait for the store.
 */
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <asm/ringfence/abi/io/store.h>
#include <asm/ringfence/channel.h>
#include <asm/ringfence/grant.h>
#include <asm/ringfence/start.h>

#include "store.h"
#include "store_link.h"

#define STORE_DOMAIN	0

struct header {
	u32 type;
	u32 request;
	u32 transaction;
	u32 length;
};

/* A message on its way: `done` of its bytes have been moved. */
struct message {
	struct header header;
	char body[STORE_BODY_MAX + 1];
	u32 done;
};

static DEFINE_MUTEX(call_lock);
static DEFINE_MUTEX(ring_lock);
static DECLARE_WAIT_QUEUE_HEAD(reader_wait);
static DECLARE_COMPLETION(answered);
static unsigned int store_irq;
static bool interrupted;

/* Under ring_lock. */
static struct rf_store_ring *ring;
static u32 producer, consumer;		/* ours; those in the page are not read back */
static bool connected;
static u32 generation;
static struct message out, in;
static bool asked;			/* out is a request without an answer */
static int answer_error;
static char *answer;
static u32 answer_length;

/* --- Bytes */

static void *message_bytes(struct message *message)
{
	return &message->header;
}

static u32 message_size(const struct message *message)
{
	return sizeof(struct header) + message->header.length;
}

static u32 piece_at(u32 index, u32 size)
{
	return min(size, RF_STORE_RING_SIZE - index % RF_STORE_RING_SIZE);
}

/* Both return how many bytes they moved, or an error if an index is none. */
static int write_bytes(const void *data, u32 size)
{
	u32 used = producer - smp_load_acquire(&ring->request_consumer);
	u32 first;

	if (used > RF_STORE_RING_SIZE)
		return -EPROTO;
	size = min(size, RF_STORE_RING_SIZE - used);
	first = piece_at(producer, size);
	memcpy(ring->request + producer % RF_STORE_RING_SIZE, data, first);
	memcpy(ring->request, data + first, size - first);
	producer += size;
	smp_store_release(&ring->request_producer, producer);
	return size;
}

static int read_bytes(void *data, u32 size)
{
	u32 used = smp_load_acquire(&ring->reply_producer) - consumer;
	u32 first;

	if (used > RF_STORE_RING_SIZE)
		return -EPROTO;
	size = min(size, used);
	first = piece_at(consumer, size);
	memcpy(data, ring->reply + consumer % RF_STORE_RING_SIZE, first);
	memcpy(data + first, ring->reply, size - first);
	consumer += size;
	smp_store_release(&ring->reply_consumer, consumer);
	return size;
}

/* --- Messages */

static const struct {
	const char *name;
	int error;
} errors[] = {
	{ "EINVAL", EINVAL },	{ "EACCES", EACCES },	{ "EEXIST", EEXIST },
	{ "EISDIR", EISDIR },	{ "ENOENT", ENOENT },	{ "ENOMEM", ENOMEM },
	{ "ENOSPC", ENOSPC },	{ "EIO", EIO },		{ "ENOTEMPTY", ENOTEMPTY },
	{ "ENOSYS", ENOSYS },	{ "EROFS", EROFS },	{ "EBUSY", EBUSY },
	{ "EAGAIN", EAGAIN },	{ "EISCONN", EISCONN },	{ "E2BIG", E2BIG },
	{ "EPERM", EPERM },
};

static int error_of(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (!strcmp(errors[i].name, name))
			return -errors[i].error;
	return -EIO;
}

const char *store_link_error_name(int error)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].error == -error)
			return errors[i].name;
	return "EIO";
}

static void finish(int error)
{
	asked = false;
	answer_error = error;
	complete(&answered);
}

/* in is a reply. One that nobody waits for any more is dropped. */
static void take_reply(void)
{
	if (!asked || out.done < message_size(&out) ||
	    in.header.request != out.header.request)
		return;
	if (in.header.type == STORE_ERROR) {
		finish(error_of(in.body));
		return;
	}
	if (in.header.type != out.header.type) {
		finish(-EIO);
		return;
	}
	answer = kmemdup(in.body, in.header.length + 1, GFP_KERNEL);
	answer_length = in.header.length;
	finish(answer ? 0 : -ENOMEM);
}

static void take_message(void)
{
	in.body[in.header.length] = 0;
	if (in.header.type == STORE_WATCH_EVENT)
		store_watch_event(in.body, in.header.length);
	else
		take_reply();
	in.done = 0;
}

/* How many more bytes of `in` are known to come; -EPROTO: too many. */
static int wanted(void)
{
	if (in.done < sizeof(struct header))
		return sizeof(struct header) - in.done;
	if (in.header.length > STORE_BODY_MAX)
		return -EPROTO;
	return message_size(&in) - in.done;
}

/* What there is in the page; bounded by its size, as what is added meanwhile has an event of its own. */
static int receive(void)
{
	int total = 0, size, moved;

	while (total < RF_STORE_RING_SIZE) {
		size = wanted();
		if (size < 0)
			return size;
		moved = size ? read_bytes(message_bytes(&in) + in.done, size) : 0;
		if (moved < 0)
			return moved;
		in.done += moved;
		total += moved;
		if (in.done >= sizeof(struct header) && !wanted())
			take_message();
		else if (!moved)
			break;
	}
	return total;
}

static int transmit(void)
{
	int moved;

	if (!asked || out.done == message_size(&out))
		return 0;
	moved = write_bytes(message_bytes(&out) + out.done, message_size(&out) - out.done);
	if (moved > 0)
		out.done += moved;
	return moved;
}

/* --- The connection */

/* From now on the store alone writes in the page, until it says that we are connected. */
static void reconnect(void)
{
	connected = false;
	if (asked && out.header.transaction)
		finish(-EAGAIN);
	smp_store_release(&ring->connection, RF_STORE_RECONNECT);
	rf_channel_send(store_irq);
}

static void begin_connection(void)
{
	if (smp_load_acquire(&ring->connection) != RF_STORE_CONNECTED)
		return;
	producer = 0;
	consumer = 0;
	in.done = 0;
	out.done = 0;
	generation++;
	connected = true;
	store_connected();
}

/* It is not asked for more than once a second, however wrong the store is. */
static void reconnect_after_error(const char *why)
{
	pr_warn_ratelimited("ringfence: the connection to the store begins again: %s\n", why);
	ssleep(1);
	reconnect();
}

static void move_all(void)
{
	int sent = transmit(), received = receive();

	if (sent < 0 || received < 0)
		reconnect_after_error("what is in the page cannot be");
	else if (READ_ONCE(ring->error) != RF_STORE_ERROR_NONE)
		reconnect_after_error("it serves the page no more");
	else if (sent || received)
		rf_channel_send(store_irq);
}

static void step(void)
{
	if (!connected)
		begin_connection();
	else if (smp_load_acquire(&ring->connection) != RF_STORE_CONNECTED)
		reconnect();
	if (connected)
		move_all();
}

static irqreturn_t store_interrupt(int irq, void *unused)
{
	WRITE_ONCE(interrupted, true);
	wake_up(&reader_wait);
	return IRQ_HANDLED;
}

static int reader(void *unused)
{
	memalloc_noio_save();
	for (;;) {
		wait_event_idle(reader_wait, READ_ONCE(interrupted));
		WRITE_ONCE(interrupted, false);
		/* What was written before the event is read after this. */
		smp_mb();
		mutex_lock(&ring_lock);
		step();
		mutex_unlock(&ring_lock);
	}
	return 0;
}

u32 store_link_generation(void)
{
	return READ_ONCE(generation);
}

/* --- Requests */

static int set_request(const struct store_call *call)
{
	static u32 number;
	u32 length = 0;
	unsigned int i;

	for (i = 0; i < call->count; i++) {
		if (call->pieces[i].iov_len > STORE_BODY_MAX - length)
			return -E2BIG;
		memcpy(out.body + length, call->pieces[i].iov_base, call->pieces[i].iov_len);
		length += call->pieces[i].iov_len;
	}
	out.header = (struct header){
		.type = call->type,
		.request = ++number,
		.transaction = call->transaction,
		.length = length,
	};
	out.done = 0;
	return 0;
}

static int ask(const struct store_call *call)
{
	int error;

	mutex_lock(&ring_lock);
	error = generation ? set_request(call) : -ENOTCONN;
	if (!error) {
		reinit_completion(&answered);
		answer = NULL;
		asked = true;
		step();
	}
	mutex_unlock(&ring_lock);
	return error;
}

/* The answer, if it has come meanwhile. */
static int give_up(int error)
{
	mutex_lock(&ring_lock);
	if (!asked) {
		error = answer_error;
	} else {
		asked = false;
		if (connected)
			reconnect();
	}
	mutex_unlock(&ring_lock);
	return error;
}

static int wait_for_answer(void)
{
	long left = wait_for_completion_killable_timeout(&answered, RF_STORE_TIMEOUT);

	if (left > 0)
		return answer_error;
	if (!left)
		pr_warn("ringfence: the store has not answered for %d s\n", RF_STORE_TIMEOUT / HZ);
	return give_up(left ? -EINTR : -ETIMEDOUT);
}

int store_link_call(struct store_call *call)
{
	unsigned int noio;
	int error;

	if (!ring)
		return -ENODEV;
	noio = memalloc_noio_save();
	mutex_lock(&call_lock);
	error = ask(call);
	if (!error)
		error = wait_for_answer();
	if (!error) {
		call->reply = answer;
		call->length = answer_length;
	}
	mutex_unlock(&call_lock);
	memalloc_noio_restore(noio);
	return error;
}

/* --- The start */

/* Without a port to connect to, a store that comes later finds this domain. */
static int open_channel(void)
{
	u32 port = rf_start_info.store_port;
	int irq = port ? rf_channel_connect(STORE_DOMAIN, port) : -ENOENT;

	return irq < 0 ? rf_channel_listen(STORE_DOMAIN) : irq;
}

static int start_channel(struct rf_store_ring *page)
{
	int irq = open_channel(), error;

	if (irq < 0)
		return irq;
	error = request_irq(irq, store_interrupt, 0, "ringfence-store", &ring);
	if (error) {
		rf_channel_close(irq);
		return error;
	}
	store_irq = irq;
	WRITE_ONCE(page->port, rf_channel_port(irq));
	ring = page;
	rf_channel_send(irq);
	return 0;
}

int store_link_start(void)
{
	struct rf_store_ring *page = (void *)get_zeroed_page(GFP_KERNEL);
	struct task_struct *task;
	int error;

	if (!page)
		return -ENOMEM;
	page->connection = RF_STORE_RECONNECT;
	error = rf_grant_reserved(RF_GRANT_STORE, STORE_DOMAIN, __pa(page), 1, true);
	if (error) {
		free_page((unsigned long)page);
		return error;
	}
	/* The page is the store's from here on: it is not freed. */
	error = start_channel(page);
	if (error)
		return error;
	task = kthread_run(reader, NULL, "rf-store");
	return PTR_ERR_OR_ZERO(task);
}
