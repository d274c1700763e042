// SPDX-License-Identifier: BSD-2-Clause
/*
 * A guest made of bytes: they say which hypercalls it makes with which arguments, what it writes
 * into its page tables, where it faults, which device interrupts, which CPU is next and how much
 * time goes by. A domain that only listens for events keeps its memory; every access reaches the
 * guest's own memory only; the audit finds nothing; at the end every frame is free again.
 *
 * These runs make over 1,000,000 hypercalls, and 10,000,000 at full length; the last line says how
 * many.
 * timeout: 1800
 * options: -runs=14000 -max_len=4096 -len_control=0
 * full-options: -runs=140000 -max_len=4096 -len_control=0
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audit.h"
#include "cpu.h"
#include "device_interrupt.h"
#include "domain.h"
#include "event.h"
#include "fake_arch.h"
#include "fake_domain.h"
#include "fake_line.h"
#include "frame.h"
#include "hypercall.h"
#include "log.h"
#include "memory.h"
#include "pte.h"
#include "shadow.h"
#include "tlb.h"
#include "vcpu.h"
#include "walk.h"
#include "abi/hypercall.h"
#include "abi/interrupt.h"
#include "abi/memory.h"
#include "abi/mmu.h"

#define RAM_FRAMES   2048
#define CPUS	     2
#define FRAMES	     (512 + 32) /* the guest has at first; it may have more */
#define FRAMES_MAX   1024
#define VICTIM_PORTS 8
#define EVENT_CALLS  (RF_HYPERCALL_interrupt_end + 1 - RF_HYPERCALL_event_register_page)
#define EVENT_GFN    33
#define PORTS	     12 /* that are tried */
#define STEPS	     2000
#define TABLES	     8
#define AUDIT_EVERY  16
#define GRANT_CALLS  (RF_HYPERCALL_grant_copy + 1 - RF_HYPERCALL_grant_register)
#define BUFFER_GFN   32
#define KERNEL_BASE  0xffffff8000000000ULL /* slot 511: maps gfn i at page i, in each half */
#define BUFFER	     (KERNEL_BASE + (BUFFER_GFN << 12))
#define RW	     (PTE_PRESENT | PTE_WRITE | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

#include "fuzz_grant.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t size_max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed);
int LLVMFuzzerInitialize(int *argc, char ***argv);

static const uint8_t *input, *input_end;
static struct domain *domain, *victim;
static uint64_t base; /* first gfn */
static uint64_t free_before;
static uint64_t inputs, calls;
static uint8_t victim_memory[VICTIM_FRAMES][FRAME_SIZE];

void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "fuzz_hypercall: %s\n", what);
	abort();
}

static void check_audit(const char *wrong)
{
	check(!wrong, wrong);
}

/* --- choices, from the input --- */

uint64_t take(unsigned bytes)
{
	uint64_t value = 0;

	while (bytes-- > 0)
		value = value << 8 | (input < input_end ? *input++ : 0);
	return value;
}

uint64_t take_below(uint64_t limit)
{
	return take(limit > 256 ? 2 : 1) % limit;
}

uint64_t take_boundary(void)
{
	static const uint64_t values[] = {
		0,
		1,
		4095,
		4096,
		FRAMES,
		FRAMES_MAX,
		FRAMES_MAX << 12,
		RAM_FRAMES,
		RF_MMU_BATCH_MAX,
		RF_MEMORY_BATCH_MAX,
		0x7fffffff,
		0xffffffff,
		USER_MAP_END,
		USER_HALF_END - 1,
		USER_HALF_END,
		HYPERVISOR_BASE - 1,
		HYPERVISOR_BASE,
		HYPERVISOR_END - 4096,
		HYPERVISOR_END,
		KERNEL_BASE,
		KERNEL_BASE - 4096,
		1ULL << 52,
		1ULL << 63,
		~4095ULL,
		~0ULL - 7,
		~0ULL,
	};
	uint64_t value = values[take_below(sizeof(values) / sizeof(values[0]))];

	return value + (take(1) & 1 ? 4096 : 0);
}

uint64_t take_gfn(void)
{
	switch (take(1) & 7) {
	case 0:
		return base + take_below(FRAMES_MAX + 8);
	case 1:
		return take_below(RAM_FRAMES + 8);
	case 2:
		return base + 512;
	default:
		return base + take_below(TABLES + 4);
	}
}

