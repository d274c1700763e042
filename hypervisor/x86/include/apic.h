/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local interrupt controllers and their timers (apic.c). All interrupts that reach the
 * hypervisor come from here.
 */
#ifndef X86_APIC_H
#define X86_APIC_H

#include <stdbool.h>
#include <stdint.h>

#define VECTOR_TIMER	0xf0
#define VECTOR_CALL	0xf1 /* from another CPU: come in; the reason is in struct cpu */
#define VECTOR_ERROR	0xfe
#define VECTOR_SPURIOUS 0xff

struct registers;

/*
 * On the boot processor, after acpi_init() and paging_init(): finds the controllers, masks all
 * that others would send.
 */
void apic_init(void);
/* On each CPU: its local controller and timer. */
void apic_init_cpu(void);

/* Called by traps.c with the vector of each interrupt (32 and above) that came by hardware. */
void apic_interrupt(uint8_t vector);
/*
 * Called by traps.c for each NMI, on the NMI stack. Returns if it was none of ours; does not if
 * this CPU is to stop.
 */
void apic_nmi(const struct registers *registers);

/* This CPU leaves the vectors of devices (line.h) with its controller, which keeps one of each. */
void apic_hold_devices(bool hold);

uint32_t apic_id(void);
/* A CPU starts at physical page << 12 in real mode: INIT first, then SIPI. */
void apic_send_init(uint32_t apic_id);
void apic_send_startup(uint32_t apic_id, uint8_t page);
/* NMI to all other CPUs, which then halt. Waits for nobody. */
void apic_stop_others(void);

#endif
