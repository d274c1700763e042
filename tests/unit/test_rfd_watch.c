// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the daemon sees and does by itself, with a hypervisor that has numbers, names, states and consoles: events,
 * guests that have ended, logs of consoles that rotate and go on after a kill.
 */
#include "rfd_fake.h"

#include <sys/stat.h>

#include "toolstack/lib/life.h"
#include "toolstack/rfd/watch.h"

#define LIMIT 16384

/* Of the sanitizer that unit tests are built with; its headers are not in every package of it. */
size_t __sanitizer_get_current_allocated_bytes(void);

struct setup {
	struct daemon daemon;
	struct supervise supervise;
	struct watch watch;
	struct access access;
	struct report report;
	uint64_t since;
};

static void start(struct setup *s)
{
	memset(s, 0, sizeof(*s));
	fake_begin("test_rfd_watch");
	s->daemon.open = fake_open;
	s->daemon.options.log_size = LIMIT;
	assert_true(fake_open(&s->access, &s->report));
	event_open(&s->daemon.events);
	supervise_start(&s->supervise, &s->daemon);
	assert_true(watch_open(&s->watch, &s->daemon, &s->supervise, &s->report));
	watch_look(&s->watch);
}

static void finish(struct setup *s)
{
	watch_close(&s->watch);
	supervise_stop(&s->supervise);
	event_free(&s->daemon.events);
	access_close(&s->access);
	fake_finish();
}

/* As if the daemon was killed, and started again: nothing of it is left but what is on disk. */
static void start_again(struct setup *s)
{
	watch_close(&s->watch);
	supervise_stop(&s->supervise);
	supervise_start(&s->supervise, &s->daemon);
	assert_true(watch_open(&s->watch, &s->daemon, &s->supervise, &s->report));
}

static struct rf_domain_info create(struct setup *s, const char *name, enum config_action crash)
{
	struct rf_domain_info info;
	struct config config;
	char path[96];

	config_init(&config);
	snprintf(path, sizeof(path), "%s/kernel", fake.folder);
	config.name = strdup(name);
	config.kernel = strdup(path);
	config.on_crash = crash;
	assert_true(config_check("test", &config, &s->report));
	assert_true(life_create(&s->access, &config, false, &info, &s->report));
	config_free(&config);
	return info;
}

/* The names of the events since the last call, with blanks between them. */
static void expect_events(struct setup *s, const char *expected)
{
	json_t *answer = event_read(&s->daemon.events, s->since, 0), *event;
	char names[256] = "";
	size_t i;

	json_array_foreach(json_object_get(answer, "events"), i, event)
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
			 *names ? " " : "", json_string_value(json_object_get(event, "event")));
	s->since = (uint64_t)json_integer_value(json_object_get(answer, "last"));
	json_decref(answer);
	assert_string_equal(names, expected);
}

/* Until the supervisor has made something of it. */
static void wait_for_serial(uint32_t number, uint64_t serial, uint32_t state)
{
	for (int i = 0; i < 1000; i++) {
		struct rf_domain_info info = fake_info(number);

		if (info.serial == serial && info.state == state)
			return;
		usleep(10000);
	}
	fail_msg("domain %u: serial %llu, state %u", number,
		 (unsigned long long)fake_info(number).serial, fake_info(number).state);
}

/* --- Events --- */

static void test_events(void **state)
{
	struct rf_domain_set set = { .mask = RF_SET_NAME, .name = "www" };
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	expect_events(&s, "");
	info = create(&s, "web", ACTION_PRESERVE);
	watch_look(&s.watch);
	expect_events(&s, "created running");
	watch_look(&s.watch);
	expect_events(&s, "");
	domain_pause(&s.access, info.domain, true);
	watch_look(&s.watch);
	domain_pause(&s.access, info.domain, false);
	watch_look(&s.watch);
	domain_set(&s.access, info.domain, &set);
	watch_look(&s.watch);
	expect_events(&s, "paused running renamed");
	assert_int_equal(life_destroy(&s.access, &info), 0);
	watch_look(&s.watch);
	expect_events(&s, "removed");
	finish(&s);
}

