// SPDX-License-Identifier: GPL-2.0
/*
 * The console of a Ringfence domain, hvc0, by hypercall. The hypervisor says with the vector of the
 * platform's IPI that something was typed, or that the domain is asked to end.
 */
#include <linux/console.h>
#include <linux/err.h>
#include <linux/init.h>

#include <asm/hw_irq.h>
#include <asm/irq_vectors.h>
#include <asm/ringfence/abi/console.h>
#include <asm/ringfence/abi/domain.h>
#include <asm/ringfence/domain.h>
#include <asm/ringfence/hypercall.h>
#include <asm/ringfence/request.h>

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
	long done = rf_call4(RF_HYPERCALL_console_read, RF_DOMAIN_SELF, (unsigned long)text, count,
			     0);

	return done < 0 ? 0 : done;
}

/* In the interrupt: whatever was typed goes to the terminal, and khvcd does what is left. */
static void rf_console_typed(void)
{
	rf_check_requests();
	if (hvc_poll(rf_console))
		hvc_kick();
}

/* Opened: from now on the vector says when to read, and nobody needs to ask all the time. */
static int notifier_add(struct hvc_struct *console, int data)
{
	console->irq_requested = 1;
	return 0;
}

static void notifier_del(struct hvc_struct *console, int data)
{
	console->irq_requested = 0;
}

static const struct hv_ops rf_hv_ops = {
	.get_chars	= get_chars,
	.put_chars	= put_chars,
	.notifier_add	= notifier_add,
	.notifier_del	= notifier_del,
	.notifier_hangup = notifier_del,
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
	BUILD_BUG_ON(RF_VECTOR_CONSOLE != X86_PLATFORM_IPI_VECTOR);
	x86_platform_ipi_callback = rf_console_typed;
	/* What came before. */
	rf_check_requests();
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
