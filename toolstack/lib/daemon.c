// SPDX-License-Identifier: BSD-2-Clause
/*
 * Talking to rfd.
 *
 * Interface: daemon.h. Locks: none; looking whether the daemon holds its lock takes it for a moment, shared, which
 * the daemon waits for.
 */
#include "toolstack/lib/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "toolstack/lib/domain.h"
#include "toolstack/lib/places.h"

#define ANSWER_MAX (16U << 20)
#define END_MS	   5000 /* that the daemon has for seeing to a domain that has ended */
#define LOOK_MS	   50

void daemon_socket(char path[PATH_MAX])
{
	const char *chosen = secure_getenv("RINGFENCE_SOCKET");

	if (chosen && *chosen)
		snprintf(path, PATH_MAX, "%s", chosen);
	else
		snprintf(path, PATH_MAX, "%s/rfd.sock", places_state());
}

void daemon_lock_path(char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/rfd.lock", places_state());
}

bool daemon_is_there(void)
{
	char path[PATH_MAX];
	bool there;
	int file;

	daemon_lock_path(path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	there = flock(file, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;
	close(file);
	return there;
}

/* --- Asking --- */

static int connect_to(const char *path, struct report *report)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(address.sun_path)) {
		report_fail(report, "%s: is too long for a socket", path);
	} else {
		strcpy(address.sun_path, path);
		if (file >= 0 && !connect(file, (struct sockaddr *)&address, sizeof(address)))
			return file;
		report_fail(report, "rfd does not answer: %s: %s", path, strerror(errno));
	}
	close(file);
	return -1;
}

/* All that comes, with a zero after it. */
static char *read_all(int file)
{
	size_t size = 0, room = 65536;
	char *text = malloc(room);
	ssize_t got = 1;

	while (text && got > 0 && size < ANSWER_MAX) {
		char *larger = text;

		if (room - size < 4096)
			larger = realloc(text, room *= 2);
		if (!larger)
			break;
		text = larger;
		got = read(file, text + size, room - size - 1);
		size += got > 0 ? (size_t)got : 0;
	}
	if (text)
		text[size] = 0;
	return text;
}

static json_t *understand(const char *text, enum status *status, struct report *report)
{
	const char *body = text ? strstr(text, "\r\n\r\n") : NULL;
	json_t *json = body ? json_loads(body + 4, JSON_DECODE_ANY, NULL) : NULL;
	const char *error = json_string_value(json_object_get(json, "error"));
	int code = 0;

	if (text)
		sscanf(text, "HTTP/1.%*d %d", &code);
	if (json && code == 200)
		return json;
	*status = STATUS_FAILED;
	if (error)
		*status = (enum status)json_integer_value(json_object_get(json, "status"));
	report_fail(report, "rfd: %s", error ? error : "answers no HTTP");
	json_decref(json);
	return NULL;
}

json_t *daemon_get(const char *path, enum status *status, struct report *report)
{
	char socket[PATH_MAX], *text;
	json_t *json;
	int file;

	daemon_socket(socket);
	*status = STATUS_FAILED;
	file = connect_to(socket, report);
	if (file < 0)
		return NULL;
	dprintf(file, "GET %s HTTP/1.1\r\nHost: rfd\r\nConnection: close\r\n\r\n", path);
	text = read_all(file);
	json = understand(text, status, report);
	if (json)
		*status = STATUS_OK;
	free(text);
	close(file);
	return json;
}

/* --- Domains that have ended --- */

static bool is_preserved(const struct rf_domain_info *info)
{
	struct report ignored = { .warnings = 0 };
	struct config config;
	bool good = life_recall(info, &config, &ignored) &&
		    life_action(info, &config) == ACTION_PRESERVE;

	config_free(&config);
	return good;
}

enum life_result daemon_end(struct access *access, struct rf_domain_info *info,
			    struct report *report)
{
	struct rf_domain_info now;

	if (is_preserved(info) || !daemon_is_there())
		return life_end(access, info, report);
	for (unsigned waited = 0; waited < END_MS; waited += LOOK_MS) {
		/* It may still be making it again: that one waits for its lock. */
		if (domain_get(access, info->domain, &now) || now.serial != info->serial)
			break;
		usleep(LOOK_MS * 1000);
	}
	return life_end(access, info, report);
}
