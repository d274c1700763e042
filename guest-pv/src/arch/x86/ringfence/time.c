// SPDX-License-Identifier: GPL-2.0
/*
 * Time: the TSC is the clock source, at the frequency that the hypervisor knows; a one-shot timer
 * a CPU, whose deadlines are times of the hypervisor's clock; stolen time from the vCPU page.
 *
 * After it has expired the timer ticks (abi/time.h), and mostly its handler wants just the next tick. When
 * those are is learned from what handlers ask for.
 */
#include <linux/clockchips.h>
#include <linux/interrupt.h>
#include <linux/percpu.h>
#include <linux/static_call.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>

#include <asm/hardirq.h>
#include <asm/idtentry.h>
#include <asm/irq_regs.h>
#include <asm/mc146818rtc.h>
#include <asm/msr.h>
#include <asm/paravirt.h>
#include <asm/tsc.h>
#include <asm/x86_init.h>

#include <asm/ringfence/abi/time.h>

#include "ringfence.h"

#define MIN_DELTA_NS	1000
#define MAX_DELTA_NS	(3600ULL * NSEC_PER_SEC)
#define MAX_EARLY_NS	200
#define MAX_LATE_NS	2000

static DEFINE_PER_CPU(struct clock_event_device, rf_clockevent);
static DEFINE_PER_CPU(bool, rf_in_timer);

static u64 scale(u64 ticks, const struct rf_time_info *time)
{
	if (time->shift >= 0)
		ticks <<= time->shift;
	else
		ticks >>= -time->shift;
	return mul_u64_u32_shr(ticks, time->multiplier, 32);
}

/* Written only on the CPU where this vCPU runs: in the middle of a change is seen by none. */
static u64 clock_now(void)
{
	const struct rf_time_info *time;
	u32 version;
	u64 now;

	preempt_disable();
	time = this_cpu_ptr(&rf_vcpu_page.time);
	do {
		version = READ_ONCE(time->version);
		barrier();
		now = time->system_time + scale(rdtsc_ordered() - time->tsc_timestamp, time);
		barrier();
	} while (version & 1 || version != READ_ONCE(time->version));
	preempt_enable();
	return now;
}

/* Earlier than asked for, the handler would find nothing to do; a little later does no harm. */
static bool is_set_to(u64 deadline)
{
	u64 set = this_cpu_read(rf_vcpu_page.timer_ns);
	s64 late = set - deadline;

	return set && late >= -MAX_EARLY_NS && late < MAX_LATE_NS;
}

/* Interrupts are off. */
static int set_next_event(unsigned long delta, struct clock_event_device *device)
{
	u64 deadline = clock_now() + delta;

	if (is_set_to(deadline))
		return 0;
	if (this_cpu_read(rf_in_timer) && delta <= TICK_NSEC) {
		this_cpu_write(rf_vcpu_page.tick_ns, deadline);
		this_cpu_write(rf_vcpu_page.tick_period, TICK_NSEC);
	}
	rf_call1(RF_HYPERCALL_set_timer, deadline);
	return 0;
}

static int stop(struct clock_event_device *device)
{
	this_cpu_write(rf_vcpu_page.tick_period, 0);
	rf_call1(RF_HYPERCALL_set_timer, RF_TIME_NEVER);
	return 0;
}

static const struct clock_event_device clockevent_template = {
	.name			= "ringfence",
	.features		= CLOCK_EVT_FEAT_ONESHOT,
	.rating			= 500,
	.set_next_event		= set_next_event,
	.set_state_shutdown	= stop,
	.set_state_oneshot_stopped = stop,
};

void rf_setup_clockevent(void)
{
	struct clock_event_device *device = this_cpu_ptr(&rf_clockevent);

	*device = clockevent_template;
	device->cpumask = cpumask_of(smp_processor_id());
	clockevents_config_and_register(device, NSEC_PER_SEC, MIN_DELTA_NS, MAX_DELTA_NS);
}

DEFINE_IDTENTRY_SYSVEC(sysvec_rf_timer)
{
	struct pt_regs *old_regs = set_irq_regs(regs);
	struct clock_event_device *device = this_cpu_ptr(&rf_clockevent);

	inc_irq_stat(apic_timer_irqs);
	/* One that was posted before the device was there, or after it was stopped. */
	if (device->event_handler) {
		this_cpu_write(rf_in_timer, true);
		device->event_handler(device);
		this_cpu_write(rf_in_timer, false);
	}
	set_irq_regs(old_regs);
}

static void __init rf_timer_init(void)
{
	rf_setup_clockevent();
}

static unsigned long rf_tsc_khz(void)
{
	return rf_start_info.tsc_khz;
}

static u64 rf_steal_clock(int cpu)
{
	return READ_ONCE(per_cpu(rf_vcpu_page, cpu).steal_ns);
}

static void rf_get_wallclock(struct timespec64 *now)
{
	u64 start = this_cpu_read(rf_vcpu_page.time.wall_clock);

	if (start)
		*now = ns_to_timespec64(start + clock_now());
	else
		mach_get_cmos_time(now);
}

static int rf_set_wallclock(const struct timespec64 *now)
{
	return -ENODEV;
}

static int __init rf_init_steal_clock(void)
{
	if (!rf_domain())
		return 0;
	static_call_update(pv_steal_clock, rf_steal_clock);
	static_key_slow_inc(&paravirt_steal_enabled);
	static_key_slow_inc(&paravirt_steal_rq_enabled);
	return 0;
}
early_initcall(rf_init_steal_clock);

void __init rf_time_init_ops(void)
{
	x86_init.timers.timer_init = rf_timer_init;
	x86_init.timers.setup_percpu_clockev = x86_init_noop;
	x86_init.timers.wallclock_init = x86_init_noop;
	x86_cpuinit.setup_percpu_clockev = x86_init_noop;
	x86_platform.calibrate_cpu = rf_tsc_khz;
	x86_platform.calibrate_tsc = rf_tsc_khz;
	x86_platform.get_wallclock = rf_get_wallclock;
	x86_platform.set_wallclock = rf_set_wallclock;
}