static uint64_t take_address(void)
{
	uint64_t page = take_below(FRAMES) << 12;

	switch (take(1) & 7) {
	case 0:
		return take_boundary();
	case 1:
	case 2:
		return KERNEL_BASE + page;
	case 3:
		return KERNEL_BASE + page + 4080;
	case 4:
		return take_below(8) << 39 | take_below(4) << 30 | page;
	default:
		return page;
	}
}

static uint64_t take_argument(void)
{
	switch (take(1) & 7) {
	case 0:
		return take_boundary();
	case 1:
		return take_address();
	case 2:
		return take_gfn();
	case 3:
		return take(8);
	case 4:
	case 5:
		return BUFFER;
	default:
		return take(1);
	}
}

/* --- the guest --- */

static void *frame(uint64_t gfn)
{
	uint64_t mfn = memory_lookup(domain, gfn);

	return mfn == FRAME_NONE ? NULL : arch_frame_pointer(mfn);
}

/* One table of each level below the root, which maps the memory in slots 0 and 511. */
static void make_tables(void)
{
	uint64_t *root = frame(base), *level3 = frame(base + 1), *level2 = frame(base + 2),
		 *level1 = frame(base + 3);

	root[0] = (base + 1) << 12 | RW;
	root[511] = (base + 1) << 12 | RW;
	level3[0] = (base + 2) << 12 | RW;
	level2[0] = (base + 3) << 12 | RW;
	level2[1] = base << 12 | RW | PTE_LARGE;
	for (uint64_t i = 0; i < 512; i++)
		level1[i] = (base + i) << 12 | RW;
	memcpy(frame(base + 4), root, FRAME_SIZE);
	domain->shadow.kernel_half.guest_root = base;
}

static void write_entry(void)
{
	static const uint16_t indices[] = { 0, 1, 2, 255, 256, 271, 272, 511 };
	uint64_t *table = frame(base + take_below(TABLES));
	uint64_t index = take(1), flags = take(1);
	uint64_t entry = take_gfn() << 12;

	index = index & 1 ? indices[(index >> 1) & 7] : index;
	if (!table)
		return;
	if (flags == 255)
		entry = take(8);
	else if (flags & 1)
		entry = (table[index] & PTE_ADDRESS);
	entry |= (flags & 2 ? 0 : PTE_PRESENT) | (flags & 4 ? PTE_WRITE : 0) |
		 (flags & 8 ? PTE_USER : 0) | (flags & 16 ? PTE_ACCESSED | PTE_DIRTY : 0) |
		 (flags & 32 ? PTE_LARGE : 0) | (flags & 64 ? PTE_NO_EXECUTE : 0);
	table[index] = entry;
}

static void put_mmu_ops(struct rf_mmu_op *op, unsigned count)
{
	for (; count > 0; count--, op++) {
		uint8_t form = (uint8_t)take(1);

		*op = (struct rf_mmu_op){ .operation = (uint32_t)take_below(RF_MMU_OPERATIONS + 1),
					  .reserved = form == 255 };
		if (form & 1 || op->operation != RF_MMU_FLUSH_KERNEL)
			op->root = take_gfn() << 12;
		if (form & 2)
			op->start = take_address() & ~(form & 16 ? 0 : 4095ULL);
		if (form & 4)
			op->end = form & 8 ? take_address() : op->start + (take(2) << 12);
	}
}

static void put_extents(struct rf_memory_extent *extent, unsigned count)
{
	for (; count > 0; count--, extent++) {
		uint8_t form = (uint8_t)take(1);

		*extent = (struct rf_memory_extent){ .gfn = take_gfn(),
						     .order = form & 1 ? 9 : form == 2,
						     .reserved = form == 255 };
		if (form & 1)
			extent->gfn &= ~511ULL;
	}
}

static void put_context(struct rf_vcpu_context *context)
{
	*context = (struct rf_vcpu_context){ .rip = take_address(),
					     .root = take_gfn() << 12,
					     .kernel_gs = take_address(),
					     .page = take_gfn() };
}

static void put_traps(struct rf_trap *trap, unsigned count)
{
	for (; count > 0; count--, trap++)
		*trap = (struct rf_trap){ .rip = take_address(),
					  .vector = (uint8_t)take(1),
					  .flags = (uint8_t)take(1) & 7 };
}

