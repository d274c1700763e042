// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the ways in and out of a guest work, by showing them: what the guest was told, its
 * vCPUs, and the time of a hypercall, a user's syscall and a page fault. Run by `make run`.
 */
/* covers: version, vcpu_init, vcpu_up, vcpu_status */
#include "test.h"

const char test_title[] = "Ringfence demonstration guest";

#define ROUNDS 2000

USER_ASM(demo_user, "1: syscall; jmp 1b");
USER_ASM(demo_store, "1: movq $1, (%rdi); add $4096, %rdi; jmp 1b");

static const char *range_name(uint32_t kind)
{
	static const char *const names[] = { "?", "RAM", "reserved", "ACPI", "NVS", "unusable" };

	if (kind == RF_RANGE_FOREIGN)
		return "other domains' or free";
	return names[kind < 6 ? kind : 0];
}

static void print_start(void)
{
	uint32_t i;

	printf("I am domain %u, a %s domain, ABI version %u.\n", start_info->domain,
	       test_is_control() ? "control" : "guest", start_info->abi_version);
	printf("I have %lu MiB of memory, %u vCPUs and a clock of %lu kHz.\n",
	       start_info->memory_bytes >> 20, start_info->vcpus, start_info->tsc_khz);
	printf("My command line is \"%s\".\n", start_info->command_line);
	for (i = 0; i < start_info->ranges; i++) {
		const struct rf_start_range *range = &start_info->range[i];

		printf("  %012lx-%012lx %s\n", range->start, range->start + range->size,
		       range_name(range->kind));
	}
}

static void hello(void *argument)
{
	(void)argument;
	printf("  vCPU %u: here, my time is %lu.%06lu s\n", this_vcpu()->id, clock_ns() / SECOND,
	       clock_ns() % SECOND / 1000);
}

static void start_vcpus(void)
{
	uint32_t id;

	printf("My vCPUs, one after another:\n");
	hello(NULL);
	for (id = 1; id < start_info->vcpus; id++) {
		vcpu_start(id, hello, NULL);
		vcpu_wait(id);
	}
}

/* The least of several runs: what the way costs when nothing gets in it. */
static uint64_t time_best(void (*run)(struct user *user), struct user *user)
{
	uint64_t best = ~0UL;
	uint32_t i;

	for (i = 0; i < 5; i++) {
		uint64_t start = clock_ns();
		uint64_t took;

		run(user);
		took = (clock_ns() - start) / ROUNDS;
		best = took < best ? took : best;
	}
	return best;
}

static void run_hypercalls(struct user *user)
{
	uint32_t i;

	(void)user;
	for (i = 0; i < ROUNDS; i++)
		hv_version();
}

static void run_syscalls(struct user *user)
{
	uint32_t i;

	for (i = 0; i < ROUNDS; i++)
		CHECK_EQ(user_run_sysret(user), VECTOR_SYSCALL, "user");
}

/* The user stores to page after page, and each fault maps the one it is about. */
static void run_faults(struct user *user)
{
	uint64_t root = root_boot();
	uint64_t page = physical_of(page_alloc());
	uint64_t start = user->frame.rdi;
	uint32_t i;

	for (i = 0; i < ROUNDS; i++) {
		CHECK_EQ(user_run(user), VECTOR_PF, "user");
		CHECK_EQ(user->cr2, user->frame.rdi, "fault address");
		root_map(root, user->cr2, page, PTE_USER_RW);
	}
	/* The next run begins above, where nothing is mapped yet. */
	CHECK(user->frame.rdi > start, "the user got on");
}

static void print_times(void)
{
	struct user user;

	user_prepare(root_boot());
	printf("A hypercall that does nothing takes %lu ns,\n", time_best(run_hypercalls, NULL));
	user_init(&user, user_address(demo_user), 0);
	printf("a user's syscall into my kernel and back %lu ns,\n",
	       time_best(run_syscalls, &user));
	user_init(&user, user_address(demo_store), 0x10000000);
	printf("a page fault that my kernel resolves %lu ns.\n", time_best(run_faults, &user));
}

static void print_counters(void)
{
	static struct rf_counters counters;

	if (hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)))
		return;
	printf("For all that, vCPU 0 entered the hypervisor %lu times for a syscall, %lu for a\n",
	       counters.entries[RF_ENTRY_SYSCALL], counters.entries[RF_ENTRY_HYPERCALL]);
	printf("hypercall and %lu for a page fault, of which %lu were mine to see.\n",
	       counters.entries[RF_ENTRY_PAGE_FAULT], counters.faults);
}

void test_main(void)
{
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "version");
	print_start();
	start_vcpus();
	print_times();
	print_counters();
}
