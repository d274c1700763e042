// SPDX-License-Identifier: GPL-2.0
/*
 * Which of its processors this domain uses: cpu/N/availability of the store, `online` or `offline`, as
 * the control domain writes it. What somebody here has put offline or online by hand stays so until the
 * store says something else. Processor 0 stays.
 */
#include <linux/cpu.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/ringfence/start.h>

#include "store.h"

/* The key's value when it was last looked at; NULL: there is none. */
static char *read_availability(unsigned int cpu)
{
	char folder[16], *text;

	snprintf(folder, sizeof(folder), "cpu/%u", cpu);
	text = rf_store_read(RF_STORE_ALONE, folder, "availability");
	return IS_ERR(text) ? NULL : text;
}

static void follow(unsigned int cpu)
{
	char *text = read_availability(cpu);
	int error = 0;

	if (text && !strcmp(text, "online") && !cpu_online(cpu))
		error = add_cpu(cpu);
	else if (text && !strcmp(text, "offline") && cpu_online(cpu))
		error = remove_cpu(cpu);
	if (error)
		pr_warn("ringfence: processor %u does not become %s: %d\n", cpu, text, error);
	kfree(text);
}

/* One, or the watch's own path: all of them. */
static void processors_changed(void *unused, const char *path)
{
	unsigned int cpu, named;

	if (sscanf(path, "cpu/%u/availability", &named) != 1)
		named = 0;
	for_each_possible_cpu(cpu)
		if (cpu && (!named || cpu == named))
			follow(cpu);
}

static int __init rf_processors_init(void)
{
	if (!rf_domain() || rf_is_control())
		return 0;
	return rf_store_watch("cpu", processors_changed, NULL) ? 0 : -ENOMEM;
}
device_initcall(rf_processors_init);
