// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any messages, of domain 0 and of two guests, to a store: every answer is a message that the protocol allows, no guest
 * gets beyond its quota, and at the end the store is in order.
 *
 * The input is a list of messages: who, what, in which transaction, how long, and the payload, of which most bytes
 * become those that paths are made of. One kind of message goes out as raw bytes.
 *
 * options: -max_len=1000 -runs=30000
 * full-options: -max_len=4000 -runs=3000000
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/store/check.h"
#include "toolstack/store/connection.h"
#include "toolstack/store/store.h"

#define CLIENTS 3
#define NODES	20

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t domains[CLIENTS] = { 0, 1, 2 };
static struct store store;
static struct connection clients[CLIENTS];
static bool ended[CLIENTS];

/* What the client sends, and what comes back. */
static char sent[sizeof(struct wire_header) + 2 * WIRE_PAYLOAD_MAX];
static size_t sent_length;
static struct buffer received;

static ssize_t fake_read(struct transport *transport, void *data, size_t size)
{
	size_t length = sent_length < size ? sent_length : size;

	(void)transport;
	memcpy(data, sent, length);
	memmove(sent, sent + length, sent_length - length);
	sent_length -= length;
	return (ssize_t)length;
}

static ssize_t fake_write(struct transport *transport, const void *data, size_t size)
{
	(void)transport;
	buffer_add(&received, data, size);
	return (ssize_t)size;
}

static void fake_close(struct transport *transport)
{
	(void)transport;
}

static const struct transport_methods methods = {
	.read = fake_read,
	.write = fake_write,
	.close = fake_close,
};

static void start(void)
{
	store_init(&store);
	store.quota.limits.nodes = NODES;
	store.quota.limits.bytes = 20000;
	store.quota.limits.watches = 4;
	store.quota.limits.transactions = 3;
	store.quota.limits.transaction_age = 5;
	store.quota.limits.event_bytes = 500;
	for (size_t i = 0; i < CLIENTS; i++) {
		connection_init(&clients[i], &store, domains[i]);
		clients[i].transport.methods = &methods;
		ended[i] = false;
	}
}

static void check(void)
{
	char text[256];

	if (!check_store(&store, text, sizeof(text)))
		abort();
}

static void finish(void)
{
	check();
	for (size_t i = 0; i < CLIENTS; i++) {
		if (!ended[i])
			connection_free(&clients[i]);
	}
	check();
	store_free(&store);
	buffer_free(&received);
}

/* All that has come back: whole messages, of allowed lengths. */
static void check_received(void)
{
	struct wire_header header;

	while (buffer_length(&received)) {
		if (buffer_length(&received) < sizeof(header))
			abort();
		memcpy(&header, buffer_data(&received), sizeof(header));
		if (header.length > WIRE_PAYLOAD_MAX ||
		    buffer_length(&received) < sizeof(header) + header.length)
			abort();
		buffer_take(&received, sizeof(header) + header.length);
	}
}

static void run(size_t client)
{
	struct connection *connection = &clients[client];
	bool good = connection_read(connection);

	store.now += 100;
	while (good && connection_is_ready(connection)) {
		connection_answer(connection);
		good = connection_write(connection) && connection_read(connection);
	}
	check_received();
	if (!good) {
		connection_free(connection);
		ended[client] = true;
	}
	sent_length = 0;
}

/* Most bytes mean a letter that paths and permissions have. */
static char letter(uint8_t byte)
{
	static const char letters[] = "/ab\0/ab\0tTFrwn012@";

	return byte < 0xe0 ? letters[byte % (sizeof(letters) - 1)] : (char)byte;
}

static void add_sent(const void *data, size_t length)
{
	if (length > sizeof(sent) - sent_length)
		length = sizeof(sent) - sent_length;
	memcpy(sent + sent_length, data, length);
	sent_length += length;
}

/* One message of the input; how many of its bytes. */
static size_t step(const uint8_t *data, size_t size)
{
	size_t client = data[0] % CLIENTS, length = data[3] < size - 4 ? data[3] : size - 4;
	struct wire_header header = { .type = data[1] % 25,
				      .transaction = data[2] % 8,
				      .length = (uint32_t)length };
	char payload[256];

	for (size_t i = 0; i < length; i++)
		payload[i] = letter(data[4 + i]);
	if (ended[client])
		return 4 + length;
	if (data[0] < 0xfc)
		add_sent(&header, sizeof(header));
	add_sent(data[0] < 0xfc ? (const void *)payload : data + 4, length);
	run(client);
	return 4 + length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	while (size >= 4) {
		size_t used = step(data, size);

		data += used;
		size -= used;
	}
	finish();
	return 0;
}
