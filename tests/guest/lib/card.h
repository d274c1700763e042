/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A PCI device that interrupts when it is told to: QEMU's e1000e network card, by its ports. The
 * machine file asks for it: --qemu '-device e1000e,romfile='. Control domain only.
 */
#ifndef CARD_H
#define CARD_H

#include <stdbool.h>
#include <stdint.h>

/* Finds it and makes it quiet; ends the test when there is none. */
void card_init(void);
/* The number of the interrupt controller's input that its pin is connected to, on the `pc` machine. */
uint32_t card_gsi(void);

/*
 * It asks for an interrupt until card_calm(): by its pin, or by messages, one at once and then
 * again and again.
 */
void card_raise(void);
void card_calm(void);

/* By message from now on, or by the pin again. */
void card_set_message(uint64_t address, uint32_t data);
void card_use_pin(void);

#endif