static void put_interrupt(struct rf_interrupt *interrupt)
{
	uint8_t form = (uint8_t)take(1);

	*interrupt =
		(struct rf_interrupt){ .kind = form & 1,
				       .gsi = form & 1 ? 0 : (uint32_t)take_below(FAKE_GSIS + 1),
				       .flags = form & 1 ? 0 : form >> 1 & 3,
				       .vcpu = form >> 3 & 1,
				       .reserved = form == 255 };
}

static void put_config(struct rf_domain_config *config)
{
	*config = (struct rf_domain_config){
		.name = "made",
		.vcpus = (uint32_t)take_below(4),
		.flags = (uint32_t)take_below(3),
		.frames_max = take_below(64),
		.shadow_frames = take_below(2),
	};
}

static void put_set(struct rf_domain_set *set)
{
	*set = (struct rf_domain_set){
		.name = "set",
		.mask = (uint32_t)take_below(RF_SET_ALL + 2),
		.paused = 1 + (uint32_t)take_below(2), /* nobody but `domain` runs */
		.weight = (uint32_t)take(2),
		.cap = (uint32_t)take(1),
		.vcpu = take(1) & 1 ? RF_SET_EVERY_VCPU : (uint32_t)take(1),
		.affinity = take(1),
		.frames_max = take(2),
		.entry = take_address(),
		.root = take_gfn() << 12,
	};
}

static void put_copies(struct rf_domain_copy *copies, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		copies[i] = (struct rf_domain_copy){
			.direction = (uint32_t)take_below(3),
			.size = (uint32_t)take(2),
			.physical = take_gfn() << 12 | take(1),
			.address = take(1) & 1 ? BUFFER : take_address(),
		};
}

static void prepare_buffer(uint64_t number, unsigned count)
{
	void *buffer = frame(base + BUFFER_GFN);

	if (!buffer)
		return;
	if (number == RF_HYPERCALL_mmu_batch)
		put_mmu_ops(buffer, count);
	else if (number == RF_HYPERCALL_memory_populate || number == RF_HYPERCALL_memory_release)
		put_extents(buffer, count);
	else if (number == RF_HYPERCALL_vcpu_init)
		put_context(buffer);
	else if (number == RF_HYPERCALL_set_traps)
		put_traps(buffer, count);
	else if (number == RF_HYPERCALL_interrupt_bind)
		put_interrupt(buffer);
	else if (number == RF_HYPERCALL_grant_map)
		put_grant_maps(buffer, count, domain, victim);
	else if (number == RF_HYPERCALL_grant_unmap)
		put_grant_unmaps(buffer, count);
	else if (number == RF_HYPERCALL_grant_copy)
		put_grant_copies(buffer, count, victim);
	else if (number == RF_HYPERCALL_domain_create)
		put_config(buffer);
	else if (number == RF_HYPERCALL_domain_set)
		put_set(buffer);
	else if (number == RF_HYPERCALL_domain_copy)
		put_copies(buffer, count);
}

/* For the calls about events, whose arguments are small numbers. */
static void put_event_arguments(uint64_t number, uint64_t *arguments)
{
	bool domain_first = number == RF_HYPERCALL_event_listen ||
			    number == RF_HYPERCALL_event_connect;

	if (number == RF_HYPERCALL_grant_register)
		arguments[0] = take_gfn();
	if (number < RF_HYPERCALL_event_register_page || number > RF_HYPERCALL_interrupt_end ||
	    number == RF_HYPERCALL_interrupt_bind)
		return;
	arguments[0] = take_below(PORTS);
	arguments[1] = take_below(3);
	if (domain_first) {
		arguments[1] = arguments[0];
		arguments[0] = take(1) & 1 ? victim->id : RF_DOMAIN_SELF;
	} else if (number == RF_HYPERCALL_event_register_page) {
		arguments[0] = take_gfn();
	}
}

#define DOMAINS 6 /* numbers that are tried */

