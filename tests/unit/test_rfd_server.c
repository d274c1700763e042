// SPDX-License-Identifier: BSD-2-Clause
/*
 * The daemon's answers by HTTP, to good requests and to bad ones: every route, bodies that are too long, no JSON, or
 * have what no field is called; clients that are silent, slow, or many.
 */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "rfd_fake.h"
#include "toolstack/lib/daemon.h"
#include "toolstack/rfd/autostart.h"
#include "toolstack/rfd/route.h"
#include "toolstack/rfd/server.h"

#define ANSWER_SIZE 65536

struct setup {
	struct daemon daemon;
	struct server server;
	struct report report;
	char socket[96];
	char text[ANSWER_SIZE]; /* the answer, as it came */
	json_t *json;		/* its body, if it is JSON */
};

static void start(struct setup *s)
{
	memset(s, 0, sizeof(*s));
	fake_begin("test_rfd_server");
	snprintf(s->socket, sizeof(s->socket), "%s/rfd.sock", fake.folder);
	s->daemon.options.socket = s->socket;
	s->daemon.open = fake_open;
	event_open(&s->daemon.events);
	metrics_open(&s->daemon.metrics);
	assert_true(server_start(&s->server, &s->daemon, &s->report));
}

static void finish(struct setup *s)
{
	json_decref(s->json);
	event_close(&s->daemon.events);
	server_stop(&s->server);
	event_free(&s->daemon.events);
	metrics_close(&s->daemon.metrics);
	fake_finish();
}

/* --- A client --- */

static int connect_to(const struct setup *s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int file = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, s->socket);
	assert_int_equal(connect(file, (struct sockaddr *)&address, sizeof(address)), 0);
	return file;
}

/* All that comes until the other end closes. */
static size_t read_answer(struct setup *s, int file)
{
	size_t size = 0;
	ssize_t got = 1;

	while (got > 0 && size < ANSWER_SIZE - 1) {
		got = recv(file, s->text + size, ANSWER_SIZE - 1 - size, 0);
		size += got > 0 ? (size_t)got : 0;
	}
	s->text[size] = 0;
	close(file);
	return size;
}

static int parse_answer(struct setup *s)
{
	const char *body = strstr(s->text, "\r\n\r\n");
	int code = 0;

	json_decref(s->json);
	s->json = body ? json_loads(body + 4, JSON_DECODE_ANY, NULL) : NULL;
	sscanf(s->text, "HTTP/1.1 %d", &code);
	return code;
}

static int ask_bytes(struct setup *s, const char *what, const char *body, size_t size)
{
	char head[256];
	int file = connect_to(s);
	int length = snprintf(head, sizeof(head),
			      "%s HTTP/1.1\r\nHost: rfd\r\nConnection: close\r\n"
			      "Content-Length: %zu\r\n\r\n",
			      what, size);

	/* Where there is no place, the other end closes at once. */
	send(file, head, (size_t)length, MSG_NOSIGNAL);
	while (size) {
		ssize_t done = send(file, body, size, MSG_NOSIGNAL);

		if (done <= 0)
			break;
		body += done;
		size -= (size_t)done;
	}
	read_answer(s, file);
	return parse_answer(s);
}

static int ask(struct setup *s, const char *what, const char *body)
{
	return ask_bytes(s, what, body, strlen(body));
}

static void is_error(const struct setup *s, const char *code, int status, const char *text)
{
	assert_string_equal(json_string_value(json_object_get(s->json, "code")), code);
	assert_int_equal(json_integer_value(json_object_get(s->json, "status")), status);
	assert_string_equal(json_string_value(json_object_get(s->json, "error")), text);
}

static int create(struct setup *s, const char *name, const char *more)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"config\": {\"name\": \"%s\", \"kernel\": \"%s/kernel\"%s}}", name, fake.folder,
		 more);
	return ask(s, "POST /v1/domains", body);
}

/* --- Good requests --- */

