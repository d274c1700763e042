// SPDX-License-Identifier: GPL-2.0
/*
 * What is left of the local APIC: interprocessor interrupts by hypercall. The rest is the one that
 * does nothing, for which there is no APIC in CPUID either.
 */
#include <linux/cpumask.h>
#include <linux/smp.h>

#include <asm/apic.h>
#include <asm/irq_vectors.h>

#include "ringfence.h"

static struct apic rf_apic __ro_after_init;

/* The hypervisor has no more vCPUs a domain than a word has bits. */
static void send(u64 mask, int vector)
{
	/* Below are exceptions; those who send an NMI do without an answer, too. */
	if (mask && vector >= FIRST_EXTERNAL_VECTOR)
		rf_call2(RF_HYPERCALL_send_ipi, vector, mask);
}

static u64 online(void)
{
	return cpumask_bits(cpu_online_mask)[0];
}

static void rf_send_IPI(int cpu, int vector)
{
	send(BIT_ULL(cpu), vector);
}

static void rf_send_IPI_mask(const struct cpumask *mask, int vector)
{
	send(cpumask_bits(mask)[0], vector);
}

static void rf_send_IPI_mask_allbutself(const struct cpumask *mask, int vector)
{
	send(cpumask_bits(mask)[0] & ~BIT_ULL(smp_processor_id()), vector);
}

static void rf_send_IPI_allbutself(int vector)
{
	send(online() & ~BIT_ULL(smp_processor_id()), vector);
}

static void rf_send_IPI_all(int vector)
{
	send(online(), vector);
}

static void rf_send_IPI_self(int vector)
{
	send(BIT_ULL(smp_processor_id()), vector);
}

static int rf_cpu_present_to_apicid(int cpu)
{
	return cpu_present(cpu) ? cpu : BAD_APICID;
}

/* One thread a package: the numbers are all the same. */
static int rf_phys_pkg_id(int initial_apicid, int shift)
{
	return initial_apicid >> shift;
}

/* Of the registers, only the number of this CPU is asked for. */
static u32 rf_apic_read(u32 reg)
{
	return reg == APIC_ID ? smp_processor_id() : 0;
}

static unsigned int rf_get_apic_id(unsigned long value)
{
	return value;
}

static int rf_apic_id_registered(void)
{
	return 1;
}

/* After the probing, which found nothing. */
void __init rf_apic_init(void)
{
	rf_apic = apic_noop;
	rf_apic.name = "Ringfence";
	rf_apic.apic_id_registered = rf_apic_id_registered;
	rf_apic.read = rf_apic_read;
	rf_apic.get_apic_id = rf_get_apic_id;
	rf_apic.phys_pkg_id = rf_phys_pkg_id;
	rf_apic.cpu_present_to_apicid = rf_cpu_present_to_apicid;
	rf_apic.send_IPI = rf_send_IPI;
	rf_apic.send_IPI_mask = rf_send_IPI_mask;
	rf_apic.send_IPI_mask_allbutself = rf_send_IPI_mask_allbutself;
	rf_apic.send_IPI_allbutself = rf_send_IPI_allbutself;
	rf_apic.send_IPI_all = rf_send_IPI_all;
	rf_apic.send_IPI_self = rf_send_IPI_self;
	apic = &rf_apic;
}
