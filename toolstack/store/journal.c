// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the store has done, on disk: every commit as a record behind the last, and now and then all of it anew.
 *
 * Interface: journal_open, journal_close, journal_changes, journal_introduce, journal_release, journal_target,
 * journal_sync, journal_compact, journal_count.
 * Files: `snapshot`, which is replaced as a whole, and `journal`, the records after it. Both begin with RECORD_MAGIC.
 * What is odd: space for the journal is set aside before a change is made, so a full disk refuses changes and
 * loses none. A record that is torn ends the journal: nothing after it was acknowledged. If writing fails all the
 * same, the program ends; its files have all that anybody was told of.
 */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "memory.h"
#include "record.h"

#define SPACE_STEP   (1UL << 20) /* set aside at a time */
#define COMPACT_SIZE (4UL << 20) /* a journal may be that long, or twice the snapshot */
#define SNAPSHOT_CUT (1UL << 20) /* a record of the snapshot */

struct journal {
	int folder;
	int file;
	bool sync;
	uint64_t sequence;
	uint64_t size;	/* with what waits */
	uint64_t space; /* set aside */
	uint64_t snapshot_size;
	uint64_t syncs;
	struct buffer waiting;
};

/* A file of the store, and where a fault in it is told. */
struct input {
	const char *name;
	const char *data;
	size_t size;
	size_t at;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool fault(const struct input *input,
							const char *format, ...)
{
	va_list list;
	int length =
		snprintf(input->error, input->error_size, "%s: byte %zu: ", input->name, input->at);

	va_start(list, format);
	if (length > 0 && (size_t)length < input->error_size)
		vsnprintf(input->error + length, input->error_size - (size_t)length, format, list);
	va_end(list);
	return false;
}

static bool read_magic(struct input *input)
{
	if (input->size < RECORD_MAGIC_SIZE ||
	    memcmp(input->data, RECORD_MAGIC, RECORD_MAGIC_SIZE) != 0)
		return fault(input, "does not begin with " RECORD_MAGIC);
	input->at = RECORD_MAGIC_SIZE;
	return true;
}

/* All records of a snapshot; the last has an end. */
static bool read_snapshot(struct journal *journal, struct store *store, struct input *input)
{
	struct record_header header;
	const char *entries;
	bool ended = false;
	size_t size;

	if (!read_magic(input))
		return false;
	while (!ended) {
		if (record_open(input->data + input->at, input->size - input->at, &header, &entries,
				&size) != RECORD_GOOD)
			return fault(input, "the record is damaged");
		if (!record_apply(store, entries, header.length, &ended))
			return fault(input, "the record's entries make no sense");
		journal->sequence = header.sequence;
		input->at += size;
	}
	journal->snapshot_size = input->size;
	return true;
}

/* One record of the journal, unless the snapshot has it already. */
static bool read_record(struct journal *journal, struct store *store, struct input *input,
			const struct record_header *header, const char *entries)
{
	bool ended = false;

	if (header->sequence <= journal->sequence)
		return true;
	if (header->sequence != journal->sequence + 1)
		return fault(input, "record %llu follows record %llu",
			     (unsigned long long)header->sequence,
			     (unsigned long long)journal->sequence);
	if (!record_apply(store, entries, header->length, &ended) || ended)
		return fault(input, "the record's entries make no sense");
	journal->sequence = header->sequence;
	return true;
}

/* As far as it is whole. */
static bool read_journal(struct journal *journal, struct store *store, struct input *input)
{
	struct record_header header;
	const char *entries;
	size_t size;

	/* Cut in its first bytes: nothing has been written yet. */
	if (input->size < RECORD_MAGIC_SIZE)
		return true;
	if (!read_magic(input))
		return false;
	while (record_open(input->data + input->at, input->size - input->at, &header, &entries,
			   &size) == RECORD_GOOD) {
		if (!read_record(journal, store, input, &header, entries))
			return false;
		input->at += size;
	}
	return true;
}

/* The whole file, private to us. A file that is not there is empty. */
static bool map(struct journal *journal, struct input *input)
{
	int file = openat(journal->folder, input->name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	void *data;

	if (file < 0 && errno == ENOENT)
		return true;
	if (file < 0 || fstat(file, &status) < 0)
		return fault(input, "%s", strerror(errno));
	input->size = (size_t)status.st_size;
	data = input->size ? mmap(NULL, input->size, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
	close(file);
	if (data == MAP_FAILED)
		return fault(input, "%s", strerror(errno));
	input->data = data;
	return true;
}

static void unmap(const struct input *input)
{
	if (input->data)
		munmap((void *)input->data, input->size);
}

typedef bool read_file(struct journal *journal, struct store *store, struct input *input);

/* Where its good part ends; SIZE_MAX if it cannot be used. */
static size_t load(struct journal *journal, struct store *store, struct input input,
		   read_file *read_it)
{
	bool good = map(journal, &input);

	if (good && input.data)
		good = read_it(journal, store, &input);
	unmap(&input);
	return good ? input.at : SIZE_MAX;
}

static int write_all(int file, const char *data, size_t length)
{
	while (length) {
		ssize_t done = write(file, data, length);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return errno;
		data += done;
		length -= (size_t)done;
	}
	return 0;
}

static int sync_file(const struct journal *journal, int file)
{
	return journal->sync && fdatasync(file) < 0 ? errno : 0;
}

/* The journal from byte good on is new; if good is 0, all of it. */
static int begin(struct journal *journal, size_t good)
{
	int error = ftruncate(journal->file, (off_t)good) < 0 ? errno : 0;

	if (!error && !good)
		error = write_all(journal->file, RECORD_MAGIC, RECORD_MAGIC_SIZE);
	journal->size = good ? good : RECORD_MAGIC_SIZE;
	journal->space = journal->size;
	return error ? error : sync_file(journal, journal->file);
}

static bool load_all(struct journal *journal, struct store *store, char *error, size_t size)
{
	struct input snapshot = { .name = "snapshot", .error = error, .error_size = size };
	struct input input = { .name = "journal", .error = error, .error_size = size };
	size_t good;
	int number;

	if (load(journal, store, snapshot, read_snapshot) == SIZE_MAX)
		return false;
	good = load(journal, store, input, read_journal);
	if (good == SIZE_MAX)
		return false;
	journal->file =
		openat(journal->folder, "journal", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	number = journal->file < 0 ? errno : begin(journal, good);
	if (number)
		return fault(&input, "%s", strerror(number));
	return true;
}

struct journal *journal_open(struct store *store, const char *folder, bool sync, char *error,
			     size_t error_size)
{
	struct journal *journal = memory_zero(sizeof(*journal));
	struct input input = { .name = folder, .error = error, .error_size = error_size };

	journal->sync = sync;
	journal->file = -1;
	mkdir(folder, 0700);
	journal->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (journal->folder < 0)
		fault(&input, "%s", strerror(errno));
	if (journal->folder >= 0 && load_all(journal, store, error, error_size))
		return journal;
	journal_close(journal);
	return NULL;
}

void journal_close(struct journal *journal)
{
	if (journal->file >= 0)
		close(journal->file);
	if (journal->folder >= 0)
		close(journal->folder);
	buffer_free(&journal->waiting);
	free(journal);
}

/* Sets space aside. A file system that cannot is believed to have it. */
static int reserve(struct journal *journal, uint64_t bytes)
{
	uint64_t wanted = journal->size + bytes;

	if (wanted <= journal->space)
		return 0;
	wanted += SPACE_STEP;
	if (fallocate(journal->file, FALLOC_FL_KEEP_SIZE, 0, (off_t)wanted) < 0 &&
	    errno != EOPNOTSUPP)
		return errno == ENOSPC || errno == EFBIG || errno == EDQUOT ? ENOSPC : EIO;
	journal->space = wanted;
	return 0;
}

/* The record is emptied. */
static int add(struct journal *journal, struct buffer *record)
{
	size_t bytes = sizeof(struct record_header) + buffer_length(record);
	int error = reserve(journal, bytes);

	if (!error) {
		record_seal(&journal->waiting, record, ++journal->sequence);
		journal->size += bytes;
	}
	buffer_free(record);
	return error;
}

int journal_changes(struct journal *journal, const struct changes *changes)
{
	struct buffer record = { .data = NULL };

	if (!journal)
		return 0;
	for (size_t i = 0; i < changes->count; i++) {
		const struct change *change = &changes->list[i];

		if (change->content)
			record_set(&record, change->path, change->content);
		else
			record_remove(&record, change->path);
	}
	return add(journal, &record);
}

int journal_introduce(struct journal *journal, uint16_t domain, uint64_t frame, uint32_t port)
{
	struct buffer record = { .data = NULL };

	if (!journal)
		return 0;
	record_introduce(&record, domain, frame, port);
	return add(journal, &record);
}

int journal_release(struct journal *journal, uint16_t domain)
{
	struct buffer record = { .data = NULL };

	if (!journal)
		return 0;
	record_release(&record, domain);
	return add(journal, &record);
}

int journal_target(struct journal *journal, uint16_t domain, uint16_t target)
{
	struct buffer record = { .data = NULL };

	if (!journal)
		return 0;
	record_target(&record, domain, target);
	return add(journal, &record);
}

__attribute__((noreturn)) static void fail(int error)
{
	fprintf(stderr, "rfstored: journal: %s; ending, nothing acknowledged is lost\n",
		strerror(error));
	exit(1);
}

void journal_sync(struct journal *journal)
{
	int error;

	if (!journal || !buffer_length(&journal->waiting))
		return;
	error = write_all(journal->file, buffer_data(&journal->waiting),
			  buffer_length(&journal->waiting));
	if (!error)
		error = sync_file(journal, journal->file);
	if (error)
		fail(error);
	buffer_take(&journal->waiting, buffer_length(&journal->waiting));
	journal->syncs++;
}

/* A snapshot that is being written. */
struct output {
	const struct journal *journal;
	int file;
	int error;
	uint64_t size;
	struct buffer record;
	struct buffer bytes;
};

static void flush(struct output *output)
{
	record_seal(&output->bytes, &output->record, output->journal->sequence);
	buffer_take(&output->record, buffer_length(&output->record));
	output->size += buffer_length(&output->bytes);
	if (!output->error)
		output->error = write_all(output->file, buffer_data(&output->bytes),
					  buffer_length(&output->bytes));
	buffer_take(&output->bytes, buffer_length(&output->bytes));
}

static bool write_node(void *argument, const char *path, struct node *node)
{
	struct output *output = argument;

	record_set(&output->record, path, node->content);
	if (buffer_length(&output->record) >= SNAPSHOT_CUT)
		flush(output);
	return !output->error;
}

static void write_domains(struct output *output, const struct store *store)
{
	for (unsigned int i = 1; i < QUOTA_DOMAINS; i++) {
		const struct account *account = quota_find(&store->quota, (uint16_t)i);

		if (!account || !account->introduced)
			continue;
		record_introduce(&output->record, (uint16_t)i, account->frame, account->port);
		if (quota_target(&store->quota, (uint16_t)i) != PERMISSION_NOBODY)
			record_target(&output->record, (uint16_t)i, (uint16_t)account->target);
	}
}

static void write_snapshot(struct output *output, const struct store *store)
{
	static const char *const tops[] = { "/", PATH_INTRODUCED, PATH_RELEASED };

	buffer_add(&output->bytes, RECORD_MAGIC, RECORD_MAGIC_SIZE);
	for (size_t i = 0; i < 3; i++)
		tree_walk(tree_find(store->top, tops[i]), tops[i], 0, write_node, output);
	write_domains(output, store);
	record_end(&output->record);
	flush(output);
	if (!output->error)
		output->error = sync_file(output->journal, output->file);
}

/* Under another name first, so that there is always a whole one. */
static int replace_snapshot(struct journal *journal, struct output *output,
			    const struct store *store)
{
	output->file = openat(journal->folder, "snapshot.new",
			      O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (output->file < 0)
		return errno;
	write_snapshot(output, store);
	close(output->file);
	buffer_free(&output->record);
	buffer_free(&output->bytes);
	if (output->error) {
		unlinkat(journal->folder, "snapshot.new", 0);
		return output->error;
	}
	if (renameat(journal->folder, "snapshot.new", journal->folder, "snapshot") < 0)
		return errno;
	return journal->sync && fsync(journal->folder) < 0 ? errno : 0;
}

int journal_compact(struct journal *journal, const struct store *store, bool wanted)
{
	struct output output = { .journal = journal };
	int error;

	if (!journal)
		return 0;
	if (!wanted && (journal->size < COMPACT_SIZE || journal->size < 2 * journal->snapshot_size))
		return 0;
	journal_sync(journal);
	error = replace_snapshot(journal, &output, store);
	if (error) {
		/* Not again at once. */
		journal->snapshot_size = journal->size;
		return error;
	}
	journal->snapshot_size = output.size;
	error = begin(journal, 0);
	if (error)
		fail(error);
	return 0;
}

struct journal_counters journal_count(const struct journal *journal)
{
	struct journal_counters counters = { .sequence = journal->sequence,
					     .bytes = journal->size,
					     .snapshot = journal->snapshot_size,
					     .syncs = journal->syncs };

	return counters;
}