static void test_life(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(create(&s, "web", ", \"vcpus\": 2"), 200);
	assert_int_equal(json_integer_value(json_object_get(s.json, "domain")), 1);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_RUNNING);
	assert_int_equal(ask(&s, "GET /v1/domains", ""), 200);
	assert_int_equal(json_array_size(s.json), 2);
	assert_int_equal(ask(&s, "GET /v1/domains/web", ""), 200);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(s.json, "config"), "vcpus")), 2);
	assert_int_equal(ask(&s, "GET /v1/domains/1/vcpus", ""), 200);
	assert_int_equal(json_array_size(s.json), 2);
	assert_int_equal(ask(&s, "GET /v1/domains/web/stats", ""), 200);
	/* One reason, and all: 7 of one vCPU, 8 of the other. */
	assert_int_equal(json_array_size(s.json), 2);
	assert_int_equal(json_integer_value(json_object_get(json_array_get(s.json, 0), "count")),
			 15);
	assert_int_equal(ask(&s, "POST /v1/domains/web/pause", ""), 200);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_PAUSED);
	assert_int_equal(ask(&s, "POST /v1/domains/web/unpause", "{}"), 200);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_RUNNING);
	assert_int_equal(ask(&s, "POST /v1/domains/web/rename", "{\"name\": \"www\"}"), 200);
	assert_string_equal(fake_info(1).name, "www");
	assert_int_equal(ask(&s, "POST /v1/domains/www/sched", "{\"cap\": 50}"), 200);
	assert_int_equal(fake.cap, 50);
	assert_int_equal(ask(&s, "POST /v1/domains/www/vcpu-pin", "{\"cpus\": [0, 2]}"), 200);
	assert_int_equal(ask(&s, "POST /v1/domains/www/mem-max", "{\"size\": \"32M\"}"), 200);
	assert_int_equal(ask(&s, "POST /v1/domains/www/sysrq", "{\"key\": \"h\"}"), 200);
	assert_int_equal(ask(&s, "POST /v1/domains/www/reboot", ""), 200);
	/* As its configuration says by default, it was made again. */
	assert_int_equal(fake_info(1).serial, 2);
	assert_int_equal(ask(&s, "POST /v1/domains/www/trigger", "{\"what\": \"poweroff\"}"), 200);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_SHUTDOWN);
	assert_int_equal(ask(&s, "POST /v1/domains/www/shutdown", ""), 200);
	assert_int_equal(fake_info(1).state, 0);
	assert_int_equal(create(&s, "web", ""), 200);
	assert_int_equal(ask(&s, "POST /v1/domains/1/destroy", ""), 200);
	assert_int_equal(fake_info(1).state, 0);
	finish(&s);
}

static void test_console(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(create(&s, "web", ""), 200);
	fake_print(1, "hello\n", 6);
	assert_int_equal(ask(&s, "GET /v1/domains/web/console", ""), 200);
	assert_non_null(strstr(s.text, "Ringfence-Position: 6\r\n"));
	assert_string_equal(strstr(s.text, "\r\n\r\n") + 4, "hello\n");
	assert_int_equal(ask(&s, "GET /v1/domains/web/console?since=4", ""), 200);
	assert_string_equal(strstr(s.text, "\r\n\r\n") + 4, "o\n");
	assert_int_equal(ask_bytes(&s, "POST /v1/domains/web/console", "a\0b", 3), 200);
	assert_int_equal(json_integer_value(json_object_get(s.json, "taken")), 3);
	assert_memory_equal(fake.domains[1].typed, "a\0b", 3);
	/* More than there is room for. */
	memset(s.text, 'x', 1000);
	assert_int_equal(ask_bytes(&s, "POST /v1/domains/web/console", s.text, 1000), 200);
	assert_int_equal(json_integer_value(json_object_get(s.json, "taken")), 61);
	assert_int_equal(ask(&s, "GET /v1/domains/0/console", ""), 422);
	finish(&s);
}

