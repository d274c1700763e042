// SPDX-License-Identifier: BSD-2-Clause
/*
 * The store's files: what is read back is what was written; a journal that is cut anywhere gives the state after some
 * number of commits and never less than were acknowledged; damage is told, with its place; a full disk loses nothing.
 */
#include "store_unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "toolstack/store/journal.h"
#include "toolstack/store/record.h"

#define COMMITS 30
#define TEXT	65536

static char folder[64];
static struct store_unit unit;
static char states[COMMITS + 1][4096]; /* after each commit, as text */
static char error[256];

/* All nodes with values and permissions, all domains. */
static bool describe_node(void *argument, const char *path, struct node *node)
{
	char *text = argument, permissions[256];
	size_t length = permission_print(node->content->permission, node->content->permissions,
					 permissions);

	for (size_t i = 0; i < length; i++)
		permissions[i] = permissions[i] ? permissions[i] : ' ';
	sprintf(text + strlen(text), "%s=%.*s (%.*s)\n", path, (int)node->content->length,
		node->content->value, (int)length, permissions);
	return true;
}

static void describe(struct store *store, char *text)
{
	text[0] = 0;
	tree_walk(tree_find(store->top, "/"), "/", 0, describe_node, text);
	for (uint16_t i = 1; i < 4; i++) {
		const struct account *account = quota_account(&store->quota, i);

		sprintf(text + strlen(text), "%u: %d %lu %u %u\n", i, account->introduced,
			account->introduced ? account->frame : 0,
			account->introduced ? account->port : 0, account->target);
	}
}

static struct journal *open_journal(struct store *store)
{
	return journal_open(store, folder, false, error, sizeof(error));
}

static void start(void)
{
	unit_start(&unit);
	unit.store.journal = open_journal(&unit.store);
	if (!unit.store.journal)
		fail_msg("%s", error);
}

/* What a store with the files as they are now would be, without all that a unit has. */
static void describe_files(char *text)
{
	struct journal *journal;
	struct store store;

	store_init(&store);
	journal = open_journal(&store);
	if (!journal)
		fail_msg("%s", error);
	describe(&store, text);
	journal_close(journal);
	store_free(&store);
}

static void stop(void)
{
	journal_close(unit.store.journal);
	unit.store.journal = NULL;
	unit_end(&unit);
}

static void path_of(const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", folder, name);
}

static size_t read_file(const char *name, char *data, size_t size)
{
	char path[128];
	ssize_t length;
	int file;

	path_of(name, path);
	file = open(path, O_RDONLY);
	length = file < 0 ? 0 : read(file, data, size);
	if (file >= 0)
		close(file);
	assert_in_range(length, 0, size - 1);
	return (size_t)length;
}

static void write_file(const char *name, const char *data, size_t length)
{
	char path[128];
	int file;

	path_of(name, path);
	file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(file, data, length), length);
	close(file);
}

static void remove_file(const char *name)
{
	char path[128];

	path_of(name, path);
	unlink(path);
}

static int setup(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/test_store_journal.XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	remove_file("journal");
	remove_file("snapshot");
	remove_file("snapshot.new");
	return rmdir(folder);
}

/* Some commit, another for each number. */
static void commit(int number)
{
	struct transaction *t;
	char path[64];

	snprintf(path, sizeof(path), "/n%d/x", number % 7);
	switch (number % 6) {
	case 0:
		assert_int_equal(domain_introduce(&unit.store, (uint16_t)(1 + number % 3), 77, 5),
				 0);
		break;
	case 1:
		assert_int_equal(unit_permit(&unit.control, path, "b0 r1 n2"), 0);
		break;
	case 2:
		assert_int_equal(unit_remove(&unit.control, path), 0);
		break;
	case 3:
		t = unit_begin(&unit.control);
		assert_int_equal(operation_write(&(struct view){ &unit.control, t }, path, "t", 1),
				 0);
		assert_int_equal(operation_write(&(struct view){ &unit.control, t }, "/t", "t", 1),
				 0);
		assert_int_equal(transaction_end(t, true), 0);
		break;
	case 4:
		if (domain_is_introduced(&unit.store, 1))
			assert_int_equal(domain_release(&unit.store, 1), 0);
		break;
	default:
		assert_int_equal(unit_write(&unit.control, path, path), 0);
	}
}

