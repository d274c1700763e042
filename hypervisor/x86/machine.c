// SPDX-License-Identifier: BSD-2-Clause
/*
 * How the machine stops: QEMU's exit device, ACPI's way to turn it off, the ways to reset a PC, or
 * a halt.
 *
 * Interface: machine.h, and arch_machine_exit() and arch_machine_reboot() of arch.h.
 * No locks: whoever comes here does not come back, and stops the other processors first.
 */
#include "machine.h"

#include "arch.h"

#include "acpi.h"
#include "exit_status.h"
#include "port.h"
#include "serial.h"

#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_BUSY	 0x02
#define KEYBOARD_RESET	 0xfe
#define RESET_CONTROL	 0xcf9
#define RESET_HARD	 0x02
#define RESET_NOW	 0x04
#define SLEEP_TYPE	 10 /* in a register of power management */
#define SLEEP_ENABLE	 (1 << 13)

static void (*stop_hook)(void);

void machine_set_stop_hook(void (*stop)(void))
{
	stop_hook = stop;
}

void machine_stop_others(void)
{
	if (stop_hook)
		stop_hook();
}

/* Without that device the write goes nowhere, and the caller lives on. */
static void tell_qemu(int status)
{
	serial_flush();
	port_write32(EXIT_PORT, (uint32_t)status);
}

/* Nothing happens where the firmware's tables do not say how. */
static void turn_off(void)
{
	for (int i = 0; i < 2; i++)
		if (acpi_info.off_ports[i])
			port_write16(acpi_info.off_ports[i],
				     (uint16_t)(acpi_info.off_types[i] << SLEEP_TYPE |
						SLEEP_ENABLE));
}

/* A failure stays to be looked at. */
void arch_machine_exit(int status)
{
	machine_stop_others();
	tell_qemu(status);
	if (status == EXIT_SUCCESS)
		turn_off();
	for (;;)
		asm volatile("cli; hlt");
}

void arch_machine_reboot(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_idt = { 0, 0 };

	machine_stop_others();
	tell_qemu(EXIT_REBOOT);
	port_write8(RESET_CONTROL, RESET_HARD);
	port_write8(RESET_CONTROL, RESET_HARD | RESET_NOW);
	for (uint32_t i = 0; i < 100000 && (port_read8(KEYBOARD_COMMAND) & KEYBOARD_BUSY); i++)
		;
	port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
	/* A fault that cannot be delivered resets whatever ignored both. */
	asm volatile("lidt %0; int3" : : "m"(no_idt));
	arch_machine_exit(EXIT_REBOOT);
}
