// SPDX-License-Identifier: BSD-2-Clause
/*
 * Tiny domains, see child.h. No locks.
 * Odd: a child's code is a page of the test's own text, copied: it refers to nothing outside itself.
 * Its pages: entry, code, orders, stack (growing down to the orders), tables; the first 2 MiB of its
 * memory are mapped where Linux is, and only CHILD_FRAMES of them are there.
 */
#include "child.h"

#include "abi/console.h"
#include "test.h"

enum child_page {
	PAGE_ENTRY,
	PAGE_CODE,
	PAGE_ORDERS,
	PAGE_STACK,
	PAGE_ROOT,
	PAGE_LEVEL3,
	PAGE_LEVEL2,
	PAGE_VCPU,
	PAGE_MARK, /* CHILD_MARK_PAGE */
	PAGE_STACK1,
	PAGE_VCPU1,
};

_Static_assert(PAGE_MARK == CHILD_MARK_PAGE, "the mark is where the test looks");

#define AT(page) (IMAGE_BASE + (page)*PAGE_SIZE)
#define WAIT_NS	 (20 * SECOND)
#define SETTLED	 20 /* looks that show no change */

/* In child_entry.S: finds the orders and a stack. */
extern const char child_entry[], child_nmi[], child_entry_end[];

/* --- What runs in the child: one page --- */

#define IN_CHILD static inline __attribute__((always_inline))

IN_CHILD void say_hello(void)
{
	volatile char text[8];

	text[0] = 'h';
	text[1] = 'e';
	text[2] = 'l';
	text[3] = 'l';
	text[4] = 'o';
	text[5] = '\n';
	hv_console_write(ADDRESS(text), 6);
}

IN_CHILD void echo(void)
{
	struct rf_domain_info info;
	char text[64];

	for (;;) {
		int64_t count = hv_console_read(RF_DOMAIN_SELF, ADDRESS(text), sizeof(text), 0);

		if (count > 0)
			hv_console_write(ADDRESS(text), (uint64_t)count);
		hv_domain_info(RF_DOMAIN_SELF, ADDRESS(&info));
		if (info.requests)
			hv_shutdown(info.request);
		hv_yield();
	}
}

IN_CHILD void start_second(void)
{
	struct rf_vcpu_context context;

	context.rip = AT(PAGE_CODE);
	context.rsp = AT(PAGE_STACK1) + PAGE_SIZE;
	context.rdi = 0;
	context.root = PAGE_ROOT * PAGE_SIZE;
	context.kernel_gs = 0;
	context.page = PAGE_VCPU1;
	hv_vcpu_init(1, ADDRESS(&context));
	hv_vcpu_up(1);
}

/* Interrupts are off, as they are from the start. */
IN_CHILD void take_nmi(void)
{
	volatile struct rf_trap trap;

	trap.rip = ((volatile struct child_orders *)AT(PAGE_ORDERS))->nmi;
	trap.vector = 2;
	trap.flags = 0;
	for (uint32_t i = 0; i < sizeof(trap.reserved); i++)
		trap.reserved[i] = 0;
	hv_set_traps(ADDRESS(&trap), 1);
}

/* `orders` is zero on vCPU 1. */
static __attribute__((flatten, noreturn, noinline, section(".text.child"), aligned(4096))) void
child_main(volatile struct child_orders *orders)
{
	volatile struct child_mark *mark = (struct child_mark *)AT(PAGE_MARK);
	uint32_t task = ((volatile struct child_orders *)AT(PAGE_ORDERS))->task;
	uint32_t vcpu = orders ? 0 : 1;

	if (orders && orders->vcpus > 1)
		start_second();
	if (task == CHILD_SAYS_HELLO)
		say_hello();
	else if (task == CHILD_REBOOTS)
		hv_shutdown(RF_SHUTDOWN_REBOOT);
	else if (task == CHILD_CRASHES)
		asm volatile("ud2");
	else if (task == CHILD_ECHOES)
		echo();
	while (task == CHILD_BLOCKS)
		hv_block();
	while (task == CHILD_FLOODS)
		say_hello();
	if (task == CHILD_AWAITS)
		take_nmi();
	while (task == CHILD_SPINS || task == CHILD_AWAITS)
		mark->count[vcpu]++;
	while (task == CHILD_CALLS) {
		hv_kick(vcpu);
		hv_yield();
		mark->count[vcpu]++;
	}
	for (;;)
		hv_shutdown(RF_SHUTDOWN_POWEROFF);
}

/* --- What builds it --- */

static int64_t copy(uint32_t domain, uint32_t direction, uint64_t physical, const void *own,
		    uint32_t size)
{
	struct rf_domain_copy op = { .direction = direction,
				     .size = size,
				     .physical = physical,
				     .address = ADDRESS(own) };
	int64_t done = hv_domain_copy(domain, ADDRESS(&op), 1);

	return done == 1 ? 0 : done;
}

