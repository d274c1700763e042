// SPDX-License-Identifier: GPL-2.0
/*
 * Event channels as interrupts. Each port is an interrupt of the domain `rf_event_domain`; what the
 * hypervisor makes a port of is told by the irq_alloc_info: its data is an rf_interrupt, or NULL
 * for a message of a device, for which this is the parent of a domain of its kind. Or it is a port
 * already: rf_event_irq().
 *
 * One page has the bits of all ports. The upcall of a CPU handles those ports that are for it, by
 * event_cpu, and that are neither masked nor taken by somebody else: it clears their pending bit
 * first. So whoever changes a port's CPU masks it meanwhile, and unmasking raises what is pending.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/cpumask.h>
#include <linux/init.h>
#include <linux/irq.h>
#include <linux/irqdomain.h>
#include <linux/msi.h>
#include <linux/slab.h>

#include <asm/desc.h>
#include <asm/hw_irq.h>
#include <asm/idtentry.h>
#include <asm/irq_regs.h>
#include <asm/irq_vectors.h>
#include <asm/x86_init.h>

#include <asm/ringfence/abi/event.h>
#include <asm/ringfence/abi/interrupt.h>

#include "ringfence.h"

#define KIND_PORT	(~0U)	/* an rf_interrupt that is none: gsi is a port */
#define WORDS	ARRAY_SIZE(((struct rf_event_page *)0)->pending)

/* What an interrupt knows beside its port, which is its number in the domain. */
struct event {
	u64 msi_address;
	u32 msi_data;
};

struct irq_domain *rf_event_domain __ro_after_init;

static struct rf_event_page event_page __page_aligned_bss;
static u8 event_cpu[RF_EVENT_PORTS];
static atomic_t events_of[NR_CPUS];

static unsigned long *pending_bits(void)
{
	return (unsigned long *)event_page.pending;
}

static unsigned long *mask_bits(void)
{
	return (unsigned long *)event_page.mask;
}

/* --- The upcall */

static void handle_word(unsigned int word, unsigned int cpu)
{
	unsigned long ready = READ_ONCE(event_page.pending[word]) &
			      ~READ_ONCE(event_page.mask[word]);
	unsigned int bit;

	for_each_set_bit(bit, &ready, BITS_PER_LONG) {
		unsigned int port = word * BITS_PER_LONG + bit;

		if (READ_ONCE(event_cpu[port]) == cpu && test_and_clear_bit(port, pending_bits()))
			generic_handle_domain_irq(rf_event_domain, port);
	}
}

static void handle_events(void)
{
	unsigned int cpu = smp_processor_id();
	unsigned long words = xchg(&event_page.selector[cpu], 0);
	unsigned int word;

	for_each_set_bit(word, &words, WORDS)
		handle_word(word, cpu);
}

DEFINE_IDTENTRY_SYSVEC(sysvec_rf_event)
{
	struct pt_regs *old_regs = set_irq_regs(regs);

	handle_events();
	set_irq_regs(old_regs);
}

static void tell(unsigned int cpu)
{
	rf_call2(RF_HYPERCALL_send_ipi, RF_VECTOR_EVENT, BIT_ULL(cpu));
}

static void raise(unsigned int port)
{
	unsigned int cpu = READ_ONCE(event_cpu[port]);

	set_bit(port / BITS_PER_LONG, (unsigned long *)&event_page.selector[cpu]);
	tell(cpu);
}

/* A CPU that comes up has lost the vectors that it had not taken when it went. */
void rf_event_start_cpu(void)
{
	if (READ_ONCE(event_page.selector[smp_processor_id()]))
		tell(smp_processor_id());
}

/* --- Interrupts */

static void mask_port(struct irq_data *data)
{
	set_bit(irqd_to_hwirq(data), mask_bits());
}

static void unmask_port(struct irq_data *data)
{
	unsigned int port = irqd_to_hwirq(data);

	clear_bit(port, mask_bits());
	smp_mb__after_atomic();
	if (test_bit(port, pending_bits()))
		raise(port);
}

/* The upcall has done it, before it called the handler. */
static void ack_port(struct irq_data *data)
{
}

static void end_level(struct irq_data *data)
{
	rf_call1(RF_HYPERCALL_interrupt_end, irqd_to_hwirq(data));
}

static int retrigger_port(struct irq_data *data)
{
	set_bit(irqd_to_hwirq(data), pending_bits());
	raise(irqd_to_hwirq(data));
	return 1;
}

static void compose_message(struct irq_data *data, struct msi_msg *message)
{
	const struct event *event = irq_data_get_irq_chip_data(data);

	*message = (struct msi_msg){
		.address_lo = lower_32_bits(event->msi_address),
		.address_hi = upper_32_bits(event->msi_address),
		.data = event->msi_data,
	};
}

/* The one with the fewest ports. */
static unsigned int choose_cpu(const struct cpumask *mask)
{
	unsigned int chosen = nr_cpu_ids, cpu;

	for_each_cpu_and(cpu, mask, cpu_online_mask)
		if (chosen >= nr_cpu_ids ||
		    atomic_read(&events_of[cpu]) < atomic_read(&events_of[chosen]))
			chosen = cpu;
	return chosen;
}

static void set_cpu_of(struct irq_data *data, unsigned int cpu)
{
	WRITE_ONCE(event_cpu[irqd_to_hwirq(data)], cpu);
	atomic_inc(&events_of[cpu]);
	irq_data_update_effective_affinity(data, cpumask_of(cpu));
}