static void test_node(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(ask(&s, "GET /v1", ""), 200);
	assert_true(json_array_size(s.json) > 20);
	assert_int_equal(ask(&s, "GET /v1/version", ""), 200);
	assert_int_equal(ask(&s, "GET /v1/node", ""), 200);
	assert_int_equal(json_integer_value(json_object_get(s.json, "domains")), 1);
	finish(&s);
}

static void test_helpers(void **state)
{
	struct report report = { .warnings = 0 };
	const json_t *row;
	struct setup s;

	(void)state;
	start(&s);
	assert_true(helper_add(&s.daemon.helpers, "store=/bin/none", &report));
	assert_int_equal(ask(&s, "GET /v1/helpers", ""), 200);
	assert_int_equal(json_array_size(s.json), 1);
	row = json_array_get(s.json, 0);
	assert_string_equal(json_string_value(json_object_get(row, "name")), "store");
	assert_true(json_is_false(json_object_get(row, "running")));
	assert_null(json_object_get(row, "process"));
	finish(&s);
	helper_close(&s.daemon.helpers);
}

static void test_metrics(void **state)
{
	static const char *const lines[] = {
		"\nringfence_domains 2\n",
		"\nringfence_domain_state{domain=\"web\",id=\"1\",state=\"running\"} 1\n",
		"\nringfence_vcpu_cpu_seconds_total{domain=\"web\",id=\"1\",vcpu=\"1\"} 1.5\n",
		"\nringfence_vcpu_steal_seconds_total{domain=\"web\",id=\"1\",vcpu=\"0\"} 0.5\n",
		"\nringfence_domain_console_bytes_total{domain=\"web\",id=\"1\"} 6\n",
		"\nringfence_events_total{event=\"crashed\"} 0\n",
	};
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(ask(&s, "GET /metrics", ""), 200);
	assert_int_equal(create(&s, "web", ", \"vcpus\": 2"), 200);
	fake_print(1, "hello\n", 6);
	metrics_collect(&s.daemon);
	assert_int_equal(ask(&s, "GET /metrics", ""), 200);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(s.text, lines[i]))
			fail_msg("no %s in %s", lines[i], s.text);
	assert_null(strstr(s.text, "hypercalls_total{"));
	finish(&s);
}

/* --- Guests that are kept --- */

static int define(struct setup *s, const char *name, const char *more)
{
	char body[512];

	snprintf(body, sizeof(body),
		 "{\"config\": {\"name\": \"%s\", \"kernel\": \"%s/kernel\"}%s}", name, fake.folder,
		 more);
	return ask(s, "POST /v1/definitions", body);
}

static void test_definitions(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(define(&s, "web", ""), 200);
	assert_int_equal(define(&s, "app", ", \"autostart\": true"), 200);
	assert_int_equal(ask(&s, "GET /v1/definitions", ""), 200);
	assert_int_equal(json_array_size(s.json), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(s.json, 0), "name")),
			    "app");
	assert_int_equal(ask(&s, "POST /v1/definitions/web/autostart", ""), 200);
	assert_int_equal(ask(&s, "POST /v1/definitions/app/autostart", "{\"autostart\": false}"),
			 200);
	autostart_run(&s.daemon);
	assert_string_equal(fake_info(1).name, "web");
	assert_int_equal(fake_info(2).state, 0);
	/* Once after the machine has started. */
	assert_int_equal(ask(&s, "POST /v1/domains/web/destroy", ""), 200);
	autostart_run(&s.daemon);
	assert_int_equal(fake_info(1).state, 0);
	assert_int_equal(ask(&s, "POST /v1/definitions/web/start", "{\"paused\": true}"), 200);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_PAUSED);
	assert_int_equal(ask(&s, "POST /v1/definitions/web/start", ""), 422);
	is_error(&s, "failed", 1, "web: there is a domain of this name");
	assert_int_equal(ask(&s, "DELETE /v1/definitions/web", ""), 200);
	assert_int_equal(ask(&s, "DELETE /v1/definitions/web", ""), 404);
	assert_int_equal(ask(&s, "GET /v1/definitions/web", ""), 404);
	assert_int_equal(fake_info(1).state, RF_DOMAIN_PAUSED);
	finish(&s);
}

