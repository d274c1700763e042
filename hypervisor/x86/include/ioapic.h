/* SPDX-License-Identifier: BSD-2-Clause */
/* The I/O interrupt controllers, by global interrupt numbers (ioapic.c). */
#ifndef X86_IOAPIC_H
#define X86_IOAPIC_H

#include <stdbool.h>
#include <stdint.h>

/* The low half of an input's entry; the vector is in the lowest byte. */
#define IOAPIC_LOW    0x02000U
#define IOAPIC_LEVEL  0x08000U
#define IOAPIC_MASKED 0x10000U

/* Finds them and masks every input. After acpi_init(), before early_alloc() ends. */
void ioapic_init(void);

/* One that has this number, and that nobody has taken; -EINVAL, -EBUSY. */
int ioapic_take(uint32_t gsi);
void ioapic_give_back(uint32_t gsi);
/* Where it goes, before it is unmasked: a processor by its APIC id, below 255. */
void ioapic_set_target(uint32_t gsi, uint32_t apic_id);
/* When this returns the controller has seen it. */
void ioapic_set(uint32_t gsi, uint32_t low_half);

#endif
