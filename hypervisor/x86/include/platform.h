/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine, in two steps (platform.c, smp.c). Between them come frame_init() and whatever the
 * other CPUs need once they run.
 */
#ifndef X86_PLATFORM_H
#define X86_PLATFORM_H

struct cpu;

/*
 * After command_line_parse(): CPU floor, ACPI, page tables, boot processor, clock, interrupt
 * controllers.
 */
void platform_init(void);

/* After frame_init(): starts the other CPUs, wipes the early page tables, runs the self-checks. */
void smp_start(void);

/*
 * Provided by main.c: what each further CPU does, once it is counted in cpu_count; on its own
 * stack.
 */
_Noreturn void main_cpu_ready(struct cpu *cpu);

#endif