/* Another of the same number, between two looks. */
static void test_another(void **state)
{
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_PRESERVE);
	watch_look(&s.watch);
	assert_int_equal(life_destroy(&s.access, &info), 0);
	create(&s, "web", ACTION_PRESERVE);
	watch_look(&s.watch);
	expect_events(&s, "created running removed created running");
	finish(&s);
}

static void test_found(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	create(&s, "web", ACTION_PRESERVE);
	start_again(&s);
	watch_look(&s.watch);
	expect_events(&s, "");
	finish(&s);
}

/* A number far above the others is found, too, and looking costs no more for it. */
static void test_far(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	pthread_mutex_lock(&fake.lock);
	fake.domains[100].there = true;
	fake.domains[100].info = (struct rf_domain_info){ .domain = 100,
							  .serial = 9,
							  .state = RF_DOMAIN_RUNNING,
							  .name = "far" };
	pthread_mutex_unlock(&fake.lock);
	watch_look(&s.watch);
	expect_events(&s, "created running");
	fake.calls = 0;
	watch_look(&s.watch);
	expect_events(&s, "");
	/* This one, the control domain, and that there are no more. */
	assert_int_equal(fake.calls, 3);
	fake.domains[100].there = false;
	watch_look(&s.watch);
	expect_events(&s, "removed");
	finish(&s);
}

/* --- Memory --- */

/* From its creation to the event that it is gone: four of them, with something on its console. */
static void live(struct setup *s)
{
	struct rf_domain_info info = create(s, "web", ACTION_PRESERVE);

	fake_print(info.domain, "hello\n", 6);
	watch_look(&s->watch);
	domain_pause(&s->access, info.domain, true);
	watch_look(&s->watch);
	assert_int_equal(life_destroy(&s->access, &info), 0);
	watch_look(&s->watch);
}

/* What the daemon has allocated after so many lives more. */
static size_t after_lives(struct setup *s, unsigned lives)
{
	while (lives--)
		live(s);
	return __sanitizer_get_current_allocated_bytes();
}

/* Once as many events are kept as ever will be, nothing grows, however many more lives there are. */
static void test_memory(void **state)
{
	struct setup s;
	size_t size;

	(void)state;
	start(&s);
	size = after_lives(&s, EVENTS_KEPT / 4 + 1);
	assert_int_equal(s.daemon.events.next - s.daemon.events.first, EVENTS_KEPT);
	assert_int_equal(after_lives(&s, EVENTS_KEPT / 2), size);
	finish(&s);
}

/* Nor do events themselves, with texts as long as can be; and without them they need nothing but their places. */
static void test_event_memory(void **state)
{
	struct rf_domain_info info = { .serial = 7, .name = "web" };
	struct event_queue *queue = malloc(sizeof(*queue));
	size_t empty, size;

	(void)state;
	event_open(queue);
	empty = __sanitizer_get_current_allocated_bytes();
	for (int i = 0; i < 3 * EVENTS_KEPT; i++)
		event_add(queue, EVENT_PAUSED, &info, "%s", "");
	assert_int_equal(__sanitizer_get_current_allocated_bytes(), empty);
	for (int i = 0; i < EVENTS_KEPT; i++)
		event_add(queue, EVENT_FAILED, &info, "%9999s", "why");
	size = __sanitizer_get_current_allocated_bytes();
	assert_true(size > empty && size <= empty + EVENTS_KEPT * 1024);
	for (int i = 0; i < 20 * EVENTS_KEPT; i++)
		event_add(queue, EVENT_FAILED, &info, "%9999s", "why");
	assert_int_equal(__sanitizer_get_current_allocated_bytes(), size);
	event_close(queue);
	event_free(queue);
	free(queue);
}

/* --- Ends --- */

