// SPDX-License-Identifier: BSD-2-Clause
/*
 * The log: hypervisor messages to a ring and to the console.
 *
 * Interface: log.h; the guests' half is in log_guest.c.
 * Locks: log_lock orders everything that is written, a line at a time; a leaf. After
 * log_ignore_lock() (panic) it is not taken any more, as its holder may never let go.
 * Odd: the console may stand in the middle of a line of raw guest output; then a message starts
 * on a line of its own.
 */
#include "log.h"

#include <stdarg.h>

#include "log_console.h"
#include "printf.h"
#include "serial.h"
#include "spinlock.h"
#include "string.h"

#define RING_SIZE (1ULL << CONFIG_LOG_SHIFT)

static const char *const level_words[] = {
	[LOG_ERROR] = "error: ",
	[LOG_WARNING] = "warning: ",
	[LOG_INFO] = "",
	[LOG_DEBUG] = "debug: ",
};

static struct spinlock log_lock = SPINLOCK_INIT;
static bool lock_ignored;
static bool console_mid_line;
static enum log_level console_level = CONFIG_LOG_LEVEL;
static uint64_t (*log_clock)(void);

static char ring[RING_SIZE];
static uint64_t ring_end; /* bytes ever written */

static bool log_lock_take(void)
{
	if (__atomic_load_n(&lock_ignored, __ATOMIC_ACQUIRE))
		return false;
	spin_lock(&log_lock);
	return true;
}

static void log_lock_give(bool taken)
{
	if (taken)
		spin_unlock(&log_lock);
}

void log_ignore_lock(void)
{
	__atomic_store_n(&lock_ignored, true, __ATOMIC_RELEASE);
}

void log_set_level(enum log_level console)
{
	console_level = console;
}

void log_set_clock(uint64_t (*clock)(void))
{
	__atomic_store_n(&log_clock, clock, __ATOMIC_RELEASE);
}

uint64_t log_time(void)
{
	uint64_t (*clock)(void) = __atomic_load_n(&log_clock, __ATOMIC_ACQUIRE);

	return clock ? clock() : 0;
}

/* With the lock held. Terminals want a carriage return before every newline. */
static void console_put(const char *text, size_t length)
{
	size_t start = 0;

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '\n' || (i > 0 && text[i - 1] == '\r'))
			continue;
		serial_write(text + start, i - start);
		serial_write("\r\n", 2);
		start = i + 1;
	}
	serial_write(text + start, length - start);
	if (length > 0)
		console_mid_line = text[length - 1] != '\n';
}

static void console_put_line(const char *text, size_t length)
{
	if (console_mid_line)
		console_put("\n", 1);
	console_put(text, length);
}

void log_console_write(const char *text, size_t length, bool raw)
{
	bool taken = log_lock_take();

	if (raw)
		console_put(text, length);
	else
		console_put_line(text, length);
	log_lock_give(taken);
}

static void ring_put(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		ring[ring_end++ & (RING_SIZE - 1)] = text[i];
}

size_t log_read(uint64_t *position, char *buffer, size_t length)
{
	bool taken = log_lock_take();
	uint64_t oldest = ring_end > RING_SIZE ? ring_end - RING_SIZE : 0;
	size_t copied = 0;

	if (*position < oldest || *position > ring_end)
		*position = oldest;
	while (copied < length && *position < ring_end)
		buffer[copied++] = ring[(*position)++ & (RING_SIZE - 1)];
	log_lock_give(taken);
	return copied;
}

/* What snprintf() would have liked to write, cut to what it did write. */
static size_t clipped(int wanted, size_t room)
{
	if (wanted < 0)
		return 0;
	return (size_t)wanted < room ? (size_t)wanted : room - 1;
}

/* A message may quote what a guest or a module gave us: keep it one line, and off the terminal. */
static void make_harmless(char *line, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((line[i] < ' ' && line[i] != '\t') || line[i] > '~')
			line[i] = '?';
}

static void log_line(char *line, size_t length, bool to_console)
{
	bool taken;

	make_harmless(line, length);
	line[length++] = '\n';
	taken = log_lock_take();
	ring_put(line, length);
	if (to_console)
		console_put_line(line, length);
	log_lock_give(taken);
}

static size_t put_time(char *line, size_t room)
{
	uint64_t now = log_time();

	if (!now)
		return 0;
	return clipped(snprintf(line, room, "[%5lu.%06lu] ", (now / 1000000000),
				(now / 1000 % 1000000)),
		       room);
}

void log_write(enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX + 1];
	size_t length = put_time(line, LOG_LINE_MAX);
	va_list arguments;

	length += clipped(snprintf(line + length, LOG_LINE_MAX - length, "%s", level_words[level]),
			  LOG_LINE_MAX - length);
	va_start(arguments, format);
	length += clipped(format_string(line + length, LOG_LINE_MAX - length, format, arguments),
			  LOG_LINE_MAX - length);
	va_end(arguments);
	log_line(line, length, level <= console_level);
}

void log_plain(const char *format, ...)
{
	char line[LOG_LINE_MAX + 1];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = clipped(format_string(line, LOG_LINE_MAX, format, arguments), LOG_LINE_MAX);
	va_end(arguments);
	log_line(line, length, true);
}
