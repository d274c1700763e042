/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_RECORD_H
#define STORE_RECORD_H

#include "buffer.h"
#include "store.h"

/* What files of the store begin with. */
#define RECORD_MAGIC	  "RFSTORE1"
#define RECORD_MAGIC_SIZE 8

/* A record in a file: this, then its entries. */
struct record_header {
	uint32_t length;
	uint32_t zero;
	uint64_t sequence;
	uint64_t checksum; /* of all of the record but this */
};

/* Entries, added to a record. */
void record_set(struct buffer *record, const char *path, const struct content *content);
void record_remove(struct buffer *record, const char *path);
void record_introduce(struct buffer *record, uint16_t domain, uint64_t frame, uint32_t port);
void record_release(struct buffer *record, uint16_t domain);
void record_target(struct buffer *record, uint16_t domain, uint16_t target);
void record_end(struct buffer *record);

/* The whole record, ready for a file, is added to out. */
void record_seal(struct buffer *out, const struct buffer *record, uint64_t sequence);

enum record_state {
	RECORD_GOOD,
	RECORD_DONE, /* there are no more bytes */
	RECORD_TORN, /* incomplete, or not what was written */
};

/* The record at the start of these bytes: its entries and how long it is with its header. */
enum record_state record_open(const char *data, size_t length, struct record_header *header,
			      const char **entries, size_t *size);

/* Does all entries to a store. False if one cannot be done. *ended: record_end() was there. */
bool record_apply(struct store *store, const char *entries, size_t length, bool *ended);

#endif
