/* SPDX-License-Identifier: MIT */
/*
 * Time: one clock for the machine, in nanoseconds since it started, the same on all vCPUs. A
 * vCPU reads it from the TSC and the rf_time_info of its page (vcpu.h).
 *
 * set_timer(deadline): the vCPU's one-shot timer: at that time of the clock vector
 * RF_VECTOR_TIMER is posted to it. A deadline that has passed, 0 too, posts it at once;
 * RF_TIME_NEVER stops the timer. Each call replaces the one before. Returns 0.
 *
 * A timer that is not set ticks: when RF_VECTOR_TIMER is given to the vCPU, and tick_period of its page is
 * from RF_TICK_MIN to RF_TICK_MAX, the timer is set to the next time that is tick_ns, or any number of
 * periods before or after it. timer_ns of the page then says to what. So a handler that wants just that
 * makes no call. Other periods are none.
 *
 * poll(deadline): the vCPU stops running until a vector waits for it, another vCPU kicks it, or
 * the deadline has passed (RF_TIME_NEVER: none), whatever its interrupt flag. A kick since it
 * last stopped counts. Returns 0 in each case, at once if there is nothing to wait for: look at
 * the clock and at what was waited for.
 */
#ifndef RINGFENCE_ABI_TIME_H
#define RINGFENCE_ABI_TIME_H

#include <stdint.h>

#define RF_VECTOR_TIMER 0xec
#define RF_TIME_NEVER	(~0ULL)

#define RF_TICK_MIN	100000 /* nanoseconds */
#define RF_TICK_MAX	1000000000

#endif