int64_t child_read(uint32_t domain, void *to, uint64_t physical, uint32_t size)
{
	return copy(domain, RF_COPY_FROM, physical, to, size);
}

int64_t child_write(uint32_t domain, uint64_t physical, const void *from, uint32_t size)
{
	return copy(domain, RF_COPY_TO, physical, from, size);
}

struct child_mark child_mark(uint32_t domain)
{
	struct child_mark mark = {};

	CHECK_EQ(child_read(domain, &mark, PAGE_MARK * PAGE_SIZE, sizeof(mark)), 0, "mark");
	return mark;
}

int64_t child_new(const char *name, uint32_t vcpus)
{
	struct rf_domain_config config = { .vcpus = vcpus, .frames_max = CHILD_FRAMES };

	memcpy(config.name, name, strlen(name));
	return hv_domain_create(ADDRESS(&config));
}

static void populate(uint32_t domain)
{
	struct rf_memory_extent extents[CHILD_FRAMES] = {};
	uint32_t i;

	for (i = 0; i < CHILD_FRAMES; i++)
		extents[i].gfn = i;
	CHECK_EQ(hv_memory_populate(domain, ADDRESS(extents), CHILD_FRAMES), CHILD_FRAMES,
		 "populate");
}

static void write_entry(uint32_t domain, uint32_t page, uint32_t slot, uint64_t value)
{
	CHECK_EQ(child_write(domain, page * PAGE_SIZE + slot * 8, &value, sizeof(value)), 0,
		 "table in page %u", page);
}

void child_build(uint32_t domain, enum child_task task, uint32_t vcpus)
{
	const struct child_orders orders = {
		.task = task,
		.vcpus = vcpus,
		.nmi = AT(PAGE_ENTRY) + (uint64_t)(child_nmi - child_entry),
	};
	const uint64_t flags = PTE_PRESENT | PTE_WRITE | PTE_AD;

	populate(domain);
	CHECK_EQ(child_write(domain, 0, child_entry, (uint32_t)(child_entry_end - child_entry)), 0,
		 "entry");
	CHECK_EQ(child_write(domain, PAGE_CODE * PAGE_SIZE, child_main, PAGE_SIZE), 0, "code");
	CHECK_EQ(child_write(domain, PAGE_ORDERS * PAGE_SIZE, &orders, sizeof(orders)), 0,
		 "orders");
	write_entry(domain, PAGE_ROOT, 511, PAGE_LEVEL3 * PAGE_SIZE | flags);
	write_entry(domain, PAGE_LEVEL3, 510, PAGE_LEVEL2 * PAGE_SIZE | flags);
	write_entry(domain, PAGE_LEVEL2, 0, PTE_LARGE | flags);
	CHECK_EQ(child_set_start(domain, AT(PAGE_ENTRY), PAGE_ROOT * PAGE_SIZE,
				 PAGE_ORDERS * PAGE_SIZE),
		 0, "start");
}

uint32_t child_create(const char *name, enum child_task task, uint32_t vcpus)
{
	int64_t domain = child_new(name, vcpus);

	if (domain < 0)
		ERROR("%s: domain_create: %ld", name, domain);
	child_build((uint32_t)domain, task, vcpus);
	return (uint32_t)domain;
}

int64_t child_set_paused(uint32_t domain, bool paused)
{
	const struct rf_domain_set set = { .mask = RF_SET_PAUSED, .paused = paused };

	return hv_domain_set(domain, ADDRESS(&set));
}

int64_t child_set_start(uint32_t domain, uint64_t entry, uint64_t root, uint64_t argument)
{
	const struct rf_domain_set set = { .mask = RF_SET_START,
					   .entry = entry,
					   .root = root,
					   .argument = argument };

	return hv_domain_set(domain, ADDRESS(&set));
}

void child_end(uint32_t domain)
{
	uint64_t end_ns = clock_ns() + WAIT_NS;
	struct rf_domain_info info;
	int64_t result;

	CHECK_EQ(hv_domain_destroy(domain), 0, "destroy %u", domain);
	while (!(result = hv_domain_info(domain, ADDRESS(&info))) && clock_ns() < end_ns)
		hv_poll(clock_ns() + MILLISECOND);
	CHECK_EQ(result, -ESRCH, "domain %u after it was destroyed", domain);
}

static uint64_t free_frames(void)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(0, ADDRESS(&info)), 0, "info");
	return info.machine_frames_free;
}

uint64_t child_free_frames(uint64_t expected)
{
	uint64_t end_ns = clock_ns() + 10 * SECOND, frames = free_frames();
	uint32_t equal = 0;

	while (frames != expected && (expected || equal < SETTLED) && clock_ns() < end_ns) {
		uint64_t before = frames;

		hv_poll(clock_ns() + 10 * MILLISECOND);
		frames = free_frames();
		equal = frames == before ? equal + 1 : 0;
	}
	return frames;
}
