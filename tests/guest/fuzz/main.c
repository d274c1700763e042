// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that hypercalls of random numbers with random arguments, some of them sensible, harm nobody
 * but their domain. Domains `fuzzer...` make them on two vCPUs, with a third that scribbles over the
 * buffers and the page tables meanwhile; domain `victim` sees that its memory stays
 * as it is; the control domain audits the hypervisor all along.
 *
 * calls=N, seed=N. A fuzzer that hits itself in spite of all care is no failure, if the others make
 * N calls without it.
 */
/* covers: audit, mmu_batch, memory_populate, memory_release, grant_map, grant_unmap, grant_copy */
/* timeout: 1800 */
/* status: 0 1 */
#include "grants.h"
#include "test.h"

#include "abi/time.h"

const char test_title[] = "hypercall fuzzer";

#define CALLS	    (test_option("full") ? 1000000UL : 12000UL)
#define REPORT	    4096
#define BUFFER	    (4 * PAGE_SIZE) /* three for operations, one for extents */
#define EXTENTS	    (3 * PAGE_SIZE)
#define USER_BASE   0x10000000UL
#define AUDIT_EVERY (100 * MILLISECOND)

static volatile bool stop;
static uint8_t *buffer, *events;
static uint64_t spare_roots[4];
static uint64_t chunk_gfn; /* 512 frames to give back and take */

/* --- arguments --- */

static uint64_t boundary(void)
{
	static const uint64_t values[] = { 0,
					   1,
					   2,
					   7,
					   8,
					   255,
					   256,
					   0xfff,
					   0x1000,
					   1023,
					   1024,
					   1025,
					   0x7ff0,
					   0x7fffffff,
					   0x80000000,
					   0xffffffff,
					   0x100000000,
					   USER_END - PAGE_SIZE,
					   USER_END - 1,
					   USER_END,
					   HYPERVISOR_START - 1,
					   HYPERVISOR_START,
					   0xffff804000000000,
					   0xffff808000000000,
					   0xffff840000000000,
					   HYPERVISOR_END - 8,
					   HYPERVISOR_END,
					   0x7fffffffffffffff,
					   0x8000000000000000,
					   ~0xfffUL,
					   ~7UL,
					   ~0UL };
	uint64_t value = values[random_below(sizeof(values) / sizeof(values[0]))];

	return random_below(4) ? value : value + random_below(17) - 8;
}

static uint64_t own_address(void)
{
	uint64_t offset = random_below(BUFFER);

	return ADDRESS(buffer) + (random_below(4) ? offset & ~63UL : offset);
}

static uint64_t own_gfn(void)
{
	switch (random_below(4)) {
	case 0:
		return chunk_gfn + random_below(512);
	case 1:
		return physical_of(buffer) / PAGE_SIZE + random_below(4);
	case 2:
		return chunk_gfn;
	default:
		return random_below(start_info->memory_bytes / PAGE_SIZE + 16);
	}
}

static uint64_t some_root(void)
{
	uint64_t pick = random_below(6);

	return pick < 4 ? spare_roots[pick] : pick == 4 ? root_boot() : own_gfn() * PAGE_SIZE;
}

static uint64_t argument(void)
{
	switch (random_below(10)) {
	case 0:
		return random_u64();
	case 1:
		return boundary();
	case 2:
		return own_gfn();
	case 3:
		return clock_ns() + random_below(100000);
	case 4:
	case 5:
		return random_below(4);
	case 6:
		return random_below(300);
	default:
		return own_address();
	}
}

/* --- buffers that make sense --- */

static uint64_t some_address(void)
{
	uint64_t address = USER_BASE + random_below(2048) * PAGE_SIZE;

	return random_below(8) ? address : boundary() & ~0xfffUL;
}

static void fill_operations(struct rf_mmu_op *ops, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		uint64_t operation = random_below(RF_MMU_OPERATIONS + (random_below(16) == 0));
		uint64_t start = some_address();
		bool kernel = operation == RF_MMU_FLUSH_KERNEL;
		bool range = kernel || operation == RF_MMU_FLUSH_RANGE ||
			     operation == RF_MMU_PREFILL;

		/* The kernel half from elsewhere is the end of this guest. */
		if (operation == RF_MMU_SET_KERNEL_ROOT || operation == RF_MMU_LOAD_ROOT)
			ops[i].root = spare_roots[random_below(4)];
		else
			ops[i].root = kernel || operation == RF_MMU_FLUSH_ALL ? 0 : some_root();
		ops[i].operation = (uint32_t)operation;
		ops[i].reserved = random_below(32) ? 0 : 1;
		ops[i].start = range ? start + (kernel ? TEST_KERNEL_BASE : 0) : 0;
		ops[i].end = range ? ops[i].start + (1 + random_below(4096)) * PAGE_SIZE : 0;
	}
}