/* What is no definition, or half of one; names that are no names. */
static void test_bad_definitions(void **state)
{
	char path[96];
	struct setup s;
	FILE *file;

	(void)state;
	start(&s);
	snprintf(path, sizeof(path), "%s/half.json", fake.folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs("{\"autostart\": true, \"config\": {\"ker", file);
	fclose(file);
	assert_int_equal(define(&s, "web", ", \"autostart\": true"), 200);
	assert_int_equal(ask(&s, "GET /v1/definitions", ""), 200);
	assert_non_null(json_object_get(json_array_get(s.json, 0), "error"));
	assert_int_equal(ask(&s, "GET /v1/definitions/half", ""), 422);
	/* It keeps nobody else from starting. */
	autostart_run(&s.daemon);
	assert_string_equal(fake_info(1).name, "web");
	assert_int_equal(s.daemon.events.counts[EVENT_FAILED], 1);
	assert_int_equal(ask(&s, "GET /v1/definitions/..", ""), 404);
	assert_int_equal(ask(&s, "GET /v1/definitions/%2e%2e%2fkernel", ""), 404);
	assert_int_equal(ask(&s, "DELETE /v1/definitions/none", ""), 404);
	assert_int_equal(define(&s, "a/b", ""), 400);
	assert_int_equal(ask(&s, "POST /v1/definitions",
			     "{\"config\": {\"name\": \"x\", \"kernel\": \"/nowhere\"}}"),
			 422);
	finish(&s);
}

/* --- Events --- */

static json_int_t last(const struct setup *s)
{
	return json_integer_value(json_object_get(s->json, "last"));
}

static void *add_later(void *context)
{
	struct setup *s = context;

	usleep(200000);
	event_add(&s->daemon.events, EVENT_CREATED, NULL, "later");
	return NULL;
}

static void test_events(void **state)
{
	pthread_t thread;
	char what[96];
	struct setup s;
	json_int_t number;

	(void)state;
	start(&s);
	assert_int_equal(ask(&s, "GET /v1/events", ""), 200);
	assert_int_equal(json_array_size(json_object_get(s.json, "events")), 0);
	event_add(&s.daemon.events, EVENT_CRASHED, &fake.domains[0].info, "why %d", 7);
	assert_int_equal(ask(&s, "GET /v1/events", ""), 200);
	assert_int_equal(json_array_size(json_object_get(s.json, "events")), 1);
	assert_false(json_is_true(json_object_get(s.json, "lost")));
	number = last(&s);
	snprintf(what, sizeof(what), "GET /v1/events?since=%lld&wait=30", (long long)number);
	pthread_create(&thread, NULL, add_later, &s);
	assert_int_equal(ask(&s, what, ""), 200);
	pthread_join(thread, NULL);
	assert_int_equal(json_array_size(json_object_get(s.json, "events")), 1);
	assert_int_equal(last(&s), number + 1);
	for (int i = 0; i < EVENTS_KEPT; i++)
		event_add(&s.daemon.events, EVENT_PAUSED, NULL, "%d", i);
	snprintf(what, sizeof(what), "GET /v1/events?since=%lld", (long long)number);
	/* The answer is longer than what this client keeps: asked from the end. */
	assert_int_equal(ask(&s, what, ""), 200);
	snprintf(what, sizeof(what), "GET /v1/events?since=%lld",
		 (long long)number + EVENTS_KEPT - 1);
	assert_int_equal(ask(&s, what, ""), 200);
	assert_int_equal(json_array_size(json_object_get(s.json, "events")), 2);
	assert_false(json_is_true(json_object_get(s.json, "lost")));
	finish(&s);
}

/* Numbers of events that are gone: the reader is told. */
static void test_events_lost(void **state)
{
	struct event_queue queue;
	uint64_t first;
	json_t *events;

	(void)state;
	event_open(&queue);
	first = queue.next;
	for (int i = 0; i < EVENTS_KEPT + 10; i++)
		event_add(&queue, EVENT_PAUSED, NULL, "%d", i);
	events = event_read(&queue, first, 0);
	assert_true(json_is_true(json_object_get(events, "lost")));
	assert_int_equal(json_array_size(json_object_get(events, "events")), EVENTS_KEPT);
	json_decref(events);
	/* Everything that is kept, as was asked for. */
	events = event_read(&queue, 0, 0);
	assert_false(json_is_true(json_object_get(events, "lost")));
	json_decref(events);
	event_close(&queue);
	event_free(&queue);
}

/* --- The reference --- */

/* Each member, and those of the members of a list, are in docs/api.md, as `name`. */
static void check_documented(const char *reference, const json_t *value)
{
	const char *name;
	char quoted[64];
	json_t *member;
	size_t i;

	json_array_foreach((json_t *)value, i, member)
		check_documented(reference, member);
	if (!json_is_object(value))
		return;
	json_object_foreach((json_t *)value, name, member) {
		snprintf(quoted, sizeof(quoted), "`%s`", name);
		if (!strstr(reference, quoted))
			fail_msg("docs/api.md does not say what %s is", quoted);
		if (strcmp(name, "config"))
			check_documented(reference, member);
	}
}

static void test_reference(void **state)
{
	static const char *const paths[] = {
		"GET /v1",
		"GET /v1/version",
		"GET /v1/node",
		"GET /v1/domains",
		"GET /v1/domains/web",
		"GET /v1/events",
		"GET /v1/domains/web/vcpus",
		"GET /v1/domains/web/stats",
		"GET /v1/definitions",
	};
	static char reference[1 << 17];
	FILE *file = fopen("docs/api.md", "r");
	struct setup s;

	(void)state;
	assert_non_null(file);
	assert_true(fread(reference, 1, sizeof(reference) - 1, file) > 4096);
	fclose(file);
	start(&s);
	assert_int_equal(create(&s, "web", ""), 200);
	check_documented(reference, s.json);
	assert_int_equal(define(&s, "web", ""), 200);
	event_add(&s.daemon.events, EVENT_CRASHED, &fake.domains[1].info, "text");
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_int_equal(ask(&s, paths[i], ""), 200);
		check_documented(reference, s.json);
	}
	assert_int_equal(ask(&s, "GET /v2", ""), 404);
	check_documented(reference, s.json);
	finish(&s);
}

