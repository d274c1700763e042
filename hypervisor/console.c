// SPDX-License-Identifier: BSD-2-Clause
/*
 * The console: what guests print, and what is typed.
 *
 * Interface: console.h. How guest output looks and is limited: log_guest.c. Debug keys:
 * debug_key.c.
 * Locks: the domain's console_lock for one call, so that lines of its vCPUs do not mix; log.c's
 * inside.
 * Odd: the serial line is polled, so its input needs no interrupt and works in a machine that
 * hangs. Typed text is for the debug keys when the option serial-input says so, or after Ctrl-A
 * was pressed three times in a row; else it is the control domain's (console_input.c). While that has
 * no room, text is left in the line, whose other end waits; but not for ever, for the debug keys' sake.
 * What a guest prints is kept (console_output.c), and printed unless it is told not to be.
 */
#include "console.h"

#include <stdbool.h>

#include "arch.h"
#include "command_line.h"
#include "console_input.h"
#include "debug_key.h"
#include "domain.h"
#include "guest_access.h"
#include "log.h"
#include "sched.h"
#include "serial.h"
#include "timer.h"
#include "vcpu.h"
#include "abi/console.h"
#include "abi/errno.h"

#define PIECE	    64		/* bytes on the stack */
#define WRITE_NS    10000000ULL /* then a call ends */
#define KEYS_A_TICK 64
#define ESCAPES	    3

static struct timer tick;
static unsigned escapes; /* pressed in a row */
static bool debug_keys;
static uint64_t full_since; /* 0: the control domain has room */

/* To the end of the first line. */
static uint64_t line_size(const char *text, uint64_t size)
{
	for (uint64_t i = 0; i < size; i++)
		if (text[i] == '\n')
			return i + 1;
	return size;
}

/*
 * The serial line is slow, and a byte can become many on it, so that time is the limit. A short line
 * is not cut, else another vCPU's could come between its parts.
 */
static int64_t write_pieces(struct domain *d, uint64_t text, uint64_t length, bool *news)
{
	uint64_t end = arch_time_ns() + WRITE_NS, done = 0;
	char piece[PIECE];

	while (done < length) {
		uint64_t left = length - done;
		uint64_t size = left < sizeof(piece) ? left : sizeof(piece);

		if (copy_from_guest(piece, text + done, size))
			return -EFAULT;
		size = line_size(piece, size);
		*news |= console_output_put(&d->output, piece, size);
		if (d->on_serial)
			log_guest(d->name, piece, size, &d->console);
		done += size;
		if ((piece[size - 1] == '\n' || done >= LOG_GUEST_LINE_MAX) &&
		    arch_time_ns() >= end)
			break;
	}
	return (int64_t)done;
}

int64_t do_console_write(uint64_t text, uint64_t length)
{
	struct domain *d = vcpu_current()->domain;
	bool news = false;
	int64_t result;

	if (length > CONSOLE_WRITE_MAX)
		return -E2BIG;
	spin_lock(&d->console_lock);
	result = write_pieces(d, text, length, &news);
	spin_unlock(&d->console_lock);
	if (news)
		event_news();
	return result;
}

static void give_to_control_domain(char byte)
{
	struct domain *d = domain_find(0);

	if (!d)
		return;
	console_input_put(d, &byte, 1, true);
	domain_put(d);
}

static void toggle_debug_keys(void)
{
	debug_keys = !debug_keys;
	if (debug_keys)
		log_plain("debug keys: h lists them, three times Ctrl-A ends this");
	else
		log_plain("debug keys: end");
}

static bool is_for_debug_keys(void)
{
	return debug_keys || command_line.serial_input == SERIAL_INPUT_DEBUG;
}

static bool control_domain_has_room(void)
{
	struct domain *d = domain_find(0);
	bool room = true;

	if (d) {
		room = console_input_has_room(d);
		domain_put(d);
	}
	return room;
}

static bool may_read(void)
{
	uint64_t now = arch_time_ns();

	if (is_for_debug_keys() || control_domain_has_room()) {
		full_since = 0;
		return true;
	}
	if (!full_since)
		full_since = now;
	return now - full_since >= CONSOLE_FULL_NS;
}

static void take_key(int key)
{
	escapes = key == CONSOLE_ESCAPE ? escapes + 1 : 0;
	if (escapes == ESCAPES) {
		escapes = 0;
		toggle_debug_keys();
	} else if (!is_for_debug_keys()) {
		give_to_control_domain(key == SERIAL_BREAK ? RF_CONSOLE_BREAK : (char)key);
	} else if (!escapes && key != SERIAL_BREAK) {
		debug_key_press(key);
	}
}

bool console_poll(void)
{
	unsigned taken;

	for (taken = 0; taken < KEYS_A_TICK; taken++) {
		int key;

		if (!may_read())
			return true;
		key = serial_read();
		if (key < 0)
			break;
		take_key(key);
	}
	return taken;
}

static void tick_expired(struct timer *timer)
{
	/* The line holds 16 bytes, so what is pasted has to be taken sooner. */
	uint64_t wait = console_poll() ? CONSOLE_TYPED_NS : CONSOLE_TICK_NS;

	/*
	 * A machine whose CPUs are all busy without anybody waiting must take dying domains
	 * apart, too.
	 */
	sched_request();
	timer_start(timer, arch_time_ns() + wait);
}

void console_start(void)
{
	timer_init(&tick, tick_expired);
	timer_start(&tick, arch_time_ns() + CONSOLE_TICK_NS);
}
