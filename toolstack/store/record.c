// SPDX-License-Identifier: BSD-2-Clause
/*
 * Changes of the store as bytes: how they are kept in its journal and its snapshot.
 *
 * Interface: record_set, record_remove, record_introduce, record_release, record_target, record_end, record_seal;
 * record_open, record_apply.
 * What is odd: the machine's own byte order; a store's files do not outlive the machine's run. What is read is
 * checked as if it came from outside, whatever its checksum says.
 */
#include "record.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "domain.h"
#include "memory.h"

/* Larger than any that is written: a snapshot's are cut at a megabyte. */
#define LENGTH_MAX (64U << 20)

enum entry_kind {
	ENTRY_SET = 1,
	ENTRY_REMOVE,
	ENTRY_INTRODUCE,
	ENTRY_RELEASE,
	ENTRY_TARGET,
	ENTRY_END,
};

/* What every entry begins with; the fields that a kind does not have are 0. */
struct entry {
	uint16_t kind;
	uint16_t domain; /* introduced, released, given a target */
	uint16_t target;
	uint16_t path_length;  /* the path follows, without a zero */
	uint32_t permissions;  /* then so many permissions */
	uint32_t value_length; /* then the value */
	uint32_t port;
	uint32_t zero;
	uint64_t frame;
};

static void add_path(struct buffer *record, struct entry entry, const char *path)
{
	entry.path_length = (uint16_t)strlen(path);
	buffer_add(record, &entry, sizeof(entry));
	buffer_add(record, path, entry.path_length);
}

void record_set(struct buffer *record, const char *path, const struct content *content)
{
	struct entry entry = { .kind = ENTRY_SET,
			       .permissions = content->permissions,
			       .value_length = content->length };

	add_path(record, entry, path);
	buffer_add(record, content->permission,
		   content->permissions * sizeof(content->permission[0]));
	buffer_add(record, content->value, content->length);
}

void record_remove(struct buffer *record, const char *path)
{
	add_path(record, (struct entry){ .kind = ENTRY_REMOVE }, path);
}

static void add(struct buffer *record, const struct entry *entry)
{
	buffer_add(record, entry, sizeof(*entry));
}

void record_introduce(struct buffer *record, uint16_t domain, uint64_t frame, uint32_t port)
{
	const struct entry entry = { .kind = ENTRY_INTRODUCE,
				     .domain = domain,
				     .frame = frame,
				     .port = port };

	add(record, &entry);
}

void record_release(struct buffer *record, uint16_t domain)
{
	const struct entry entry = { .kind = ENTRY_RELEASE, .domain = domain };

	add(record, &entry);
}

void record_target(struct buffer *record, uint16_t domain, uint16_t target)
{
	const struct entry entry = { .kind = ENTRY_TARGET, .domain = domain, .target = target };

	add(record, &entry);
}

void record_end(struct buffer *record)
{
	const struct entry entry = { .kind = ENTRY_END };

	add(record, &entry);
}

static uint64_t checksum(const struct record_header *header, const char *entries)
{
	return XXH3_64bits_withSeed(entries, header->length,
				    XXH3_64bits(header, offsetof(struct record_header, checksum)));
}

void record_seal(struct buffer *out, const struct buffer *record, uint64_t sequence)
{
	struct record_header header = { .length = (uint32_t)buffer_length(record),
					.sequence = sequence };

	header.checksum = checksum(&header, buffer_data(record));
	buffer_add(out, &header, sizeof(header));
	buffer_add(out, buffer_data(record), header.length);
}

enum record_state record_open(const char *data, size_t length, struct record_header *header,
			      const char **entries, size_t *size)
{
	if (!length)
		return RECORD_DONE;
	if (length < sizeof(*header))
		return RECORD_TORN;
	memcpy(header, data, sizeof(*header));
	if (header->zero || header->length > LENGTH_MAX ||
	    header->length > length - sizeof(*header))
		return RECORD_TORN;
	*entries = data + sizeof(*header);
	*size = sizeof(*header) + header->length;
	return checksum(header, *entries) == header->checksum ? RECORD_GOOD : RECORD_TORN;
}

/* What is left of a record to be read. */
struct reader {
	const char *data;
	size_t length;
};

/* The next bytes, or NULL if there are not so many. */
static const char *take(struct reader *reader, size_t bytes)
{
	const char *data = reader->data;

	if (bytes > reader->length)
		return NULL;
	reader->data += bytes;
	reader->length -= bytes;
	return data;
}

static bool take_path(struct reader *reader, const struct entry *entry, char path[PATH_SIZE])
{
	char given[PATH_SIZE];
	const char *text = take(reader, entry->path_length);

	if (!text || entry->path_length >= PATH_SIZE)
		return false;
	memcpy(given, text, entry->path_length);
	given[entry->path_length] = 0;
	return strlen(given) == entry->path_length && (given[0] == '/' || path_is_special(given)) &&
	       path_resolve(path, given, 0, true, NULL) == 0;
}

static bool apply_set(struct store *store, const struct entry *entry, struct reader *reader)
{
	struct permission list[PERMISSION_MAX];
	size_t bytes = entry->permissions * sizeof(list[0]);
	const char *permissions, *value;
	struct content *content;
	char path[PATH_SIZE];
	bool done;

	if (!entry->permissions || entry->permissions > PERMISSION_MAX ||
	    !take_path(reader, entry, path))
		return false;
	permissions = take(reader, bytes);
	value = permissions ? take(reader, entry->value_length) : NULL;
	if (!value || entry->value_length > WIRE_PAYLOAD_MAX)
		return false;
	memcpy(list, permissions, bytes);
	content = content_new(list, entry->permissions, value, entry->value_length, 0);
	done = store_restore(store, path, content);
	content_put(content);
	return done;
}

static bool apply_remove(struct store *store, const struct entry *entry, struct reader *reader)
{
	char path[PATH_SIZE], folder[PATH_SIZE];

	/* Neither the root nor special nodes can go. */
	return take_path(reader, entry, path) && path_parent(folder, path) &&
	       store_restore(store, path, NULL);
}

static bool apply_domain(struct store *store, const struct entry *entry)
{
	if (!entry->domain)
		return false;
	if (entry->kind == ENTRY_INTRODUCE)
		domain_restore(store, entry->domain, entry->frame, entry->port);
	else if (entry->kind == ENTRY_RELEASE)
		domain_forget(store, entry->domain);
	else
		quota_set_target(&store->quota, entry->domain, entry->target);
	return true;
}

static bool apply_one(struct store *store, const struct entry *entry, struct reader *reader)
{
	switch (entry->kind) {
	case ENTRY_SET:
		return apply_set(store, entry, reader);
	case ENTRY_REMOVE:
		return apply_remove(store, entry, reader);
	case ENTRY_INTRODUCE:
	case ENTRY_RELEASE:
	case ENTRY_TARGET:
		return apply_domain(store, entry);
	default:
		return false;
	}
}

bool record_apply(struct store *store, const char *entries, size_t length, bool *ended)
{
	struct reader reader = { entries, length };
	const char *start;
	struct entry entry;

	while (reader.length) {
		start = take(&reader, sizeof(entry));
		if (!start || *ended)
			return false;
		memcpy(&entry, start, sizeof(entry));
		*ended = entry.kind == ENTRY_END;
		if (!*ended && !apply_one(store, &entry, &reader))
			return false;
	}
	return true;
}