static int move_port(struct irq_data *data, unsigned int cpu)
{
	unsigned int port = irqd_to_hwirq(data), old = event_cpu[port];
	bool masked = test_and_set_bit(port, mask_bits());
	int error = rf_call2(RF_HYPERCALL_event_set_vcpu, port, cpu);

	if (!error) {
		atomic_dec(&events_of[old]);
		set_cpu_of(data, cpu);
	}
	if (!masked)
		unmask_port(data);
	return error;
}

static int set_affinity(struct irq_data *data, const struct cpumask *mask, bool force)
{
	unsigned int cpu = event_cpu[irqd_to_hwirq(data)];
	int error = 0;

	if (!cpumask_test_cpu(cpu, mask) || !cpu_online(cpu)) {
		cpu = choose_cpu(mask);
		if (cpu >= nr_cpu_ids)
			return -EINVAL;
		error = move_port(data, cpu);
	}
	return error ? error : IRQ_SET_MASK_OK_DONE;
}

static struct irq_chip edge_chip = {
	.name			= "Ringfence-edge",
	.irq_mask		= mask_port,
	.irq_unmask		= unmask_port,
	.irq_ack		= ack_port,
	.irq_retrigger		= retrigger_port,
	.irq_set_affinity	= set_affinity,
	.irq_compose_msi_msg	= compose_message,
	.flags			= IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

static struct irq_chip level_chip = {
	.name			= "Ringfence-level",
	.irq_mask		= mask_port,
	.irq_unmask		= unmask_port,
	.irq_eoi		= end_level,
	.irq_set_affinity	= set_affinity,
	.flags			= IRQCHIP_SKIP_SET_WAKE | IRQCHIP_AFFINITY_PRE_STARTUP,
};

/* --- The domain */

static void set_handler(struct irq_domain *domain, unsigned int irq, unsigned int port, bool level,
			struct event *event)
{
	if (level)
		irq_domain_set_info(domain, irq, port, &level_chip, event, handle_fasteoi_irq, NULL,
				    "level");
	else
		irq_domain_set_info(domain, irq, port, &edge_chip, event, handle_edge_irq, NULL,
				    "edge");
	/* Its CPU can change at any time; and a level need not be raised again. */
	irq_set_status_flags(irq, IRQ_MOVE_PCNTXT | (level ? IRQ_LEVEL : 0));
}

/* A port that is there already begins at CPU 0. */
static long bind(struct rf_interrupt *interrupt, unsigned int cpu)
{
	if (interrupt->kind == KIND_PORT)
		return interrupt->gsi;
	interrupt->vcpu = cpu < nr_cpu_ids ? cpu : 0;
	return rf_call1(RF_HYPERCALL_interrupt_bind, (unsigned long)interrupt);
}

static int alloc_event(struct irq_domain *domain, unsigned int irq, unsigned int count, void *arg)
{
	struct rf_interrupt message = { .kind = RF_INTERRUPT_MSI };
	struct rf_interrupt *interrupt = ((struct irq_alloc_info *)arg)->data ?: &message;
	struct irq_data *data = irq_domain_get_irq_data(domain, irq);
	struct event *event;
	long port;

	if (count != 1)
		return -EINVAL;
	event = kzalloc(sizeof(*event), GFP_KERNEL);
	if (!event)
		return -ENOMEM;
	port = bind(interrupt, choose_cpu(irq_data_get_affinity_mask(data)));
	if (port < 0) {
		kfree(event);
		return port;
	}
	event->msi_address = interrupt->msi_address;
	event->msi_data = interrupt->msi_data;
	set_handler(domain, irq, port, interrupt->flags & RF_INTERRUPT_LEVEL, event);
	set_cpu_of(data, interrupt->vcpu);
	return 0;
}

int rf_event_irq(unsigned int port)
{
	struct rf_interrupt interrupt = { .kind = KIND_PORT, .gsi = port };
	struct irq_alloc_info info = { .data = &interrupt };

	return irq_domain_alloc_irqs(rf_event_domain, 1, NUMA_NO_NODE, &info);
}

static void free_event(struct irq_domain *domain, unsigned int irq, unsigned int count)
{
	struct irq_data *data = irq_domain_get_irq_data(domain, irq);
	unsigned int port = irqd_to_hwirq(data);

	rf_call1(RF_HYPERCALL_event_close, port);
	atomic_dec(&events_of[event_cpu[port]]);
	kfree(irq_data_get_irq_chip_data(data));
	irq_domain_reset_irq_data(data);
}

static const struct irq_domain_ops event_ops = {
	.alloc	= alloc_event,
	.free	= free_event,
};

static void __init rf_init_irqs(void)
{
	long error = rf_call1(RF_HYPERCALL_event_register_page,
			      __pa_symbol(&event_page) >> PAGE_SHIFT);

	if (error)
		panic("Ringfence: the page of event channels is refused: %ld", error);
	alloc_intr_gate(HYPERVISOR_CALLBACK_VECTOR, asm_sysvec_rf_event);
	BUILD_BUG_ON(RF_VECTOR_EVENT != HYPERVISOR_CALLBACK_VECTOR);
	native_init_IRQ();
	rf_event_domain = irq_domain_create_linear(irq_domain_alloc_named_fwnode("Ringfence"),
						   RF_EVENT_PORTS, &event_ops, NULL);
	if (!rf_event_domain)
		panic("Ringfence: no memory for event channels");
	rf_gsi_init();
}

void __init rf_event_init_ops(void)
{
	x86_init.irqs.intr_init = rf_init_irqs;
	rf_msi_init_ops();
}