/* --- As `rf` asks --- */

static void test_daemon_get(void **state)
{
	struct report report = { .warnings = 0 };
	enum status status;
	struct setup s;
	json_t *answer;

	(void)state;
	start(&s);
	answer = daemon_get("/v1/version", &status, &report);
	assert_int_equal(status, STATUS_OK);
	assert_string_equal(json_string_value(json_object_get(answer, "rf")), RF_VERSION);
	json_decref(answer);
	assert_null(daemon_get("/v1/domains/nobody", &status, &report));
	assert_int_equal(status, STATUS_NOT_FOUND);
	assert_string_equal(report.error, "rfd: nobody: no such domain");
	memset(&report, 0, sizeof(report));
	setenv("RINGFENCE_SOCKET", "/nowhere/rfd.sock", 1);
	assert_null(daemon_get("/v1/version", &status, &report));
	unsetenv("RINGFENCE_SOCKET");
	assert_int_equal(status, STATUS_FAILED);
	assert_string_equal(report.error,
			    "rfd does not answer: /nowhere/rfd.sock: No such file or directory");
	finish(&s);
}

/* Who holds its lock is the daemon; a file alone is what one left that was killed. */
static void test_daemon_is_there(void **state)
{
	char path[PATH_MAX];
	struct setup s;
	int file;

	(void)state;
	start(&s);
	assert_false(daemon_is_there());
	daemon_lock_path(path);
	file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_false(daemon_is_there());
	assert_int_equal(flock(file, LOCK_EX | LOCK_NB), 0);
	assert_true(daemon_is_there());
	close(file);
	assert_false(daemon_is_there());
	finish(&s);
}