static void test_restart(void **state)
{
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	watch_look(&s.watch);
	fake_end(info.domain, RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH);
	watch_look(&s.watch);
	wait_for_serial(1, 2, RF_DOMAIN_RUNNING);
	watch_look(&s.watch);
	supervise_stop(&s.supervise);
	supervise_start(&s.supervise, &s.daemon);
	/* The last may come before or after: two threads say them. */
	assert_int_equal(s.daemon.events.counts[EVENT_CRASHED], 1);
	assert_int_equal(s.daemon.events.counts[EVENT_RESTARTED], 1);
	assert_int_equal(s.daemon.events.counts[EVENT_REMOVED], 1);
	assert_int_equal(s.daemon.events.counts[EVENT_CREATED], 2);
	finish(&s);
}

/* One that ended while no daemon was there. */
static void test_restart_later(void **state)
{
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	watch_look(&s.watch);
	start_again(&s);
	fake_end(info.domain, RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_REBOOT);
	watch_look(&s.watch);
	wait_for_serial(1, 2, RF_DOMAIN_RUNNING);
	finish(&s);
}

static void test_preserve_and_remove(void **state)
{
	struct rf_domain_info one, two;
	struct setup s;

	(void)state;
	start(&s);
	one = create(&s, "one", ACTION_PRESERVE);
	two = create(&s, "two", ACTION_RESTART);
	watch_look(&s.watch);
	fake_end(one.domain, RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_CRASH);
	fake_end(two.domain, RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_POWEROFF);
	watch_look(&s.watch);
	wait_for_serial(2, two.serial, 0);
	watch_look(&s.watch);
	assert_int_equal(fake_info(one.domain).state, RF_DOMAIN_SHUTDOWN);
	/* It is not looked after again and again. */
	for (int i = 0; i < 100 && !s.daemon.events.counts[EVENT_PRESERVED]; i++)
		usleep(10000);
	watch_look(&s.watch);
	usleep(50000);
	assert_int_equal(s.daemon.events.counts[EVENT_PRESERVED], 1);
	finish(&s);
}

/* What it should be made from is gone: said, and it is gone as well. */
static void test_no_restart(void **state)
{
	struct rf_domain_info info;
	struct setup s;
	char path[96];

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	watch_look(&s.watch);
	snprintf(path, sizeof(path), "%s/kernel", fake.folder);
	assert_int_equal(unlink(path), 0);
	fake_end(info.domain, RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH);
	watch_look(&s.watch);
	for (int i = 0; i < 500 && !s.daemon.events.counts[EVENT_FAILED]; i++)
		usleep(10000);
	assert_int_equal(s.daemon.events.counts[EVENT_FAILED], 1);
	assert_int_equal(fake_info(1).state, 0);
	finish(&s);
}

/* --- Several at once --- */

#define ROUNDS 20

struct racer {
	struct setup *s;
	struct rf_domain_info info;
	unsigned restarts;
	unsigned made;
};

/* Another toolstack, which sees to the end of the same guest, and then makes one of the same name. */
static void *race(void *context)
{
	struct racer *r = context;
	struct report report = { .warnings = 0 };
	struct rf_domain_info info = r->info;
	struct config config;
	char path[96];

	r->restarts += life_end(&r->s->access, &info, &report) == LIFE_RESTARTED;
	config_init(&config);
	snprintf(path, sizeof(path), "%s/kernel", fake.folder);
	config.name = strdup("other");
	config.kernel = strdup(path);
	if (config_check("test", &config, &report))
		r->made += life_create(&r->s->access, &config, true, &info, &report);
	config_free(&config);
	return NULL;
}

/* Whoever is first does it; nobody does it twice. */
static void test_race(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	for (int round = 0; round < ROUNDS; round++) {
		struct racer racers[4] = { 0 };
		pthread_t threads[4];
		struct rf_domain_info info = create(&s, "web", ACTION_RESTART), other;
		unsigned restarts = 0, made = 0;

		fake_end(info.domain, RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH);
		for (int i = 0; i < 4; i++) {
			racers[i].s = &s;
			racers[i].info = info;
			pthread_create(&threads[i], NULL, race, &racers[i]);
		}
		for (int i = 0; i < 4; i++) {
			pthread_join(threads[i], NULL);
			restarts += racers[i].restarts;
			made += racers[i].made;
		}
		assert_int_equal(restarts, 1);
		assert_int_equal(made, 1);
		assert_int_equal(domain_find(&s.access, "web", &info), 0);
		assert_int_equal(domain_find(&s.access, "other", &other), 0);
		assert_int_equal(life_destroy(&s.access, &info), 0);
		assert_int_equal(life_destroy(&s.access, &other), 0);
	}
	finish(&s);
}

