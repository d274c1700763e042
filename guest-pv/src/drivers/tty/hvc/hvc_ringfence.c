// SPDX-License-Identifier: GPL-2.0
/* The console of a Ringfence domain, hvc0: output by hypercall. The hypervisor has no input yet. */
#include <linux/console.h>
#include <linux/err.h>
#include <linux/init.h>

#include <asm/ringfence/domain.h>
#include <asm/ringfence/hypercall.h>

#include "hvc_console.h"

#define COOKIE		0
#define BUFFER_SIZE	256
#define WRITE_MAX	4096

static struct hvc_struct *rf_console;

static int put_chars(u32 vterm, const char *text, int count)
{
	long done = rf_call2(RF_HYPERCALL_console_write, (unsigned long)text,
			     min(count, WRITE_MAX));

	/* Nothing taken means later; the caller asks again. */
	return done < 0 ? -EIO : done;
}

static int get_chars(u32 vterm, char *text, int count)
{
	return 0;
}

static const struct hv_ops rf_hv_ops = {
	.get_chars	= get_chars,
	.put_chars	= put_chars,
};

static int __init rf_hvc_init(void)
{
	struct hvc_struct *console;

	if (!rf_domain())
		return -ENODEV;
	console = hvc_alloc(COOKIE, 0, &rf_hv_ops, BUFFER_SIZE);
	if (IS_ERR(console))
		return PTR_ERR(console);
	rf_console = console;
	return 0;
}
device_initcall(rf_hvc_init);

static int __init rf_hvc_console_init(void)
{
	if (!rf_domain())
		return -ENODEV;
	hvc_instantiate(COOKIE, 0, &rf_hv_ops);
	add_preferred_console("hvc", 0, NULL);
	return 0;
}
console_initcall(rf_hvc_console_init);