/* Every state that there was, and all of them in a journal. */
static void make_states(void)
{
	char path[16];

	for (int i = 0; i < 7; i++) {
		snprintf(path, sizeof(path), "/n%d/x", i);
		assert_int_equal(unit_write(&unit.control, path, ""), 0);
	}
	for (int i = 0; i < COMMITS; i++) {
		describe(&unit.store, states[i]);
		if (unit_error(&unit.control, "/n0") || i % 6 == 1)
			assert_int_equal(unit_write(&unit.control, "/n0/x", "again"), 0);
		describe(&unit.store, states[i]);
		journal_sync(unit.store.journal);
		snprintf(path, sizeof(path), "/n%d/x", i % 7);
		assert_int_equal(unit_write(&unit.control, path, "to be changed"), 0);
		describe(&unit.store, states[i]);
		commit(i);
	}
	describe(&unit.store, states[COMMITS]);
	journal_sync(unit.store.journal);
}

static void test_again(void **state)
{
	static char text[4096];

	(void)state;
	start();
	make_states();
	stop();
	for (int i = 0; i < 3; i++) {
		start();
		describe(&unit.store, text);
		assert_string_equal(text, states[COMMITS]);
		unit_check(&unit);
		if (i == 1)
			assert_int_equal(journal_compact(unit.store.journal, &unit.store, true), 0);
		stop();
	}
}

/* Every state after a record: what a journal may be cut to. */
static char (*records)[4096];
static size_t record_ends[8192];
static size_t record_count;

static void note_record(struct store *store, size_t end)
{
	records = realloc(records, (record_count + 1) * sizeof(*records));
	describe(store, records[record_count]);
	record_ends[record_count++] = end;
}

/* Each record on its own, as the journal's reader would do it. */
static void note_records(const char *data, size_t length)
{
	size_t at = RECORD_MAGIC_SIZE, size;
	struct record_header header;
	const char *entries;
	struct store store;
	bool ended = false;

	store_init(&store);
	note_record(&store, at);
	while (record_open(data + at, length - at, &header, &entries, &size) == RECORD_GOOD) {
		assert_true(record_apply(&store, entries, header.length, &ended));
		at += size;
		note_record(&store, at);
	}
	assert_int_equal(at, length);
	store_free(&store);
}

static void test_cut(void **state)
{
	static char data[TEXT], text[4096];
	size_t length, record = 0;

	(void)state;
	start();
	make_states();
	stop();
	length = read_file("journal", data, sizeof(data));
	note_records(data, length);
	assert_string_equal(records[record_count - 1], states[COMMITS]);
	print_message("%zu records, %zu bytes\n", record_count, length);
	for (size_t cut = 0; cut <= length; cut++) {
		while (record + 1 < record_count && record_ends[record + 1] <= cut)
			record++;
		write_file("journal", data, cut);
		describe_files(text);
		assert_string_equal(text, records[record]);
		if (cut % 64)
			continue;
		/* It goes on from there. */
		start();
		assert_int_equal(unit_write(&unit.control, "/more", ""), 0);
		journal_sync(unit.store.journal);
		stop();
		start();
		unit_assert_value(&unit.control, "/more", "");
		stop();
	}
	free(records);
	records = NULL;
	record_count = 0;
}

/* A byte is changed: everything before its record is there, nothing of it or after. */
static void test_flip(void **state)
{
	static char data[TEXT], text[4096];
	size_t length, record = 0;

	(void)state;
	start();
	make_states();
	stop();
	length = read_file("journal", data, sizeof(data));
	note_records(data, length);
	for (size_t at = RECORD_MAGIC_SIZE; at < length; at += 7) {
		while (record + 1 < record_count && record_ends[record + 1] <= at)
			record++;
		data[at] ^= 0x10;
		write_file("journal", data, length);
		data[at] ^= 0x10;
		describe_files(text);
		assert_string_equal(text, records[record]);
	}
	free(records);
	records = NULL;
	record_count = 0;
}

/* The program ends between the two steps of a compaction: the old journal is behind a new snapshot. */
static void test_both(void **state)
{
	static char data[TEXT], text[4096];
	size_t length;

	(void)state;
	start();
	make_states();
	length = read_file("journal", data, sizeof(data));
	assert_int_equal(journal_compact(unit.store.journal, &unit.store, true), 0);
	stop();
	write_file("journal", data, length);
	write_file("snapshot.new", "half of one", 11);
	start();
	describe(&unit.store, text);
	assert_string_equal(text, states[COMMITS]);
	assert_int_equal(unit_write(&unit.control, "/after", "1"), 0);
	journal_sync(unit.store.journal);
	stop();
	start();
	unit_assert_value(&unit.control, "/after", "1");
	stop();
}

static void refuse(const char *said)
{
	struct store store;

	store_init(&store);
	assert_null(open_journal(&store));
	if (!strstr(error, said))
		fail_msg("said '%s', not '%s'", error, said);
	store_free(&store);
}