/* For the calls whose first argument is a domain. */
static void put_domain_arguments(uint64_t number, unsigned count, uint64_t *arguments)
{
	bool sized = number == RF_HYPERCALL_console_read || number == RF_HYPERCALL_domain_copy ||
		     number == RF_HYPERCALL_memory_populate ||
		     number == RF_HYPERCALL_memory_release;

	if (!sized && number != RF_HYPERCALL_domain_set && number != RF_HYPERCALL_domain_trigger)
		return;
	arguments[0] = take(1) & 1 ? take_below(DOMAINS) : RF_DOMAIN_SELF;
	arguments[1] = BUFFER;
	arguments[2] = count;
	arguments[3] = take(1) & 1 ? BUFFER + 2048 : 0;
	if (number != RF_HYPERCALL_domain_trigger)
		return;
	arguments[1] = take_below(RF_TRIGGERS + 1);
	arguments[2] = arguments[1] == RF_TRIGGER_INPUT ? BUFFER : take(1);
	arguments[3] = arguments[1] == RF_TRIGGER_INPUT ? count : 0;
}

/* Only what would end the machine or the other domain is left out, as a control domain may. */
static bool is_allowed(uint64_t number, uint64_t argument)
{
	if (!domain->control)
		return true;
	if (number == RF_HYPERCALL_shutdown)
		return false;
	return argument != victim->id ||
	       (number != RF_HYPERCALL_domain_destroy && number != RF_HYPERCALL_domain_set &&
		number != RF_HYPERCALL_memory_populate && number != RF_HYPERCALL_memory_release);
}

/* Some have more to them than others. */
static uint64_t take_number(uint8_t form)
{
	if (form & 1)
		return RF_HYPERCALL_mmu_batch;
	if (form & 0x10)
		return RF_HYPERCALL_event_register_page + take_below(EVENT_CALLS);
	if (form & 0x20)
		return RF_HYPERCALL_grant_register + take_below(GRANT_CALLS);
	return take_below(RF_HYPERCALLS + 1);
}

static void hypercall(void)
{
	uint8_t form = (uint8_t)take(1);
	uint64_t number = take_number(form);
	unsigned count = (form >> 1) % 8;
	uint64_t arguments[4] = { 0 };

	prepare_buffer(number, count);
	if (form & 0x80) {
		for (unsigned i = 0; i < 4; i++)
			arguments[i] = take_argument();
	} else {
		bool second = number == RF_HYPERCALL_vcpu_init;

		arguments[0] = second ? 1 : BUFFER;
		arguments[1] = second ? BUFFER : count;
		arguments[2] = take(1);
		put_event_arguments(number, arguments);
		put_domain_arguments(number, count, arguments);
	}
	if (!is_allowed(number, arguments[0]))
		return;
	hypercall_dispatch(arguments[0], arguments[1], arguments[2], arguments[3], 0, 0, number);
	calls++;
}

/* --- the CPUs --- */

/* One CPU is in the hypervisor; the others are in their guests, or count as asleep. */
static void use_cpu(uint32_t id)
{
	fake_set_cpu(id);
	for (uint32_t i = 0; i < CPUS; i++) {
		cpus[i].idle = i != id;
		cpus[i].in_guest = i != id && cpus[i].current;
	}
}

static void interrupted(uint32_t id)
{
	cpus[id].flush_request = 0;
}

static void leave(void)
{
	struct cpu *cpu = this_cpu();

	if ((!cpu->current || cpu->need_schedule || (cpu->current->work & VCPU_WORK_SCHEDULE)) &&
	    !sched_try_switch())
		return;
	/* No vector may take the last vCPU away meanwhile: nothing here waits. */
	vcpu_prepare_exit();
	tlb_enter_hypervisor();
}

/* What the CPU reaches in a view is the guest's, or was granted to it. */
static void check_reach(uint64_t table, uint64_t address, bool user)
{
	uint64_t entry = 0;

	for (unsigned level = 4; level > 0; level--) {
		entry = ((uint64_t *)arch_frame_pointer(table))[pte_index(address, level)];
		if (!(entry & PTE_PRESENT))
			return;
		table = (entry & PTE_ADDRESS) >> 12;
		if (level == 2 && (entry & PTE_LARGE)) {
			table += pte_index(address, 1);
			break;
		}
	}
	check(may_reach(domain, victim, entry, table),
	      "a view reaches a frame that is not the guest's, nor granted");
	check(!user || address < USER_MAP_END, "the user view reaches the kernel half");
}

static void fault(struct vcpu *v)
{
	static const uint32_t accesses[] = { 0, FAULT_WRITE, FAULT_FETCH };
	uint64_t address = take_address();
	uint8_t form = (uint8_t)take(1);
	uint32_t access = accesses[form % 3] | (form & 4 ? FAULT_USER : 0);
	uint32_t error;

	v->arch.user_mode = form & 4;
	if (shadow_fault(v, address, access, &error) == SHADOW_GUEST_FAULT && (form & 8)) {
		v->fault_address = address;
		vcpu_set_work(v, VCPU_WORK_FILL);
	}
	if (!address_is_mappable(address))
		return;
	check_reach(v->arch.kernel_table, address, false);
	check_reach(v->arch.user_table, address, true);
}

