/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event ports: the domain's page, the handler of RF_VECTOR_EVENT on every vCPU, and how often each
 * port was taken. A vCPU takes only ports that event_target() gave it; all begin at vCPU 0.
 */
#ifndef EVENT_H
#define EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/event.h"

extern struct rf_event_page event_page;

/* Registers the page and the handler. */
void event_init(void);

/* Times it was taken, on whichever vCPU; and whether that was this one, the last time. */
uint32_t event_count(uint32_t port);
uint32_t event_taker(uint32_t port);
/* A port that is new counts from zero. */
void event_reset(uint32_t port);

void event_mask(uint32_t port);
void event_unmask(uint32_t port);
bool event_is_pending(uint32_t port);
/* event_set_vcpu, and who takes it from now on. The result of the call. */
int64_t event_target(uint32_t port, uint32_t vcpu);

/* Called by the handler for each port it takes; NULL: nothing. */
extern void (*event_hook)(uint32_t port);

/*
 * Waits until it was taken so often in all, or more often; false, and a failed check, after ten
 * seconds, and for event_wait() if it was more. Interrupts are on meanwhile.
 */
bool event_wait(uint32_t port, uint32_t count);
bool event_wait_least(uint32_t port, uint32_t count);

#endif
