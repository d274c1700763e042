/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake architecture: what tests set and look at. It stands in for hypervisor/x86 when the C
 * core is built for the host.
 *
 * RAM is an array, from machine frame 0 on. A CPU is a struct cpu of cpus[]; fake_set_cpu says
 * which one "this CPU" is, for the thread that calls it. The clock stands still until the test
 * moves it.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

extern uint64_t fake_clock_ns;
extern uint64_t fake_wall_clock;

/*
 * Fresh RAM of so many frames (zeroed), so many CPUs (zeroed, online, this CPU is 0), the clock
 * at one second.
 */
void fake_arch_init(uint64_t ram_frames, uint32_t cpu_number);
/* These frames are the hypervisor's image when frame_init asks; none at first. */
extern uint64_t fake_reserved_first;
extern uint64_t fake_reserved_frames;
/* Of what is no RAM, these frames are not the hypervisor's own; none at first. */
extern uint64_t fake_device_first;
extern uint64_t fake_device_frames;
void fake_set_cpu(uint32_t id);

/*
 * panic and the ends of the machine ("panic: ...", "exit N", "reboot"): while fake_expect_end
 * is set they jump to fake_end, with the message in fake_end_text; else they abort the test.
 * boot_refuse prints its reason and ends with "exit N".
 *	if (!FAKE_ENDS()) {
 *		what must end;
 *		fake_end_missed();
 *	}
 */
extern jmp_buf fake_end;
extern int fake_expect_end;
extern char fake_end_text[256];
#define FAKE_ENDS() (fake_expect_end = 1, setjmp(fake_end) != 0)
_Noreturn void fake_end_missed(void);

/* Called by arch_idle; NULL: idling is a mistake and aborts. */
extern void (*fake_idle_hook)(void);
/* Called by arch_cpu_interrupt, to play what the other CPU does then; NULL: nothing. */
extern void (*fake_interrupt_hook)(uint32_t id);

/* Called at the end of arch_deliver_vector; NULL: nothing. */
struct vcpu;
extern void (*fake_deliver_hook)(struct vcpu *v);

/* Serial line: what was written since the last clear, and what shall be read. */
extern char fake_serial_output[65536];
extern size_t fake_serial_length;
extern const char *fake_serial_input;
#define FAKE_SERIAL_BREAK 0xff /* in it, a break on the line */
void fake_serial_clear(void);

#endif
