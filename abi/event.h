/* SPDX-License-Identifier: MIT */
/*
 * Event channels. A port is one end of a channel to another domain, or what a device interrupts.
 * An event is one bit of a page that the guest gives the hypervisor once, by event_register_page.
 *
 * Raising a port sets its bit in `pending`. If it was clear before, and the port's bit in `mask` is
 * clear, then bit `port / 64` of `selector[vCPU]` of the port's vCPU is set and RF_VECTOR_EVENT is
 * posted to that vCPU. A port that is pending already is not raised twice.
 *
 * The handler takes its vCPU's selector (exchanges it with zero); for each bit of it it looks at
 * that word of `pending` without `mask`; and before it handles a port it clears the pending bit.
 * The word may hold ports of other vCPUs as well; these are told themselves.
 *
 * A port that listens for RF_DOMAIN_HYPERVISOR, the control domain's only, is raised when there is news:
 * a domain printed something, all of what it had printed before having been read; one ended, or is
 * gone after domain_destroy.
 *
 * A new port is masked, and not pending. Masking is the guest's alone: it sets the bit. To unmask
 * it clears the bit, and if the port is pending then, sets the selector bit and sends
 * RF_VECTOR_EVENT (send_ipi) to the port's vCPU itself.
 *
 * Both sides change the page by atomic operations on bits only, each a full barrier, and keep no
 * lock in it. A vCPU that was started by vcpu_init has lost what was posted before: it looks at its
 * selector once.
 */
#ifndef RINGFENCE_ABI_EVENT_H
#define RINGFENCE_ABI_EVENT_H

#include <stdint.h>

#define RF_EVENT_PORTS	4096 /* of a domain; port 0 is never one */
#define RF_VECTOR_EVENT 0xf3 /* as Linux: HYPERVISOR_CALLBACK_VECTOR */

struct rf_event_page {
	uint64_t pending[64];
	uint64_t mask[64];
	uint64_t selector[64]; /* by vCPU: the words of `pending` that have news for it */
	uint64_t reserved[320];
};

_Static_assert(sizeof(struct rf_event_page) == 4096, "rf_event_page is a page");
_Static_assert(RF_EVENT_PORTS == 64 * 64, "a bit of a selector is a word of ports");

#endif