/* --- Bad requests --- */

static void test_refused(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(ask(&s, "GET /v2", ""), 404);
	is_error(&s, "usage", 2, "GET /v2: no such path");
	assert_int_equal(ask(&s, "DELETE /v1/domains", ""), 405);
	is_error(&s, "usage", 2, "DELETE /v1/domains: is not done that way");
	assert_int_equal(ask(&s, "GET /v1/domains/nobody", ""), 404);
	is_error(&s, "not-found", 3, "nobody: no such domain");
	assert_int_equal(ask(&s, "GET /v1/domains/%ff%fe", ""), 404);
	is_error(&s, "not-found", 3, "??: no such domain");
	assert_int_equal(ask(&s, "GET /v1/domains/..%2f..%2fetc", ""), 404);
	assert_int_equal(ask(&s, "GET /v1/domains/a/b/c", ""), 404);
	assert_int_equal(ask(&s, "GET /v1/events?sense=1", ""), 400);
	is_error(&s, "usage", 2, "sense: no such field");
	assert_int_equal(ask(&s, "GET /v1/events?since=-1", ""), 400);
	assert_int_equal(ask(&s, "GET /v1/events?since=99999999999999999999999", ""), 400);
	assert_int_equal(ask(&s, "GET /v1/events?wait=61", ""), 400);
	is_error(&s, "usage", 2, "wait: should be a number from 0 to 60");
	assert_int_equal(ask(&s, "POST /v1/domains/0/shutdown?wait=false", "{\"timeout\": 1.5}"),
			 400);
	is_error(&s, "usage", 2, "timeout: should be a number from 0 to 600");
	finish(&s);
}

static void test_bodies(void **state)
{
	struct setup s;

	(void)state;
	start(&s);
	assert_int_equal(ask(&s, "POST /v1/domains", "{\"config\": {"), 400);
	is_error(&s, "usage", 2,
		 "the body, line 1, column 12: string or '}' expected near end of file");
	assert_int_equal(ask(&s, "POST /v1/domains", "[]"), 400);
	is_error(&s, "usage", 2, "the body should be an object");
	assert_int_equal(ask(&s, "POST /v1/domains", ""), 400);
	is_error(&s, "usage", 2, "config: is missing");
	assert_int_equal(ask(&s, "POST /v1/domains", "{\"config\": {}, \"config\": {}}"), 400);
	assert_int_equal(ask(&s, "POST /v1/domains", "{\"config\": {}, \"pauzed\": true}"), 400);
	is_error(&s, "usage", 2, "pauzed: no such field");
	assert_int_equal(ask(&s, "POST /v1/domains", "{\"config\": {}, \"paused\": 1}"), 400);
	is_error(&s, "usage", 2, "paused: should be true or false");
	assert_int_equal(create(&s, "web", ", \"memroy\": 64"), 400);
	is_error(&s, "usage", 2, "config:1: memroy: no such key (docs/config.md has them)");
	assert_int_equal(create(&s, "web", ", \"initrd\": \"initrd.gz\""), 400);
	assert_int_equal(create(&s, "web", ", \"disks\": [{\"image\": \"disk.img\"}]"), 400);
	is_error(&s, "usage", 2, "config: disks: should be a whole path");
	assert_int_equal(create(&s, "web", ", \"initrd\": \"/nowhere/initrd.gz\""), 422);
	is_error(&s, "failed", 1, "/nowhere/initrd.gz: No such file or directory");
	assert_int_equal(ask_bytes(&s, "POST /v1/domains", "{\"a\": \"\xff\"}", 10), 400);
	assert_int_equal(ask(&s, "POST /v1/domains/0/sched", "{}"), 400);
	assert_int_equal(ask(&s, "POST /v1/domains/0/rename", "{\"name\": \"no/name\"}"), 400);
	assert_int_equal(ask(&s, "POST /v1/domains/0/rename", "{\"name\": \"control\"}"), 422);
	is_error(&s, "failed", 1, "control: there is a domain of this name");
	fake.no_memory = true;
	assert_int_equal(create(&s, "web", ""), 422);
	assert_int_equal(fake_info(1).state, 0);
	finish(&s);
}

