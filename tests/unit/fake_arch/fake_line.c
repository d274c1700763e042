// SPDX-License-Identifier: BSD-2-Clause
/*
 * An interrupt controller that does what it is told and notes it.
 *
 * Interface: arch_line_* of arch.h, fake_line.h. Locks: none; tests use a line from one thread at a
 * time, as the core does.
 */
#include "fake_line.h"

#include <stdlib.h>
#include <string.h>

#include "arch.h"
#include "cpu.h"
#include "abi/errno.h"
#include "abi/interrupt.h"

struct fake_gsi fake_gsis[FAKE_GSIS];
uint32_t fake_lines_open;
uint32_t fake_lines_used;

void fake_line_init(void)
{
	memset(fake_gsis, 0, sizeof(fake_gsis));
	fake_lines_open = 0;
	fake_lines_used = 0;
}

static int open_gsi(uint32_t gsi, uint32_t number, uint32_t flags)
{
	if (gsi >= FAKE_GSIS)
		return -EINVAL;
	if (gsi == FAKE_GSI_OWN || fake_gsis[gsi].taken)
		return -EBUSY;
	fake_gsis[gsi] = (struct fake_gsi){ .taken = true, .flags = flags, .number = number };
	return 0;
}

int arch_line_open(struct arch_line *line, uint32_t number, const struct rf_interrupt *what,
		   const struct cpu *near)
{
	int error = 0;

	*line = (struct arch_line){
		.message = what->kind == RF_INTERRUPT_MSI,
		.gsi = what->gsi,
		.number = number,
		.cpu = near->id,
	};
	if (fake_lines_used == FAKE_LINES_MOST)
		return -ENOSPC;
	if (!line->message)
		error = open_gsi(what->gsi, number, what->flags);
	if (error)
		return error;
	fake_lines_open++;
	fake_lines_used++;
	return 0;
}

void arch_line_mask(const struct arch_line *line)
{
	if (line->message)
		abort();
	fake_gsis[line->gsi].masked = true;
	fake_gsis[line->gsi].masks++;
}

void arch_line_unmask(const struct arch_line *line)
{
	if (line->message || !fake_gsis[line->gsi].taken)
		abort();
	fake_gsis[line->gsi].masked = false;
	fake_gsis[line->gsi].unmasks++;
}

void arch_line_close(const struct arch_line *line)
{
	if (!line->message)
		fake_gsis[line->gsi].masked = true;
	fake_lines_open--;
}

void arch_line_free(const struct arch_line *line)
{
	if (!line->message)
		fake_gsis[line->gsi].taken = false;
	fake_lines_used--;
}

void arch_line_message(const struct arch_line *line, uint64_t *address, uint32_t *data)
{
	*address = line->message ? 0xfee00000U | line->cpu << 12 : 0;
	*data = line->message ? line->number + 1 : 0;
}
