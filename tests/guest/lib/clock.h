/* SPDX-License-Identifier: BSD-2-Clause */
/* Time: the clock of the vCPU page, and waiting. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define MILLISECOND 1000000UL
#define SECOND	    1000000000UL

/* Nanoseconds since the machine started, from this vCPU's page. */
uint64_t clock_ns(void);
/* The same reckoned from any page and TSC value; the page must not change meanwhile. */
struct rf_time_info;
uint64_t clock_convert(const struct rf_time_info *time, uint64_t tsc);

/* Wait by yielding, or by burning the CPU. */
void clock_sleep(uint64_t ns);
void clock_spin(uint64_t ns);

#endif
