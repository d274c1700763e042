/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of the locks, outermost first. A lock may be taken while holding those above it,
 * never those below.
 *
 *  domain_list_lock      domain.c    the list of domains
 *  domain->lock          domain.c    life cycle, vCPUs coming up and going down
 *  event_lock            event.c     which event ports are taken, in all domains
 *  event.lock            event.c     the same in one domain, for who only sends
 *  grant.lock            grant.c     what a domain grants; never two at once
 *  grant_map.lock        grant_map.c which of its mappings are free; never with grant.lock
 *  domain->console_lock  console.c   what it prints
 *  memory.lock           memory.c    gfn to mfn map of one domain
 *  shadow.lock           shadow.c    which roots have a shadow, and their age
 *  shadow_root.lock      shadow.c    one root's user half: reading its entries and resync
 *  shadow.kernel_lock    shadow.c    the same for the kernel half
 *  shadow.pool.lock      shadow_pool.c
 *  frame_lock            frame.c     the free lists
 *  taken_lock            device_interrupt.c  which numbers interrupts have
 *  device_interrupt.lock device_interrupt.c  one interrupt, arriving too
 *  vector_lock           x86/line.c  which vectors are taken
 *  ioapic.lock           x86/ioapic.c  one interrupt controller's registers
 *  run_queue.lock        sched.c     one CPU's run queue; never two at once
 *  timer_queue.lock      timer.c     one CPU's timers; never two at once
 *  console_input.lock    console_input.c  what was typed for one domain
 *  log_lock              log.c
 *
 * quiesce_wait() waits for other CPUs and is called with none of them held.
 * In unit tests, taking two locks in both orders ends the test (tests/unit/fake_arch/fake_lock.c).
 */
#ifndef HYPERVISOR_LOCKS_H
#define HYPERVISOR_LOCKS_H
#endif
