// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a request to the daemon, for any path: the first byte is the route, then come words of the query up to a
 * zero, then the body. There is an answer in any case, and it can be written; an error has a code of HTTP.
 *
 * options: -runs=20000 -max_len=400 -only_ascii=0
 * full-options: -max_total_time=600 -max_len=4000
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "toolstack/rfd/route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *count, char ***arguments);

static struct daemon node;

/* Each number is a domain, and has ended, so that nobody waits for it. */
static int64_t call(struct access *access, uint32_t number, const uint64_t *a)
{
	struct rf_domain_info *info;

	(void)access;
	if (number != RF_HYPERCALL_domain_info)
		return 0;
	number = a[0] < RF_DOMAIN_NEXT ? (uint32_t)a[0] : (uint32_t)a[0] - RF_DOMAIN_NEXT;
	if (number > 1)
		return -ESRCH;
	info = (struct rf_domain_info *)(uintptr_t)a[1];
	*info = (struct rf_domain_info){ .domain = number,
					 .state = RF_DOMAIN_SHUTDOWN,
					 .vcpus = 2,
					 .name = "web" };
	return 0;
}

static bool open_fake(struct access *access, struct report *report)
{
	(void)report;
	*access = (struct access){ .call = call, .device = -1 };
	return true;
}

/* No folder can be made there, so nothing is written. */
int LLVMFuzzerInitialize(int *count, char ***arguments)
{
	(void)count;
	(void)arguments;
	setenv("RINGFENCE_STATE", "/proc/none", 1);
	setenv("RINGFENCE_DEFINITIONS", "/proc/none", 1);
	node.open = open_fake;
	event_open(&node.events);
	event_close(&node.events);
	metrics_open(&node.metrics);
	return 0;
}

static void check(struct request *request)
{
	char *text = request->json ? json_dumps(request->json, JSON_ENCODE_ANY) : NULL;

	if (!text && !request->text)
		abort();
	if (request->code && (request->code < 400 || request->code > 499))
		abort();
	free(text);
}

/* NAME=WORD, in pieces. */
static bool take_words(struct request *request, char *words)
{
	char *rest = NULL;

	for (char *word = strtok_r(words, "&", &rest); word; word = strtok_r(NULL, "&", &rest)) {
		char *equals = strchr(word, '=');

		if (equals)
			*equals = 0;
		if (!request_add_word(request, word, equals ? equals + 1 : ""))
			return false;
	}
	return true;
}

static const struct route *choose(uint8_t byte)
{
	size_t count = 0;

	while (route_table[count].method)
		count++;
	return &route_table[byte % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct request request = { .daemon = &node, .fields = json_object(), .word = "web" };
	char *text = calloc(1, size + 1);
	size_t length;

	if (!size || !text) {
		free(text);
		json_decref(request.fields);
		return 0;
	}
	memcpy(text, data + 1, size - 1);
	request.route = choose(data[0]);
	length = strlen(text);
	if (take_words(&request, text)) {
		request.body = length < size - 1 ? text + length + 1 : text;
		request.size = length < size - 1 ? size - 2 - length : 0;
		request_run(&request);
	}
	check(&request);
	request_free(&request);
	free(text);
	return 0;
}