static void pass_time(void)
{
	fake_clock_ns += take(3) << 8;
	for (uint32_t id = 0; id < CPUS; id++) {
		use_cpu(id);
		if (cpus[id].arch.timer <= fake_clock_ns)
			timer_interrupt();
		leave();
	}
}

/* Everything is read again: whatever the guest did, now a strict audit finds nothing. */
static void flush_everything(void)
{
	struct shadow *s = &domain->shadow;

	for (unsigned i = 0; i < SHADOW_ROOTS; i++)
		if (s->roots[i].gfn != FRAME_NONE)
			shadow_flush_range(domain, s->roots[i].gfn, 0, USER_HALF_END);
	shadow_flush_kernel(domain, HYPERVISOR_END, ~0ULL);
	check_audit(shadow_audit(domain, true));
}

static void step(void)
{
	uint8_t what = (uint8_t)take(1);
	uint32_t id = what >> 7;

	use_cpu(id);
	leave();
	if (!this_cpu()->current) {
		pass_time();
		return;
	}
	switch (what % 16) {
	case 0:
		pass_time();
		return;
	case 1:
		flush_everything();
		break;
	case 2:
		device_interrupt_arrive((uint32_t)take_below(PORTS));
		break;
	case 3:
		if (frame(base + GUEST_GRANTS))
			write_grant(frame(base + GUEST_GRANTS), victim);
		victim_acts(victim, domain);
		break;
	case 4 ... 5:
		write_entry();
		break;
	case 6 ... 9:
		fault(this_cpu()->current);
		break;
	default:
		this_cpu()->current->arch.user_mode = false;
		hypercall();
		break;
	}
	leave();
}

/* --- one input --- */

static struct domain *create(const char *name, bool control, uint32_t vcpus, uint64_t frames_max,
			     uint64_t frames)
{
	struct domain_config config = { .control = control,
					.vcpus = vcpus,
					.frames = frames_max,
					.shadow_frames = 1 };
	const char *error;
	struct domain *d;

	snprintf(config.name, sizeof(config.name), "%s", name);
	d = domain_create(&config, &error);
	check(d, "no domain");
	check(memory_fill(d, control ? 1024 : 0, frames) == 0, "no memory");
	return d;
}

/* What the victim does: its ports listen for whoever is there now. */
static void victim_listens(void)
{
	this_cpu()->current = victim->vcpus[0];
	for (uint64_t port = 1; port <= VICTIM_PORTS; port++) {
		do_event_close(port);
		check(do_event_listen(domain->id) == (int64_t)port, "the victim cannot listen");
		victim->event.page->mask[0] &= ~(1ULL << port);
	}
	this_cpu()->current = NULL;
}

static void start(bool control)
{
	struct rf_vcpu_context context = { .rip = 4096, .page = FRAME_NONE };

	base = control ? 1024 : 0;
	domain = create("fuzz", control, 2, FRAMES_MAX, FRAMES);
	make_tables();
	context.root = base << 12;
	for (uint32_t i = 0; i < 2; i++) {
		check(vcpu_set_context(domain->vcpus[i], &context) == 0, "context");
		sched_up(domain->vcpus[i]);
	}
	victim_listens();
	victim_grants(victim, domain->id);
	/* Most have a page for their events from the beginning. */
	if (take(1) & 3) {
		this_cpu()->current = domain->vcpus[0];
		check(do_event_register_page(base + EVENT_GFN) == 0, "no event page");
		check(do_grant_register(base + GUEST_GRANTS) == 0, "no page of grants");
		this_cpu()->current = NULL;
	}
}

static void finish_domain(void)
{
	/* -EBUSY: a control domain has done it itself. */
	domain_destroy(domain);
	for (uint32_t id = 0; id < CPUS; id++) {
		use_cpu(id);
		leave();
		check(!this_cpu()->current, "a dying domain runs");
	}
	use_cpu(0);
	for (unsigned i = 0; domain_reap(); i++)
		check(i < 1000, "a dying domain stays");
	victim_unmaps_all(victim);
}

