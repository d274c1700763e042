/* SPDX-License-Identifier: BSD-2-Clause */
/* An interrupt controller for tests: a few inputs, and any number of messages (fake_line.c). */
#ifndef FAKE_LINE_H
#define FAKE_LINE_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_GSIS	24
#define FAKE_GSI_OWN	2  /* the hypervisor's own */
#define FAKE_LINES_MOST 40 /* as many vectors as there are */

struct fake_gsi {
	bool taken;
	bool masked;
	uint32_t flags;
	uint32_t number;
	uint32_t masks, unmasks; /* how often */
};

extern struct fake_gsi fake_gsis[FAKE_GSIS];
extern uint32_t fake_lines_open; /* opened and not closed */
extern uint32_t fake_lines_used; /* opened and not freed */

void fake_line_init(void);

#endif
