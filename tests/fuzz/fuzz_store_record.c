// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any entries of a record that has a good checksum, and any record: they are refused, or the store is in order after.
 *
 * options: -max_len=600 -runs=60000
 * full-options: -max_len=4000 -runs=5000000
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "toolstack/store/check.h"
#include "toolstack/store/record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_header header;
	const char *entries;
	struct store store;
	bool ended = false;
	char text[256];
	size_t whole;

	store_init(&store);
	if (record_open((const char *)data, size, &header, &entries, &whole) == RECORD_GOOD &&
	    whole > size)
		abort();
	record_apply(&store, (const char *)data, size, &ended);
	if (!check_store(&store, text, sizeof(text)))
		abort();
	store_free(&store);
	return 0;
}

/* A few entries that are good, so that what is behind the first checks is met. */
static size_t make_good(uint8_t *data, size_t max_size)
{
	const struct permission list[] = { { 1, 3 }, { 2, 1 } };
	struct content *content = content_new(list, 2, "value", 5, 0);
	struct buffer record = { .data = NULL };
	size_t size;

	record_set(&record, "/a", content);
	record_set(&record, "/a/b", content);
	record_introduce(&record, 1, 2, 3);
	record_target(&record, 1, 2);
	record_remove(&record, "/a/b");
	record_release(&record, 1);
	record_end(&record);
	size = buffer_length(&record);
	if (size <= max_size)
		__builtin_memcpy(data, buffer_data(&record), size);
	buffer_free(&record);
	content_put(content);
	return size <= max_size ? size : 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
	size_t at;

	if (seed % 8 == 0)
		size = make_good(data, max_size);
	if (!size || seed % 4)
		return LLVMFuzzerMutate(data, size, max_size);
	/* Eight bytes somewhere. */
	at = seed / 8 % size;
	LLVMFuzzerMutate(data + at, size - at < 8 ? size - at : 8, size - at < 8 ? size - at : 8);
	return size;
}