static void test_damage(void **state)
{
	static char data[TEXT];
	size_t length;

	(void)state;
	start();
	make_states();
	assert_int_equal(journal_compact(unit.store.journal, &unit.store, true), 0);
	stop();
	length = read_file("snapshot", data, sizeof(data));
	for (size_t cut = 1; cut < length; cut += 13) {
		write_file("snapshot", data, cut);
		refuse("snapshot: byte ");
	}
	data[length / 2] ^= 1;
	write_file("snapshot", data, length);
	refuse("snapshot: byte 8: the record is damaged");
	data[length / 2] ^= 1;
	data[0] ^= 1;
	write_file("snapshot", data, length);
	refuse("snapshot: byte 0: does not begin with RFSTORE1");
	data[0] ^= 1;
	write_file("snapshot", data, length);
	write_file("journal", "RFSTORE2, another", 17);
	refuse("journal: byte 0: does not begin with RFSTORE1");
	remove_file("journal");
	/* A journal whose beginning is missing. */
	start();
	assert_int_equal(unit_write(&unit.control, "/a", ""), 0);
	journal_sync(unit.store.journal);
	stop();
	remove_file("snapshot");
	refuse("follows record 0");
}

/* Entries that have a good checksum and are nonsense. */
static void refuse_entries(const char *entries, size_t length)
{
	struct buffer record = { .data = NULL }, file = { .data = NULL };

	buffer_add(&record, entries, length);
	buffer_add(&file, RECORD_MAGIC, RECORD_MAGIC_SIZE);
	record_seal(&file, &record, 1);
	write_file("journal", buffer_data(&file), buffer_length(&file));
	refuse("journal: byte 8: the record's entries make no sense");
	buffer_free(&record);
	buffer_free(&file);
}

static void test_entries(void **state)
{
	static const struct permission nobody;
	struct content *content = content_new(&nobody, 1, "v", 1, 0);
	struct buffer entry = { .data = NULL };

	(void)state;
	record_set(&entry, "/folder/is/missing", content);
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_set(&entry, "relative", content);
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_remove(&entry, "/");
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_remove(&entry, "/missing");
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_introduce(&entry, 0, 0, 0);
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_end(&entry);
	refuse_entries(buffer_data(&entry), buffer_length(&entry));
	buffer_free(&entry);
	record_set(&entry, "/a", content);
	for (size_t cut = 1; cut < buffer_length(&entry); cut++)
		refuse_entries(buffer_data(&entry), cut);
	buffer_free(&entry);
	content_put(content);
}

/* Instead of the C library's: the journal sets space aside on a disk that is full when the test says so. */
static bool disk_is_full;

int fallocate(int file, int mode, off_t offset, off_t length)
{
	if (disk_is_full) {
		errno = ENOSPC;
		return -1;
	}
	return (int)syscall(SYS_fallocate, file, mode, offset, length);
}

/* Changes are refused, and nothing is half done. */
static void test_full(void **state)
{
	static char before[4096], text[4096];

	(void)state;
	start();
	disk_is_full = true;
	assert_int_equal(unit_write(&unit.control, "/a", "x"), ENOSPC);
	assert_int_equal(unit_error(&unit.control, "/a"), ENOENT);
	assert_int_equal(domain_introduce(&unit.store, 1, 0, 0), ENOSPC);
	assert_false(domain_is_introduced(&unit.store, 1));
	unit_check(&unit);
	disk_is_full = false;
	/* It works again as soon as there is room. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(unit_write(&unit.control, "/a", "x"), 0);
	describe(&unit.store, before);
	journal_sync(unit.store.journal);
	stop();
	start();
	describe(&unit.store, text);
	assert_string_equal(text, before);
	stop();
}

/* It does not grow for ever. */
static void test_compaction(void **state)
{
	static char value[2048];

	(void)state;
	start();
	memset(value, 'v', sizeof(value) - 1);
	for (int i = 0; i < 3000; i++) {
		assert_int_equal(unit_write(&unit.control, "/a", value), 0);
		journal_sync(unit.store.journal);
		assert_int_equal(journal_compact(unit.store.journal, &unit.store, false), 0);
		assert_true(journal_count(unit.store.journal).bytes < 5 << 20);
	}
	assert_int_equal(journal_count(unit.store.journal).sequence, 3000);
	stop();
	start();
	unit_assert_value(&unit.control, "/a", value);
	assert_int_equal(journal_count(unit.store.journal).sequence, 3000);
	stop();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_again),  TEST(test_cut),     TEST(test_flip), TEST(test_both),
		TEST(test_damage), TEST(test_entries), TEST(test_full), TEST(test_compaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
