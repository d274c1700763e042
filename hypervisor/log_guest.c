// SPDX-License-Identifier: BSD-2-Clause
/*
 * The guests' console output: whole lines, named, made harmless for a terminal, and limited.
 *
 * Interface: log.h (log_guest).
 * Locks: none of its own; log.c's while a line is written. The state belongs to the caller.
 * Odd: the limit is a bucket that is emptied by printing and filled by time. A guest that runs
 * into it stays silent until a quarter of the bucket is back, so that what does get printed are
 * whole passages and few notices of what was not.
 */
#include "log.h"

#include "log_console.h"
#include "printf.h"

#define NANOSECONDS 1000000000ULL

static const char hex_digits[] = "0123456789abcdef";

static void refill(struct log_guest *state)
{
	uint64_t now = log_time();
	uint64_t past = now - state->refilled;
	uint64_t earned;

	if (past >= NANOSECONDS * (LOG_GUEST_BURST / LOG_GUEST_RATE)) {
		state->spent = 0;
		state->refilled = now;
		return;
	}
	/* Whole bytes only; the rest of the time counts the next time. */
	earned = past * LOG_GUEST_RATE / NANOSECONDS;
	state->refilled += earned * NANOSECONDS / LOG_GUEST_RATE;
	state->spent -= earned < state->spent ? earned : state->spent;
}

/* May another byte be printed? */
static bool spend(struct log_guest *state)
{
	uint64_t limit = state->dropping ? LOG_GUEST_BURST - LOG_GUEST_BURST / 4 : LOG_GUEST_BURST;

	if (state->spent >= limit) {
		state->dropping = true;
		state->dropped++;
		return false;
	}
	state->dropping = false;
	state->spent++;
	return true;
}

static void write_line(const char *name, const char *text, uint32_t length)
{
	char line[LOG_GUEST_LINE_MAX + 64];
	int size = snprintf(line, sizeof(line), "(%.32s) %.*s\n", name, (int)length, text);

	log_console_write(line, (size_t)size, false);
}

static void write_pending(const char *name, struct log_guest *state)
{
	write_line(name, state->line, state->used);
	state->used = 0;
}

static void report_dropped(const char *name, struct log_guest *state)
{
	char text[48];
	int size;

	if (state->dropped == 0)
		return;
	if (state->used > 0)
		write_pending(name, state);
	size = snprintf(text, sizeof(text), "[%lu bytes dropped]", state->dropped);
	state->dropped = 0;
	write_line(name, text, (uint32_t)size);
}

static void put_byte(const char *name, struct log_guest *state, char byte)
{
	uint8_t code = (uint8_t)byte;

	if (byte == '\r')
		return;
	if (byte == '\n') {
		write_pending(name, state);
		return;
	}
	if (state->used + 4 > sizeof(state->line))
		write_pending(name, state);
	if ((code >= ' ' && code <= '~') || byte == '\t') {
		state->line[state->used++] = byte;
		return;
	}
	state->line[state->used++] = '\\';
	state->line[state->used++] = 'x';
	state->line[state->used++] = hex_digits[code >> 4];
	state->line[state->used++] = hex_digits[code & 15];
}

void log_guest(const char *domain_name, const char *text, size_t length, struct log_guest *state)
{
	if (state->raw) {
		log_console_write(text, length, true);
		return;
	}
	refill(state);
	for (size_t i = 0; i < length; i++) {
		if (!spend(state))
			continue;
		report_dropped(domain_name, state);
		put_byte(domain_name, state, text[i]);
	}
}

void log_guest_flush(const char *domain_name, struct log_guest *state)
{
	if (state->raw)
		return;
	if (state->used > 0)
		write_pending(domain_name, state);
	report_dropped(domain_name, state);
}
