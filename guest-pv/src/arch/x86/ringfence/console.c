// SPDX-License-Identifier: GPL-2.0
/* The console before there are any: earlyprintk=ringfence. */
#include <linux/console.h>
#include <linux/init.h>

#include "ringfence.h"

static void rf_boot_write(struct console *console, const char *text, unsigned int length)
{
	long done;

	while (length) {
		done = rf_call2(RF_HYPERCALL_console_write, (unsigned long)text,
				min(length, 4096u));
		if (done <= 0)
			return;
		text += done;
		length -= done;
	}
}

struct console rf_boot_console = {
	.name	= "rfboot",
	.write	= rf_boot_write,
	.flags	= CON_PRINTBUFFER | CON_BOOT | CON_ANYTIME,
	.index	= -1,
};
