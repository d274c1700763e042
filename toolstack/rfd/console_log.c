// SPDX-License-Identifier: BSD-2-Clause
/*
 * The log of a guest's console.
 *
 * Interface: console_log.h. Locks: none, one thread has all logs.
 * Odd: beside the state of the guest lies a record: up to which position of the console the log goes, and which
 * file of which size that was. Text is appended first and the record written then, so a file that is longer than its
 * record says has that much more of the console: nothing is written twice, whenever we are killed.
 */
#include "toolstack/rfd/console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/console.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/places.h"
#include "toolstack/rfd/log.h"

#define PIECE 8192 /* at most so much is written at once: half of the smallest log */
#define READS 8	   /* by one look, or a guest that prints faster than we read would keep us there */

struct record {
	uint64_t serial;
	uint64_t position;
	uint64_t file; /* its inode */
	uint64_t size;
};

static void log_path(const struct console_log *log, const char *ending, char *path)
{
	snprintf(path, PATH_MAX, "%s/%s.log%s", places_log(), log->name, ending);
}

static void record_path(uint32_t domain, char *path)
{
	snprintf(path, PATH_MAX, "%s/%u.console", places_state(), domain);
}

static void write_record(const struct console_log *log)
{
	struct record record = { log->serial, log->position, log->inode, log->size };

	/* Without it, some of the log would be written again by the next to come. */
	if (pwrite(log->record, &record, sizeof(record), 0) != sizeof(record) && !log->full)
		log_line("%s: nothing can be written in %s", log->name, places_state());
}

/* --- The files --- */

static bool open_file(struct console_log *log, struct report *report)
{
	char path[PATH_MAX];
	struct stat status;

	log_path(log, "", path);
	if (!places_make(places_log()))
		return report_fail(report, "%s: %s", places_log(), strerror(errno));
	log->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->file < 0 || fstat(log->file, &status))
		return report_fail(report, "%s: %s", path, strerror(errno));
	log->inode = status.st_ino;
	log->size = (uint64_t)status.st_size;
	return true;
}

/* Where the guest's log ended. */
static void take_up(struct console_log *log)
{
	struct record record;

	if (pread(log->record, &record, sizeof(record), 0) != sizeof(record) ||
	    record.serial != log->serial)
		return;
	log->position = record.position;
	if (record.file == log->inode && log->size > record.size)
		log->position += log->size - record.size;
}

bool console_log_open(struct console_log *log, const struct rf_domain_info *info, uint64_t limit,
		      struct report *report)
{
	char path[PATH_MAX];

	*log = (struct console_log){ .domain = info->domain,
				     .serial = info->serial,
				     .limit = limit,
				     .file = -1,
				     .record = -1 };
	memcpy(log->name, info->name, sizeof(log->name));
	record_path(info->domain, path);
	log->record = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (log->record < 0)
		report_fail(report, "%s: %s", path, strerror(errno));
	if (log->record < 0 || !open_file(log, report)) {
		console_log_close(log);
		return false;
	}
	take_up(log);
	write_record(log);
	return true;
}

void console_log_close(struct console_log *log)
{
	if (log->file >= 0)
		close(log->file);
	if (log->record >= 0)
		close(log->record);
	log->file = -1;
	log->record = -1;
}

void console_log_forget(uint32_t domain)
{
	char path[PATH_MAX];

	record_path(domain, path);
	unlink(path);
}

/* The file becomes the one before, and that one goes. */
static bool rotate(struct console_log *log)
{
	struct report report = { .warnings = 0 };
	char path[PATH_MAX], before[PATH_MAX];

	log_path(log, "", path);
	log_path(log, ".1", before);
	if (rename(path, before) && errno != ENOENT)
		return false;
	close(log->file);
	if (!open_file(log, &report))
		return false;
	write_record(log);
	return true;
}

/* --- Text --- */

/* What finds no room is lost: the disk may be full. */
static void append(struct console_log *log, const char *text, size_t size)
{
	ssize_t done = -1;

	if (log->size + size <= log->limit || rotate(log))
		done = write(log->file, text, size);
	log->size += done > 0 ? (uint64_t)done : 0;
	log->full = done != (ssize_t)size;
	if (log->full)
		log->lost += size - (done > 0 ? (size_t)done : 0);
}

static void note_lost(struct console_log *log)
{
	char note[CONSOLE_LOG_NOTE];
	uint64_t lost = log->lost;
	int size = snprintf(note, sizeof(note), "\n[rfd: %llu bytes of the console are lost]\n",
			    (unsigned long long)lost);

	log->lost = 0;
	append(log, note, (size_t)size);
	if (log->full)
		log->lost = lost;
	write_record(log);
}

/* And from where on the next is to be read. */
static void put(struct console_log *log, const char *text, size_t size, uint64_t position)
{
	log->position = position;
	if (!size)
		return;
	append(log, text, size);
	write_record(log);
}

/* What was read before some were lost is written, then the note of those; what came after is all that is left. */
static size_t put_note(struct console_log *log, char *text, size_t size, size_t got,
		       uint64_t position)
{
	put(log, text, size, position - got);
	note_lost(log);
	memmove(text, text + size, got);
	return got;
}

/*
 * Written at once, however many calls the reading takes: what a guest that prints without end costs is calls, not
 * bytes.
 */
void console_log_take(struct console_log *log, struct access *access)
{
	uint64_t position = log->position, before;
	static char text[PIECE];
	size_t size = 0;
	int64_t got = 1;

	for (unsigned i = 0; i < READS && got > 0; i++) {
		if (size == sizeof(text)) {
			put(log, text, size, position);
			size = 0;
		}
		before = position;
		got = domain_read(access, log->domain, text + size, sizeof(text) - size, &position);
		if (got <= 0)
			break;
		log->lost += position - before - (uint64_t)got;
		size = log->lost ? put_note(log, text, size, (size_t)got, position)
				 : size + (size_t)got;
	}
	put(log, text, size, position);
}