/* Nested deeper than the library reads, and larger than is taken, said before or not. */
static void test_huge(void **state)
{
	size_t size = SERVER_BODY_MAX + 1;
	char *body = malloc(size);
	struct setup s;
	int file;

	(void)state;
	start(&s);
	memset(body, '[', size);
	assert_int_equal(ask_bytes(&s, "POST /v1/domains", body, SERVER_BODY_MAX), 400);
	assert_int_equal(ask_bytes(&s, "POST /v1/domains", body, size), 413);
	is_error(&s, "usage", 2, "the body has more than 1048576 bytes");
	file = connect_to(&s);
	assert_true(dprintf(file,
			    "POST /v1/domains HTTP/1.1\r\nHost: rfd\r\n"
			    "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			    2 * size) > 0);
	for (int i = 0; i < 2; i++)
		if (send(file, body, size, MSG_NOSIGNAL) < 0)
			break;
	/* Ended, without an answer. */
	assert_int_equal(read_answer(&s, file), 0);
	file = connect_to(&s);
	dprintf(file, "GET /%0*d HTTP/1.1\r\n\r\n", 40000, 0);
	read_answer(&s, file);
	assert_int_not_equal(parse_answer(&s), 200);
	assert_int_equal(ask(&s, "GET /v1/version", ""), 200);
	free(body);
	finish(&s);
}

static void test_no_http(void **state)
{
	static const char *const texts[] = {
		"\r\n\r\n",
		"GET\r\n\r\n",
		"GET /v1/version HTTP/9.9\r\n\r\n",
		"\x16\x03\x01\x02",
		"GET /v1/version HTTP/1.1\r\nContent-Length: -5\r\nHost: x\r\n\r\n",
		"GET /v1/version HTTP/1.1\r\nContent-Length: 99999999999999999999\r\nHost: x\r\n\r\n",
	};
	struct setup s;

	(void)state;
	start(&s);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		int file = connect_to(&s);

		send(file, texts[i], strlen(texts[i]), MSG_NOSIGNAL);
		shutdown(file, SHUT_WR);
		read_answer(&s, file);
		assert_int_not_equal(parse_answer(&s), 200);
	}
	assert_int_equal(ask(&s, "GET /v1/version", ""), 200);
	finish(&s);
}

/* --- Clients that do not hurry --- */

/* A byte now and then does not keep a connection. */
static void test_slow(void **state)
{
	char byte = 'x';
	struct setup s;
	int file;

	(void)state;
	start(&s);
	s.server.patience = 0;
	file = connect_to(&s);
	for (int i = 0; i < 1000; i++) {
		if (send(file, &byte, 1, MSG_NOSIGNAL) < 0)
			break;
		usleep(10000);
		server_look(&s.server);
		assert_true(i < 999);
	}
	close(file);
	s.server.patience = SERVER_SECONDS * 1000;
	assert_int_equal(ask(&s, "GET /v1/version", ""), 200);
	finish(&s);
}

/* As many as there may be are there and silent; when one leaves, another is served. */
static void test_many(void **state)
{
	int files[SERVER_CONNECTIONS];
	struct setup s;

	(void)state;
	start(&s);
	for (size_t i = 0; i < SERVER_CONNECTIONS; i++)
		files[i] = connect_to(&s);
	usleep(200000);
	for (size_t i = 0; i < SERVER_CONNECTIONS; i++)
		close(files[i]);
	/* It may take a moment until they are seen to be gone. */
	for (int i = 0; ask(&s, "GET /v1/version", "") != 200; i++) {
		assert_true(i < 100);
		usleep(50000);
	}
	finish(&s);
}

/* --- Clients that go away --- */

/* Of the sanitizer that unit tests are built with; its headers are not in every package of it. */
size_t __sanitizer_get_current_allocated_bytes(void);
int __lsan_do_recoverable_leak_check(void);

/* What libc keeps of a thread that has ended, for the next one: some hundred bytes of each that there were at once. */
#define THREADS_KEPT (SERVER_CONNECTIONS * 512)

static size_t open_files(void)
{
	DIR *folder = opendir("/proc/self/fd");
	size_t count = 0;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

/* A connection on which that much of a text was sent. */
static int send_part(const struct setup *s, const char *text, size_t size)
{
	int file = connect_to(s);

	assert_true(send(file, text, size, MSG_NOSIGNAL) == (ssize_t)size || errno == EPIPE ||
		    errno == ECONNRESET);
	return file;
}

/* Each request is cut after each of its bytes; who goes has read nothing, or a little, or said that no more comes. */
static void cut_everywhere(struct setup *s)
{
	static const char *const texts[] = {
		"GET /v1 HTTP/1.1\r\nHost: rfd\r\n\r\nGET /v1/version HTTP/1.1\r\nHost: rfd\r\n\r\n",
		"POST /v1/domains/web/rename HTTP/1.1\r\nHost: rfd\r\nContent-Length: 15\r\n\r\n{\"name\": \"web\"}",
		"POST /v1/domains/web/console HTTP/1.1\r\nHost: rfd\r\nTransfer-Encoding: chunked\r\n\r\n"
		"3\r\nabc\r\n0\r\n\r\n",
		"GET /v1/events?wait=x&wait=1&since=y HTTP/1.1\r\nHost: rfd\r\n\r\n",
	};

	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		for (size_t size = 0; size <= strlen(texts[t]); size++) {
			int file = send_part(s, texts[t], size);

			if (size % 3 == 1)
				recv(file, s->text, 100, MSG_DONTWAIT);
			if (size % 3 == 2)
				shutdown(file, SHUT_WR);
			close(file);
		}
	}
}

/* They wait for events, and go before there is one, or with it. */
static void cut_waiting(struct setup *s)
{
	static const char text[] =
		"GET /v1/events?wait=60&since=9000000000000000 HTTP/1.1\r\nHost: rfd\r\n\r\n";
	int files[8];

	for (size_t i = 0; i < 8; i++)
		files[i] = send_part(s, text, strlen(text));
	for (size_t i = 0; i < 8; i++) {
		if (i == 4)
			event_add(&s->daemon.events, EVENT_CREATED, NULL, "all look");
		close(files[i]);
	}
}

/* All of them at once: the server ends while they are at it. */
static size_t cut_and_finish(bool waiting)
{
	static const char text[] = "GET /v1 HTTP/1.1\r\nHost: rfd\r\n\r\n";
	struct setup s;
	int files[12];

	start(&s);
	assert_int_equal(create(&s, "web", ""), 200);
	cut_everywhere(&s);
	cut_waiting(&s);
	for (size_t i = 0; i < 12; i++)
		files[i] = send_part(&s, text, i < 11 ? i * 3 : strlen(text));
	if (!waiting)
		finish(&s);
	for (size_t i = 0; i < 12; i++)
		close(files[i]);
	if (waiting)
		finish(&s);
	return __sanitizer_get_current_allocated_bytes();
}

static void test_cut(void **state)
{
	size_t size = cut_and_finish(false), files = open_files();

	(void)state;
	for (int i = 0; i < 5; i++)
		assert_in_range(cut_and_finish(i % 2), 0, size + THREADS_KEPT);
	assert_int_equal(open_files(), files);
	assert_int_equal(__lsan_do_recoverable_leak_check(), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_console),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_helpers),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_metrics),
		cmocka_unit_test(test_daemon_get),
		cmocka_unit_test(test_daemon_is_there),
		cmocka_unit_test(test_definitions),
		cmocka_unit_test(test_bad_definitions),
		cmocka_unit_test(test_events_lost),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_bodies),
		cmocka_unit_test(test_huge),
		cmocka_unit_test(test_no_http),
		cmocka_unit_test(test_slow),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