static void fill_extents(struct rf_memory_extent *extents, uint64_t count)
{
	uint64_t i;

	for (i = 0; i < count; i++) {
		extents[i].order = random_below(8) ? 0 : 9;
		extents[i].gfn = extents[i].order ? chunk_gfn : chunk_gfn + random_below(512);
		extents[i].reserved = 0;
		if (random_below(16) == 0)
			extents[i].gfn = boundary() | 1UL << (20 + random_below(44));
		if (random_below(32) == 0)
			extents[i].order = (uint32_t)random_below(64);
	}
}

/* What would end the fuzzer, or leave it deaf, at once. */
static bool is_left_out(uint64_t number)
{
	switch (number) {
	case RF_HYPERCALL_shutdown:
	case RF_HYPERCALL_vcpu_down:
	case RF_HYPERCALL_block:
	case RF_HYPERCALL_set_traps:
	case RF_HYPERCALL_set_entries:
	case RF_HYPERCALL_set_kernel_gs:
	case RF_HYPERCALL_vcpu_register_page:
	case RF_HYPERCALL_console_write:
	case RF_HYPERCALL_mmu_batch:
	case RF_HYPERCALL_memory_populate:
	case RF_HYPERCALL_memory_release:
		return true;
	default:
		return false;
	}
}

/* These with arguments that must be refused. */
static void refused(void)
{
	struct rf_trap trap = { .rip = HYPERVISOR_START + random_u64() % 0x80000000000,
				.vector = (uint8_t)random_u64() };
	uint64_t bad = HYPERVISOR_START + random_below(0x80000000000);

	CHECK(hv_set_traps(ADDRESS(&trap), 1) < 0, "trap at %#lx", trap.rip);
	CHECK(hv_set_traps(bad, 1 + random_below(256)) < 0, "traps from %#lx", bad);
	CHECK(hv_set_entries(bad, bad, bad) < 0, "entries at %#lx", bad);
	CHECK(hv_vcpu_register_page(1UL << 40 | random_u64()) < 0, "page");
	CHECK(hv_console_write(bad, 1 + random_below(100)) < 0, "text at %#lx", bad);
	CHECK(hv_shutdown(3 + random_below(1000)) < 0, "shutdown");
	CHECK(hv_mmu_batch(bad, 1 + random_below(1024)) < 0, "operations at %#lx", bad);
	CHECK(hv_memory_release(RF_DOMAIN_SELF, bad, 1 + random_below(512)) < 0, "extents at %#lx",
	      bad);
	CHECK(hv_memory_populate(RF_DOMAIN_SELF, bad, 1 + random_below(512)) < 0, "extents at %#lx",
	      bad);
}

/* Any but the GS bases, which the guest's own code stands on. */
static uint64_t some_msr(void)
{
	uint64_t msr = random_below(2) ? 0xc0000080 + random_below(0x90) : random_below(0x1000);

	return (msr & ~3UL) == 0xc0000100 ? 0x10 : msr;
}

static void one_batch(void)
{
	struct rf_mmu_op *ops = (struct rf_mmu_op *)(buffer + random_below(3) * PAGE_SIZE);
	uint64_t count = 1 + random_below(random_below(8) ? 16 : PAGE_SIZE / sizeof(*ops));

	fill_operations(ops, count);
	hv_mmu_batch(ADDRESS(ops), count);
}

static void one_memory_call(uint64_t number)
{
	struct rf_memory_extent *extents = (struct rf_memory_extent *)(buffer + EXTENTS);
	uint64_t count = 1 + random_below(random_below(8) ? 8 : PAGE_SIZE / sizeof(*extents));

	fill_extents(extents, count);
	hv_call(number, RF_DOMAIN_SELF, ADDRESS(extents), count, 0, 0, 0);
}

