// SPDX-License-Identifier: BSD-2-Clause
/*
 * The machine's battery-backed clock: what time it was at time zero.
 *
 * Interface: arch_wall_clock() of arch.h, read once at boot by clock_init(). Locks: none.
 * Odd: the registers change while they are read, so they are read until two passes agree. They
 * count in BCD or binary, in 12 or 24 hours, and may have a register for the century or not.
 */
#include "clock.h"

#include <stdbool.h>

#include "acpi.h"
#include "arch.h"
#include "log.h"
#include "port.h"
#include "string.h"

#define CMOS_INDEX	  0x70
#define CMOS_DATA	  0x71
#define CMOS_NO_NMI	  0x80

#define CLOCK_SECONDS	  0x00
#define CLOCK_MINUTES	  0x02
#define CLOCK_HOURS	  0x04
#define CLOCK_DAY	  0x07
#define CLOCK_MONTH	  0x08
#define CLOCK_YEAR	  0x09
#define CLOCK_STATUS_A	  0x0a
#define CLOCK_STATUS_B	  0x0b
#define STATUS_A_UPDATES  0x80
#define STATUS_B_24_HOURS 0x02
#define STATUS_B_BINARY	  0x04
#define HOURS_PM	  0x80
#define CENTURY_LAST	  0x7f

/* An update takes 2 ms at most; a pass of reads about 10 us. */
#define UPDATE_POLLS	  100000
#define PASSES_MAX	  10

#define SECONDS_PER_DAY	  86400ULL
#define NS_PER_SECOND	  1000000000ULL

struct clock_time {
	uint8_t second, minute, hour, day, month, year, century;
};

static uint64_t wall_clock;

static uint8_t cmos_read(uint8_t index)
{
	port_write8(CMOS_INDEX, CMOS_NO_NMI | index);
	return port_read8(CMOS_DATA);
}

static struct clock_time read_once(void)
{
	uint8_t century = acpi_info.century;

	for (uint32_t i = 0; i < UPDATE_POLLS && (cmos_read(CLOCK_STATUS_A) & STATUS_A_UPDATES);
	     i++)
		;
	return (struct clock_time){
		.second = cmos_read(CLOCK_SECONDS),
		.minute = cmos_read(CLOCK_MINUTES),
		.hour = cmos_read(CLOCK_HOURS),
		.day = cmos_read(CLOCK_DAY),
		.month = cmos_read(CLOCK_MONTH),
		.year = cmos_read(CLOCK_YEAR),
		.century = century != 0 && century <= CENTURY_LAST ? cmos_read(century) : 0,
	};
}

static bool read_stable(struct clock_time *t)
{
	for (int i = 0; i < PASSES_MAX; i++) {
		struct clock_time again;

		*t = read_once();
		again = read_once();
		if (memcmp(t, &again, sizeof(again)) == 0)
			return true;
	}
	return false;
}

static uint8_t from_bcd(uint8_t value)
{
	return (uint8_t)((value >> 4) * 10 + (value & 0xf));
}

/* To binary numbers and 24 hours. */
static void convert(struct clock_time *t)
{
	uint8_t status = cmos_read(CLOCK_STATUS_B);
	bool afternoon = !(status & STATUS_B_24_HOURS) && (t->hour & HOURS_PM);

	if (!(status & STATUS_B_24_HOURS))
		t->hour &= (uint8_t)~HOURS_PM;
	if (!(status & STATUS_B_BINARY)) {
		t->second = from_bcd(t->second);
		t->minute = from_bcd(t->minute);
		t->hour = from_bcd(t->hour);
		t->day = from_bcd(t->day);
		t->month = from_bcd(t->month);
		t->year = from_bcd(t->year);
		t->century = from_bcd(t->century);
	}
	if (!(status & STATUS_B_24_HOURS))
		t->hour = (uint8_t)(t->hour % 12 + (afternoon ? 12 : 0));
	if (t->century < 19 || t->century > 21)
		t->century = t->year < 70 ? 20 : 19;
}

static bool plausible(const struct clock_time *t)
{
	return t->second < 61 && t->minute < 60 && t->hour < 24 && t->day >= 1 && t->day <= 31 &&
	       t->month >= 1 && t->month <= 12 && t->year < 100 &&
	       (t->century > 19 || t->year >= 70);
}

/* Days since 1970: the year begins in March here, so that the leap day is its last. */
static uint64_t days_since_1970(uint64_t year, uint64_t month, uint64_t day)
{
	uint64_t shifted = month > 2 ? month - 3 : month + 9;

	year -= month <= 2;
	return year * 365 + year / 4 - year / 100 + year / 400 + (shifted * 153 + 2) / 5 + day -
	       719469;
}

void clock_init(void)
{
	struct clock_time t;
	uint64_t seconds;

	if (!read_stable(&t))
		memset(&t, 0, sizeof(t));
	convert(&t);
	if (!plausible(&t)) {
		log_warning("clock: the machine has no clock that makes sense");
		return;
	}
	seconds = days_since_1970(t.century * 100ULL + t.year, t.month, t.day) * SECONDS_PER_DAY +
		  t.hour * 3600ULL + t.minute * 60ULL + t.second;
	wall_clock = seconds * NS_PER_SECOND - arch_time_ns();
	log_info("clock: %02u%02u-%02u-%02u %02u:%02u:%02u", t.century, t.year, t.month, t.day,
		 t.hour, t.minute, t.second);
}

uint64_t arch_wall_clock(void)
{
	return wall_clock;
}