/* Made again at once, then after 1, 2, 4 ... 64 seconds, until one has lasted. */
static void test_back_off(void **state)
{
	static const uint64_t expected[] = { 0, 1, 2, 4, 8, 16, 32, 64, 64, 64 };
	struct setup s;

	(void)state;
	start(&s);
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(supervise_delay(&s.supervise, "web", 100), expected[i] * 1000);
	assert_int_equal(supervise_delay(&s.supervise, "other", 100), 0);
	assert_int_equal(supervise_delay(&s.supervise, "web", SUPERVISE_QUICK_MS), 0);
	assert_int_equal(supervise_delay(&s.supervise, "web", 100), 0);
	assert_int_equal(supervise_delay(&s.supervise, "web", 100), 1000);
	/* More names than are kept. */
	for (int i = 0; i < 2 * SUPERVISE_NAMES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "n%d", i);
		supervise_delay(&s.supervise, name, 100);
	}
	finish(&s);
}

/* --- Logs --- */

static char *read_log(const char *name, size_t *size)
{
	static char text[4 * LIMIT];
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fake.folder, name);
	file = fopen(path, "r");
	assert_non_null(file);
	*size = fread(text, 1, sizeof(text) - 1, file);
	text[*size] = 0;
	fclose(file);
	return text;
}

static void expect_log(const char *name, const char *expected)
{
	size_t size;

	assert_string_equal(read_log(name, &size), expected);
}

static void test_log(void **state)
{
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	fake_print(info.domain, "one\n", 4);
	watch_look(&s.watch);
	expect_log("web.log", "one\n");
	fake_print(info.domain, "two\n", 4);
	start_again(&s);
	fake_print(info.domain, "three\n", 6);
	watch_look(&s.watch);
	expect_log("web.log", "one\ntwo\nthree\n");
	/* The last words of one that is made again, and the first of the next. */
	fake_print(info.domain, "panic\n", 6);
	fake_end(info.domain, RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH);
	watch_look(&s.watch);
	wait_for_serial(1, 2, RF_DOMAIN_RUNNING);
	fake_print(1, "again\n", 6);
	watch_look(&s.watch);
	expect_log("web.log", "one\ntwo\nthree\npanic\nagain\n");
	finish(&s);
}

/* Killed after the text was written and before that was noted: as if the note was that from before. */
static void test_log_killed(void **state)
{
	char record[32], path[96];
	struct rf_domain_info info;
	struct setup s;
	FILE *file;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	fake_print(info.domain, "one\n", 4);
	watch_look(&s.watch);
	snprintf(path, sizeof(path), "%s/1.console", fake.folder);
	file = fopen(path, "r+");
	assert_non_null(file);
	assert_int_equal(fread(record, 1, sizeof(record), file), sizeof(record));
	fake_print(info.domain, "two\n", 4);
	watch_look(&s.watch);
	rewind(file);
	assert_int_equal(fwrite(record, 1, sizeof(record), file), sizeof(record));
	fclose(file);
	start_again(&s);
	fake_print(info.domain, "three\n", 6);
	watch_look(&s.watch);
	expect_log("web.log", "one\ntwo\nthree\n");
	finish(&s);
}

static size_t size_of(const char *name)
{
	struct stat status = { .st_size = 0 };
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", fake.folder, name);
	stat(path, &status);
	return (size_t)status.st_size;
}

/* Every line has its number, so what is in both files is what came last, without a gap. */
static void test_log_rotated(void **state)
{
	struct rf_domain_info info;
	struct setup s;
	char line[16], *text;
	size_t size;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	for (int i = 0; i < 20000; i++) {
		snprintf(line, sizeof(line), "%07d\n", i);
		fake_print(info.domain, line, 8);
		if (i % 1000 == 999)
			watch_look(&s.watch);
		if (i % 5000 == 4999)
			start_again(&s);
		assert_true(size_of("web.log") <= LIMIT && size_of("web.log.1") <= LIMIT);
	}
	text = read_log("web.log", &size);
	assert_string_equal(text + size - 8, "0019999\n");
	for (size_t i = 8; i < size; i += 8)
		assert_int_equal(atoi(text + i), atoi(text + i - 8) + 1);
	snprintf(line, sizeof(line), "%07d\n", atoi(text) - 1);
	text = read_log("web.log.1", &size);
	assert_string_equal(text + size - 8, line);
	finish(&s);
}