static void one_call(void)
{
	uint64_t number = random_below(32) ? random_below(RF_HYPERCALLS) : argument();

	/* Those need others to do the same. */
	if (random_below(8) == 0)
		number = RF_HYPERCALL_grant_map + random_below(3);
	if (random_below(64) == 0)
		refused();
	else if (number == RF_HYPERCALL_mmu_batch)
		one_batch();
	else if (number == RF_HYPERCALL_memory_populate || number == RF_HYPERCALL_memory_release)
		one_memory_call(number);
	else if (number >= RF_HYPERCALL_grant_map && number <= RF_HYPERCALL_grant_copy)
		grants_call(number, buffer + random_below(3) * PAGE_SIZE);
	else if (number == RF_HYPERCALL_poll)
		hv_poll(random_below(2) ? 0 : clock_ns() + random_below(20000));
	else if (number == RF_HYPERCALL_read_msr || number == RF_HYPERCALL_write_msr)
		hv_call(number, some_msr(), argument(), 0, 0, 0, 0);
	else if (!is_left_out(number))
		hv_call(number, argument(), argument(), argument(), argument(), argument(),
			argument());
}

/* A breakpoint that a call has set. */
static bool debug_trap(struct trap_frame *frame)
{
	(void)frame;
	hv_set_debug_register(7, 0);
	return true;
}

/* Faults in what the fuzzer and the mutator made of the user half. */
static void touch(void)
{
	uint64_t address = USER_BASE + random_below(2048) * PAGE_SIZE;
	struct trap trap;

	TRY(&trap)
	{
		if (random_below(2))
			load8(address);
		else
			store8(address, 0xf5);
	}
}

/* --- the vCPU that scribbles --- */

/* A page-table entry; the frames it names are the chunk, others' that were granted, or none that matters. */
static uint64_t random_entry(void)
{
	uint64_t bits = random_u64() & (0xfff | PTE_NX);

	if (random_below(4) == 0)
		return grants_entry();
	if (random_below(4))
		bits |= PTE_PRESENT | PTE_ACCESSED;
	bits &= ~PTE_LARGE;
	if (random_below(8) == 0)
		return bits | random_u64();
	return bits | (chunk_gfn + random_below(512)) * PAGE_SIZE;
}

static void mutate_tables(void)
{
	uint64_t root = spare_roots[random_below(4)];
	uint64_t address = USER_BASE + random_below(2048) * PAGE_SIZE;
	int level = 1 + (int)random_below(3);
	uint64_t *entry = root_find(root, address, level);

	if (!entry)
		entry = root_find(root, address, 3);
	if (!entry || level > 1)
		return;
	atomic_store(entry, random_entry());
}

/*
 * Any byte of an operation but its root, and not the operations that load one; of an extent any but
 * the frame number: what these could hit would be the guest's end, not the hypervisor's.
 */
static void mutate_buffer(void)
{
	uint64_t offset = random_below(BUFFER);
	uint8_t value = (uint8_t)random_u64();

	if (offset >= EXTENTS ? offset % 16 < 8 : offset % 32 >= 8 && offset % 32 < 16)
		return;
	if (offset < EXTENTS && offset % 32 == 0 &&
	    (value == RF_MMU_LOAD_ROOT || value == RF_MMU_SET_KERNEL_ROOT))
		return;
	buffer[offset] = value;
}

static void mutate_events(void)
{
	events[random_below(PAGE_SIZE)] = (uint8_t)random_u64();
}

static void mutator(void *argument)
{
	(void)argument;
	while (!stop) {
		mutate_buffer();
		mutate_events();
		mutate_tables();
		if (random_below(1024) == 0)
			hv_yield();
	}
}

static void prepare(void)
{
	uint32_t i, n;

	buffer = pages_alloc(BUFFER / PAGE_SIZE, PAGE_SIZE);
	/* The first one counts: a call with a page of this program's text would have bits set in it. */
	events = pages_alloc(1, PAGE_SIZE);
	CHECK_EQ(hv_event_register_page(physical_of(events) / PAGE_SIZE), 0, "event page");
	chunk_gfn = physical_of(pages_alloc(512, LARGE_PAGE_SIZE)) / PAGE_SIZE;
	grants_prepare(chunk_gfn, 512);
	for (i = 0; i < 4; i++) {
		spare_roots[i] = root_new();
		for (n = 0; n < 2048; n += 16)
			root_map(spare_roots[i], USER_BASE + n * PAGE_SIZE,
				 (chunk_gfn + n % 512) * PAGE_SIZE, PTE_USER_RW);
	}
}

