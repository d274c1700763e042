// SPDX-License-Identifier: BSD-2-Clause
/*
 * What each path through the hypervisor costs, in instructions of the hypervisor, beside its budget.
 * Run by `make bench` under -icount; without it the numbers mean nothing, so it says so and ends.
 *
 * Every path is taken several times and the last one counts: all caches of the hypervisor are warm,
 * and under -icount the number is the same on every machine.
 */
#include "test.h"

const char test_title[] = "paths: instructions of the hypervisor";

extern const char bench_syscall_entry[], bench_sysret_site[], bench_fault_entry[];
extern const char bench_user_syscalls[], bench_user_load[];
uint32_t bench_hypercall(uint64_t number, uint64_t a, uint64_t b);
uint64_t bench_fault_next;

/* What lies between the two RDTSC and is the guest's. */
#define OWN_HYPERCALL 4 /* rdtsc, mov, mov, syscall */
#define OWN_SYSCALL   3 /* rdtsc, mov, syscall */
#define OWN_LOAD      3 /* rdtsc, mov, load */
#define OWN_FAULT     2 /* rdtsc, mov: the load does not complete */

#define AREA	      0x10000000UL
#define LARGE_SPAN    (2UL << 20)
#define ENTRIES	      512

static void report(const char *path, uint64_t cost, uint64_t budget)
{
	printf("  %-52s %6lu %8lu  %s\n", path, cost, budget, cost <= budget ? "" : "over");
}

static uint64_t hypercall_cost(uint64_t number, uint64_t a, uint64_t b)
{
	uint32_t cost = 0;

	for (unsigned i = 0; i < 8; i++)
		cost = bench_hypercall(number, a, b);
	return cost - OWN_HYPERCALL;
}

static void measure_hypercall(void)
{
	report("null hypercall, round trip", hypercall_cost(RF_HYPERCALL_version, 0, 0), 70);
}

static void run_to_end(struct user *user, const char *code, uint64_t argument)
{
	user_init(user, user_address(code), argument);
	if (user_run(user) != VECTOR_UD)
		ERROR("the measured code ended by vector %lu", user->frame.vector);
}

static void measure_syscall(void)
{
	struct user user;

	if (hv_set_entries(ADDRESS(bench_syscall_entry), ADDRESS(bench_sysret_site),
			   ADDRESS(iret_site)))
		ERROR("set_entries");
	run_to_end(&user, bench_user_syscalls, 0);
	report("user syscall, into the guest kernel", user.frame.r15 - OWN_SYSCALL, 45);
	report("user syscall, back", user.frame.r14 - OWN_SYSCALL, 45);
	hv_set_entries(ADDRESS(syscall_entry), ADDRESS(sysret_site), ADDRESS(iret_site));
}

static uint64_t load_cost(uint64_t address)
{
	struct user user;

	run_to_end(&user, bench_user_load, address);
	return user.frame.r14 - OWN_LOAD;
}

/* A region of its own, so that no fault follows another and the window keeps its smallest size. */
static uint64_t region(unsigned number)
{
	return AREA + number * 4 * LARGE_SPAN;
}

static void map_pages(uint64_t address, unsigned pages)
{
	for (unsigned i = 0; i < pages; i++)
		root_map_new(root_boot(), address + i * PAGE_SIZE, PTE_USER_RW);
}

static void measure_fault(void)
{
	uint64_t cost = 0;
	struct user user;

	map_pages(AREA - 2 * PAGE_SIZE, 1);
	load_cost(AREA - 2 * PAGE_SIZE); /* makes the tables that a neighbour needs */
	bench_fault_next = trap_stub(VECTOR_PF);
	trap_register(VECTOR_PF, ADDRESS(bench_fault_entry), 0);
	for (unsigned i = 0; i < 8; i++) {
		user_init(&user, user_address(bench_user_load), AREA - PAGE_SIZE);
		if (user_run(&user) != VECTOR_PF)
			ERROR("no page fault");
		cost = user.frame.r15 - OWN_FAULT;
	}
	trap_register(VECTOR_PF, trap_stub(VECTOR_PF), 0);
	report("page fault of user mode, injected", cost, 200);
}

static uint64_t fills(void)
{
	static struct rf_counters counters;

	if (hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)))
		ERROR("counters");
	return counters.window_fills;
}

static uint64_t window_cost(uint64_t address, uint64_t *filled)
{
	uint64_t before = fills();
	uint64_t cost = load_cost(address);

	*filled = fills() - before;
	return cost;
}

static void measure_fill(void)
{
	uint64_t small, large, filled_small, filled_large;

	map_pages(region(0), 1);
	map_pages(region(0) + LARGE_SPAN / 2, 1);
	load_cost(region(0) + LARGE_SPAN / 2); /* makes the tables above */
	report("one missing entry, its neighbours not present", load_cost(region(0)), 250);

	map_pages(region(1), 64);
	map_pages(region(1) + LARGE_SPAN / 2, 1);
	load_cost(region(1) + LARGE_SPAN / 2);
	small = window_cost(region(1) + 5 * PAGE_SIZE, &filled_small);
	/* Faults in order have larger windows: this one follows the last, of four pages to either side. */
	large = window_cost(region(1) + 9 * PAGE_SIZE, &filled_large);
	if (filled_large <= filled_small)
		ERROR("the window was not filled");
	report("the same with 7 neighbours present and filled", small, 250 + 7 * 25);
	report("each further entry of the window", (large - small) / (filled_large - filled_small),
	       25);
}

static void measure_resync(void)
{
	struct rf_mmu_op op = { .operation = RF_MMU_FLUSH_RANGE, .root = root_boot() };
	uint64_t empty, full;

	map_pages(region(2), ENTRIES);
	for (unsigned i = 0; i < ENTRIES; i++)
		load_cost(region(2) + i * PAGE_SIZE);
	op.start = region(2);
	op.end = op.start + PAGE_SIZE;
	empty = hypercall_cost(RF_HYPERCALL_mmu_batch, ADDRESS(&op), 1);
	op.end = op.start + LARGE_SPAN;
	full = hypercall_cost(RF_HYPERCALL_mmu_batch, ADDRESS(&op), 1);
	report("flush of one page, round trip", empty, 400);
	report("resync, each entry", (full - empty + ENTRIES / 2) / (ENTRIES - 1), 12);
}

static void measure_root(void)
{
	struct rf_mmu_op ops[2] = { { .operation = RF_MMU_LOAD_ROOT, .root = root_new() },
				    { .operation = RF_MMU_LOAD_ROOT, .root = root_boot() } };
	uint64_t cost = 0;

	for (unsigned i = 0; i < 8; i++) {
		cost = bench_hypercall(RF_HYPERCALL_mmu_batch, ADDRESS(&ops[0]), 1);
		bench_hypercall(RF_HYPERCALL_mmu_batch, ADDRESS(&ops[1]), 1);
	}
	report("root switch, round trip", cost - OWN_HYPERCALL, 150);
}

void test_main(void)
{
	if (start_info->tsc_khz < 999000 || start_info->tsc_khz > 1001000)
		ERROR("not under -icount shift=0: the TSC runs at %lu kHz", start_info->tsc_khz);
	user_prepare(root_boot());
	printf("  %-52s %6s %8s\n", "path", "cost", "budget");
	measure_hypercall();
	measure_syscall();
	measure_fault();
	measure_fill();
	measure_resync();
	measure_root();
}