/* More than the hypervisor keeps, between two looks. */
static void test_log_flood(void **state)
{
	static char flood[RF_CONSOLE_RING + 1000];
	struct rf_domain_info info;
	struct setup s;
	size_t size;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	fake_print(info.domain, "one\n", 4);
	watch_look(&s.watch);
	memset(flood, 'x', sizeof(flood));
	fake_print(info.domain, flood, sizeof(flood));
	watch_look(&s.watch);
	read_log("web.log.1", &size);
	assert_non_null(strstr(read_log("web.log.1", &size),
			       "\n[rfd: 1000 bytes of the console are lost]\nxxxx"));
	finish(&s);
}

/* It prints faster than we read: what is in the log, and what the log says is not, are together all that it printed. */
static void test_log_endless(void **state)
{
	static char flood[12000];
	struct rf_domain_info info;
	unsigned lost, total = 0;
	struct setup s;
	size_t size;
	char *text;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	s.watch.daemon->options.log_size = 1 << 20;
	memset(flood, 'y', sizeof(flood));
	fake.floods = RF_CONSOLE_RING + 1000;
	fake_print(info.domain, flood, sizeof(flood));
	watch_look(&s.watch);
	text = read_log("web.log", &size);
	for (char *note = text; (note = strstr(note, "\n[rfd: ")); note++)
		if (sscanf(note, "\n[rfd: %u bytes of the console are lost]", &lost) == 1)
			total += lost;
	for (size_t i = 0; i < size; i++)
		total += text[i] == 'y' && text[i + 1] != 't';
	assert_int_equal(total, s.watch.domains[info.domain].log.position);
	assert_true(strstr(text, "lost]\nyyy") != NULL);
	finish(&s);
}

/* What is printed at once is written at once: calls are what a console costs. */
static void test_log_calls(void **state)
{
	static char text[RF_CONSOLE_RING];
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	watch_look(&s.watch);
	memset(text, 'x', sizeof(text));
	fake_print(info.domain, text, sizeof(text));
	fake.calls = 0;
	watch_look(&s.watch);
	/* Two that look at domains, one that finds no more, four that read, and one that finds nothing more. */
	assert_int_equal(fake.calls, 3 + RF_CONSOLE_RING / FAKE_READ + 1);
	finish(&s);
}

/* Nothing can be written: that is no reason to stop, and what is lost is said later. */
static void test_log_full(void **state)
{
	struct rf_domain_info info;
	struct setup s;
	int file;

	(void)state;
	start(&s);
	info = create(&s, "web", ACTION_RESTART);
	fake_print(info.domain, "one\n", 4);
	watch_look(&s.watch);
	file = s.watch.domains[info.domain].log.file;
	s.watch.domains[info.domain].log.file = open("/dev/full", O_WRONLY);
	fake_print(info.domain, "two\n", 4);
	watch_look(&s.watch);
	close(s.watch.domains[info.domain].log.file);
	s.watch.domains[info.domain].log.file = file;
	fake_print(info.domain, "three\n", 6);
	watch_look(&s.watch);
	expect_log("web.log", "one\n\n[rfd: 4 bytes of the console are lost]\nthree\n");
	finish(&s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_another),
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_event_memory),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_restart_later),
		cmocka_unit_test(test_preserve_and_remove),
		cmocka_unit_test(test_no_restart),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_back_off),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_log_killed),
		cmocka_unit_test(test_log_rotated),
		cmocka_unit_test(test_log_flood),
		cmocka_unit_test(test_log_endless),
		cmocka_unit_test(test_log_calls),
		cmocka_unit_test(test_log_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