/* Another vCPU that makes calls from the same buffer. */
static void second_fuzzer(void *argument)
{
	(void)argument;
	while (!stop) {
		one_call();
		touch();
	}
}

static void fuzz(void)
{
	uint64_t calls = test_number("calls", CALLS) / 3; /* four fuzzers: one may fail */
	uint64_t i;

	prepare();
	trap_set_handler(VECTOR_DB, debug_trap);
	vcpu_start(1, mutator, NULL);
	vcpu_start(2, second_fuzzer, NULL);
	for (i = 0; i < calls; i++) {
		if (i % REPORT == 0)
			printf("seed %#lx call %lu\n", random_seed(), i);
		one_call();
		touch();
	}
	stop = true;
	vcpu_wait(1);
	vcpu_wait(2);
	printf("calls made: %lu, %u of them mapped something of others\n", i, grants_mapped());
}

/* --- the victim --- */

static uint64_t hash_memory(const uint64_t *from, const uint64_t *end)
{
	uint64_t hash = 0xcbf29ce484222325;

	while (from < end)
		hash = (hash ^ *from++) * 0x100000001b3;
	return hash;
}

/* Text, its data as far as it stands still, and a MiB of its own. Until the control domain ends. */
static void be_victim(void)
{
	uint64_t pages = 256;
	uint64_t *memory = pages_alloc(pages, PAGE_SIZE);
	uint64_t *end = memory + pages * PAGE_SIZE / 8;
	const uint64_t *text = (const uint64_t *)(IMAGE_BASE + 0x1000000);
	uint64_t hash, text_hash, i;

	for (i = 0; i < pages * PAGE_SIZE / 8; i++)
		memory[i] = random_u64();
	grants_of_victim(memory);
	hash = hash_memory(memory, end);
	text_hash = hash_memory(text, text + PAGE_SIZE);
	for (;;) {
		if (hash_memory(memory, end) != hash ||
		    hash_memory(text, text + PAGE_SIZE) != text_hash)
			ERROR("my memory has changed");
		hv_poll(clock_ns() + 200 * MILLISECOND);
		interrupts_on();
		interrupts_off();
	}
}

/* --- the control domain --- */

static const char *const fuzzers[] = { "fuzzer1", "fuzzer2", "fuzzer3", "fuzzer4" };

static uint64_t calls_of(uint32_t domain)
{
	static struct rf_counters counters;
	uint64_t calls = 0;
	uint32_t vcpu, i;

	for (vcpu = 0; vcpu < 3; vcpu += 2) {
		if (hv_counters(domain, vcpu, ADDRESS(&counters)))
			return 0;
		for (i = 0; i < RF_HYPERCALL_SLOTS; i++)
			calls += counters.hypercalls[i];
	}
	return calls;
}

static uint64_t watch(uint32_t domain, const char *name)
{
	struct rf_domain_info info = {};
	uint64_t calls;
	uint32_t audits = 0;

	do {
		test_audit();
		audits++;
		hv_poll(clock_ns() + AUDIT_EVERY);
		CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "%s", name);
	} while (info.state == RF_DOMAIN_RUNNING);
	calls = calls_of(domain);
	printf("%s: %s after %lu calls, %u audits\n", name,
	       info.state == RF_DOMAIN_SHUTDOWN ? "done" : "ended itself", calls, audits);
	CHECK_EQ(hv_domain_destroy(domain), 0, "destroy %s", name);
	test_audit();
	return calls;
}

static void control(void)
{
	uint32_t victim = domain_named("victim");
	struct rf_domain_info info = {};
	uint64_t calls = 0;
	uint32_t i;

	for (i = 0; i < sizeof(fuzzers) / sizeof(fuzzers[0]); i++)
		calls += watch(domain_named(fuzzers[i]), fuzzers[i]);
	printf("%lu calls in all\n", calls);
	CHECK(calls >= test_number("calls", CALLS), "%lu calls in all", calls);
	clock_sleep(500 * MILLISECOND);
	CHECK_EQ(hv_domain_info(victim, ADDRESS(&info)), 0, "victim");
	CHECK_EQ(info.state, RF_DOMAIN_RUNNING, "victim");
	test_audit();
}

void test_main(void)
{
	if (test_is_control())
		control();
	else if (test_option("victim"))
		be_victim();
	else
		fuzz();
}
