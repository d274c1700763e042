// SPDX-License-Identifier: BSD-2-Clause
/*
 * Programs that the daemon keeps running: started, started again when they end, later each time if they do not last,
 * and taken over from a daemon that was killed.
 */
#include "rfd_fake.h"

#include <signal.h>
#include <sys/wait.h>

#include "toolstack/rfd/daemon.h"

static void start(struct daemon *daemon)
{
	memset(daemon, 0, sizeof(*daemon));
	fake_begin("test_rfd_helper");
	event_open(&daemon->events);
}

static void finish(struct daemon *daemon)
{
	for (size_t i = 0; i < daemon->helpers.count; i++)
		if (daemon->helpers.helpers[i].file >= 0)
			kill(daemon->helpers.helpers[i].process, SIGKILL);
	helper_close(&daemon->helpers);
	event_free(&daemon->events);
	fake_finish();
	while (waitpid(-1, NULL, 0) > 0)
		;
}

static void add(struct daemon *daemon, const char *text)
{
	struct report report = { .warnings = 0 };

	assert_true(helper_add(&daemon->helpers, text, &report));
}

static void refuse(const char *text, const char *error)
{
	struct helper_table table = { .count = 0 };
	struct report report = { .warnings = 0 };

	assert_false(helper_add(&table, text, &report));
	assert_string_equal(report.error, error);
}

static void test_words(void **state)
{
	struct helper_table table = { .count = 0 };
	struct report report = { .warnings = 0 };
	char many[256] = "many=";

	(void)state;
	assert_true(helper_add(&table, "store=rfstored  --socket /run/x", &report));
	assert_string_equal(table.helpers[0].name, "store");
	assert_string_equal(table.helpers[0].words[0], "rfstored");
	assert_string_equal(table.helpers[0].words[2], "/run/x");
	assert_null(table.helpers[0].words[3]);
	helper_close(&table);
	refuse("store",
	       "--helper store: should be NAME=PROGRAM WORD..., with a name of small letters, "
	       "digits and dashes");
	refuse("../x=y",
	       "--helper ../x=y: should be NAME=PROGRAM WORD..., with a name of small letters, "
	       "digits and dashes");
	refuse("store= ", "--helper store= : no program, or more than 32 words");
	for (int i = 0; i <= HELPER_WORDS; i++)
		strcat(many, "a ");
	memset(&table, 0, sizeof(table));
	assert_false(helper_add(&table, many, &report));
}

static void test_delay(void **state)
{
	static const int expected[] = { 0, 1, 2, 4, 8, 8, 8 };
	struct helper helper = { .quick = 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(helper_delay(&helper, 0), expected[i] * 1000);
	assert_int_equal(helper_delay(&helper, HELPER_QUICK_MS), 0);
	for (int i = 1; i < HELPER_TRIES; i++)
		assert_true(helper_delay(&helper, 0) >= 0);
	assert_int_equal(helper_delay(&helper, 0), -1);
}

static void test_again(void **state)
{
	struct daemon daemon;
	pid_t first;

	(void)state;
	start(&daemon);
	add(&daemon, "store=sleep 1000");
	helper_look(&daemon);
	first = daemon.helpers.helpers[0].process;
	assert_int_equal(kill(first, SIGTERM), 0);
	/* Its end is seen by whoever waits. */
	helper_wait(&daemon.helpers, -1, 10000);
	helper_look(&daemon);
	assert_int_not_equal(daemon.helpers.helpers[0].process, first);
	assert_int_equal(kill(daemon.helpers.helpers[0].process, 0), 0);
	assert_int_equal(daemon.helpers.helpers[0].starts, 2);
	assert_int_equal(daemon.events.counts[EVENT_HELPER_ENDED], 1);
	finish(&daemon);
}

/* Nothing of the daemon is left but what is on disk. */
static void test_taken_over(void **state)
{
	struct daemon daemon;
	pid_t first;

	(void)state;
	start(&daemon);
	add(&daemon, "store=sleep 1000");
	helper_look(&daemon);
	first = daemon.helpers.helpers[0].process;
	helper_close(&daemon.helpers);
	memset(&daemon.helpers, 0, sizeof(daemon.helpers));
	add(&daemon, "store=sleep 1000");
	helper_look(&daemon);
	assert_int_equal(daemon.helpers.helpers[0].process, first);
	assert_int_equal(daemon.helpers.helpers[0].starts, 0);
	finish(&daemon);
}

/* The number of a process that is somebody else: of us, who began at another time. */
static void test_somebody_else(void **state)
{
	struct daemon daemon;
	char path[96];
	FILE *file;

	(void)state;
	start(&daemon);
	snprintf(path, sizeof(path), "%s/store.helper", fake.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d 12345\n", (int)getpid());
	fclose(file);
	add(&daemon, "store=sleep 1000");
	helper_look(&daemon);
	assert_int_not_equal(daemon.helpers.helpers[0].process, getpid());
	assert_int_equal(daemon.helpers.helpers[0].starts, 1);
	finish(&daemon);
}

static void test_no_program(void **state)
{
	struct daemon daemon;

	(void)state;
	start(&daemon);
	add(&daemon, "store=/nowhere/rfstored");
	helper_look(&daemon);
	helper_look(&daemon);
	/* At once, and then not before a second is over. */
	helper_look(&daemon);
	assert_int_equal(daemon.helpers.helpers[0].starts, 2);
	assert_int_equal(daemon.events.counts[EVENT_HELPER_STARTED], 0);
	finish(&daemon);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),	      cmocka_unit_test(test_delay),
		cmocka_unit_test(test_again),	      cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_somebody_else), cmocka_unit_test(test_no_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
