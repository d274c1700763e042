// SPDX-License-Identifier: GPL-2.0
/*
 * The machine around the CPUs: how it ends, and what of a PC is not there to be probed. The control
 * domain has all of the machine's devices but those of the hypervisor, and its firmware's tables.
 */
#include <linux/acpi.h>
#include <linux/console.h>
#include <linux/init.h>
#include <linux/panic_notifier.h>
#include <linux/pm.h>
#include <linux/reboot.h>
#include <linux/workqueue.h>

#include <asm/pci_x86.h>
#include <asm/reboot.h>
#include <asm/x86_init.h>

#include <asm/ringfence/abi/domain.h>
#include <asm/ringfence/request.h>

#include "ringfence.h"

static void __noreturn end(unsigned int reason)
{
	rf_call1(RF_HYPERCALL_shutdown, reason);
	BUG();
}

static void rf_restart(char *command)
{
	end(RF_SHUTDOWN_REBOOT);
}

static void rf_emergency_restart(void)
{
	end(RF_SHUTDOWN_REBOOT);
}

static void rf_halt_machine(void)
{
	end(RF_SHUTDOWN_POWEROFF);
}

/* The same as halting; but that there is this function tells the kernel that it can. */
static void rf_power_off(void)
{
	end(RF_SHUTDOWN_POWEROFF);
}

/* Before a restart nothing has to be put in order: the hypervisor stops all CPUs. */
static void rf_shutdown(void)
{
}

/*
 * Unless a restart was asked for by panic=, the domain has crashed, and says so. What another CPU
 * had begun to print when it was stopped, and why the kernel panicked, is still to be printed.
 */
static int rf_panic(struct notifier_block *block, unsigned long event, void *text)
{
	if (panic_timeout)
		return NOTIFY_DONE;
	console_flush_on_panic(CONSOLE_FLUSH_PENDING);
	end(RF_SHUTDOWN_CRASH);
}

static struct notifier_block panic_block = {
	.notifier_call	= rf_panic,
	.priority	= INT_MIN,
};

/* --- What the control domain asks for */

static u32 requests_seen;
static u32 request;

/* The programs that put everything in order do it; if they cannot be started, it ends at once. */
static void do_request(struct work_struct *work)
{
	if (READ_ONCE(request) == RF_TRIGGER_REBOOT)
		orderly_reboot();
	else
		orderly_poweroff(true);
}

static DECLARE_WORK(request_work, do_request);

void rf_check_requests(void)
{
	struct rf_domain_info info;

	if (rf_call2(RF_HYPERCALL_domain_info, RF_DOMAIN_SELF, (unsigned long)&info) ||
	    xchg(&requests_seen, info.requests) == info.requests)
		return;
	WRITE_ONCE(request, info.request);
	schedule_work(&request_work);
}

static unsigned char rf_get_nmi_reason(void)
{
	return 0;
}

static bool __init has_devices(void)
{
	return rf_start_info.flags & RF_START_CONTROL;
}

/*
 * What a boot loader of a PC leaves in low memory is not mapped when it would be looked at. And a clock chip that
 * is not there would be asked 20,000 times whether it is busy: all of its bits are ones.
 */
static void __init rf_set_legacy_features(void)
{
	x86_platform.legacy.reserve_bios_regions = 0;
	x86_platform.legacy.warm_reset = 0;
	if (has_devices())
		return;
	x86_platform.legacy.rtc = 0;
	x86_platform.legacy.i8042 = X86_LEGACY_I8042_PLATFORM_ABSENT;
}

/* Zero: the ways of a PC to its configuration space are not tried. */
static int __init no_pci(void)
{
	return 0;
}

/*
 * The hypervisor maps RAM of a guest and nothing else: neither the firmware's tables nor what a
 * device has in memory can be reached, so they must not be looked for.
 */
static void __init forget_devices(void)
{
#ifdef CONFIG_ACPI
	disable_acpi();
#endif
#ifdef CONFIG_PCI
	pci_probe = 0;
#endif
	x86_init.pci.arch_init = no_pci;
}

static void __init rf_arch_setup(void)
{
	if (!has_devices())
		forget_devices();
	rf_ports_init();
	atomic_notifier_chain_register(&panic_notifier_list, &panic_block);
	rf_reserve_foreign();
}

void __init rf_machine_init_ops(void)
{
	machine_ops.restart = rf_restart;
	machine_ops.emergency_restart = rf_emergency_restart;
	machine_ops.halt = rf_halt_machine;
	machine_ops.power_off = rf_power_off;
	pm_power_off = rf_power_off;
	machine_ops.shutdown = rf_shutdown;

	x86_platform.get_nmi_reason = rf_get_nmi_reason;
	x86_platform.set_legacy_features = rf_set_legacy_features;
	x86_platform.realmode_reserve = x86_init_noop;
	x86_platform.realmode_init = x86_init_noop;
	x86_init.resources.probe_roms = x86_init_noop;
	if (!has_devices())
		x86_init.resources.dmi_setup = x86_init_noop;
	x86_init.oem.arch_setup = rf_arch_setup;
}