static bool find_made(struct domain *d, void *context)
{
	if (d == domain || d == victim || d->state == RF_DOMAIN_DYING)
		return false;
	*(struct domain **)context = d;
	return true;
}

/* Those that the fuzzer has made, as a control domain. */
static void end_made(void)
{
	struct domain *made;

	do {
		made = NULL;
		domain_for_each(find_made, &made);
		if (made)
			domain_destroy(made);
	} while (made);
}

static void finish(void)
{
	end_made();
	finish_domain();
	check(frame_free_count() == free_before, "frames are lost");
}

/* Its own events reach it, and nothing else of its page. */
static void check_victim_page(void)
{
	const struct rf_event_page *page = victim->event.page;
	uint64_t others = page->pending[0] | page->mask[0];

	check(!(page->pending[0] & ~((2ULL << VICTIM_PORTS) - 2)), "a port that it has not");
	check(!(page->selector[0] & ~1ULL), "a word that it has not");
	for (unsigned i = 1; i < 64; i++)
		others |= page->pending[i] | page->mask[i] | page->selector[i];
	for (unsigned i = 0; i < 320; i++)
		others |= page->reserved[i];
	check(!(others & ~((2ULL << VICTIM_PORTS) - 2)), "the victim's event page has changed");
}

static void check_victim(void)
{
	check_victim_page();
	check_victim_grants(victim);
	for (uint64_t gfn = 0; gfn < VICTIM_FRAMES; gfn++)
		check(is_shared(gfn) || memcmp(arch_frame_pointer(memory_lookup(victim, gfn)),
					       victim_memory[gfn], FRAME_SIZE) == 0,
		      "another domain's memory has changed");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input = data;
	input_end = data + size;
	start(take(1) & 1);
	for (unsigned i = 0; i < STEPS && input < input_end; i++)
		step();
	check_audit(shadow_audit(domain, false));
	use_cpu(0);
	/* It looks at every byte of free memory: not each time. */
	if (++inputs % AUDIT_EVERY == 0)
		check_audit(audit_run());
	finish();
	check_victim();
	fake_serial_clear();
	return 0;
}

/*
 * Making a domain and taking it apart costs more than a hundred calls, and what libFuzzer makes of
 * nothing stays short for long: so every fourth input is a long life at random.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max, unsigned seed)
{
	uint64_t random = seed | 1ULL << 32;

	if (seed % 4)
		return LLVMFuzzerMutate(data, size, size_max);
	for (size_t i = 0; i < size_max; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		data[i] = (uint8_t)(random >> 24);
	}
	return size_max;
}

/* What the victim's first mapping takes stays with it: before frames are counted. */
static void warm_up(void)
{
	struct rf_grant_map map = { .count = 1, .gfn = VICTIM_PLACE };
	struct rf_grant_entry *entries;

	domain = create("warm", false, 1, 64, 64);
	this_cpu()->current = domain->vcpus[0];
	check(do_grant_register(1) == 0, "no page of grants");
	entries = frame(1);
	entries[0].grant = grant_word(victim->id, 2, 1, 0);
	map.domain = domain->id;
	check(victim_call(victim, &map, sizeof(map), do_grant_map) == 1, "no mapping");
	this_cpu()->current = NULL;
	finish_domain();
}

static void report(void)
{
	fprintf(stderr, "fuzz_hypercall: %lu hypercalls in %lu inputs\n", calls, inputs);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	atexit(report);
	(void)argc;
	(void)argv;
	fake_domain_init(RAM_FRAMES, CPUS);
	walk_init(40);
	fake_interrupt_hook = interrupted;
	victim = create("victim", false, 1, VICTIM_ALL, VICTIM_ALL);
	victim_tables(victim);
	this_cpu()->current = victim->vcpus[0];
	check(do_event_register_page(VICTIM_FRAMES) == 0, "no event page");
	check(do_grant_register(VICTIM_GRANTS) == 0, "no page of grants");
	this_cpu()->current = NULL;
	for (uint64_t gfn = 0; gfn < VICTIM_FRAMES; gfn++) {
		memset(victim_memory[gfn], (int)gfn + 1, FRAME_SIZE);
		memcpy(arch_frame_pointer(memory_lookup(victim, gfn)), victim_memory[gfn],
		       FRAME_SIZE);
	}
	warm_up();
	free_before = frame_free_count();
	return 0;
}
