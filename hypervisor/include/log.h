/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the hypervisor has to say, and what the guests have: one console.
 *
 * Hypervisor messages are whole lines: they go to a ring that keeps the latest
 * 1 << CONFIG_LOG_SHIFT bytes of every level, and to the serial console if their level is at or
 * below the console's.
 * Guest output goes to the console only, so that no guest can push messages out of the ring.
 * One lock, taken inside; nothing here calls out while holding it except to serial.c.
 */
#ifndef HYPERVISOR_LOG_H
#define HYPERVISOR_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level {
	LOG_ERROR,
	LOG_WARNING,
	LOG_INFO,
	LOG_DEBUG,
};

/* Longer lines are cut. */
#define LOG_LINE_MAX	   256
#define LOG_GUEST_LINE_MAX 192

/* A guest may print this much at once, and this much per second on average. */
#define LOG_GUEST_BURST	   (128 * 1024)
#define LOG_GUEST_RATE	   (32 * 1024)

#define log_error(...)	   log_write(LOG_ERROR, __VA_ARGS__)
#define log_warning(...)   log_write(LOG_WARNING, __VA_ARGS__)
#define log_info(...)	   log_write(LOG_INFO, __VA_ARGS__)
#define log_debug(...)	   log_write(LOG_DEBUG, __VA_ARGS__)

/* One line, without its newline. */
void log_write(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same without the time and the word for the level, and whatever the console's level. */
void log_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));

void log_set_level(enum log_level console);

/* From now on lines begin with the time: `clock` gives nanoseconds since boot. */
void log_set_clock(uint64_t (*clock)(void));

/* A panic may come while another processor, or this one, holds the lock. */
void log_ignore_lock(void);

/*
 * Copy messages out of the ring, from *position on (0 at first), and advance it; a position that
 * has been overwritten moves to the oldest byte there is. Returns the number of bytes copied.
 */
size_t log_read(uint64_t *position, char *buffer, size_t length);

/*
 * The console output of one domain. All zeroes is a good start; `raw` passes everything on as it
 * is, unlimited: for the control domain's console, used as a terminal.
 */
struct log_guest {
	char line[LOG_GUEST_LINE_MAX];
	uint32_t used; /* bytes in line */
	bool raw;
	bool dropping;	   /* over the rate, until a quarter of the burst is free */
	uint64_t dropped;  /* bytes not printed, and not yet reported */
	uint64_t spent;	   /* bytes of the burst in use */
	uint64_t refilled; /* time up to which `spent` has been reduced */
};

/*
 * Print `length` bytes of guest output: each line is prefixed with the domain's name, anything
 * but printable ASCII and tabs is escaped. The caller sees to it that calls for one domain do not
 * overlap, and bounds `length`.
 */
void log_guest(const char *domain_name, const char *text, size_t length, struct log_guest *state);

/* Print an unfinished line and a count of dropped bytes: when the domain ends. */
void log_guest_flush(const char *domain_name, struct log_guest *state);

#endif
