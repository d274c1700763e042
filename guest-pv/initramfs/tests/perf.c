// SPDX-License-Identifier: GPL-2.0
/* Software events of perf: counted, sampled by the clock, read from a shared page; none of hardware. */
#define _GNU_SOURCE
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "check.h"

#define PAGE  4096UL
#define PAGES 64UL

static int event(struct perf_event_attr attributes)
{
	attributes.size = sizeof(attributes);
	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1, 0);
}

static int software(uint64_t number)
{
	int file = event((struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE, .config = number });

	if (file < 0 && (errno == ENOSYS || errno == EACCES))
		_exit(SKIPPED);
	check(file >= 0);
	return file;
}

static uint64_t count_of(int file)
{
	uint64_t count;

	check(read(file, &count, sizeof(count)) == sizeof(count));
	return count;
}

static __attribute__((noinline)) void spin(void)
{
	for (volatile unsigned long i = 0; i < 30000000; i = i + 1)
		;
}

static void test_counts(void)
{
	int faults = software(PERF_COUNT_SW_PAGE_FAULTS);
	int switches = software(PERF_COUNT_SW_CONTEXT_SWITCHES);
	int clock = software(PERF_COUNT_SW_TASK_CLOCK);
	uint64_t before, after;
	char *memory = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	check(memory != MAP_FAILED);
	before = count_of(faults);
	for (unsigned long i = 0; i < PAGES; i++)
		memory[i * PAGE] = 1;
	after = count_of(faults);
	/* Each once, although the hypervisor faults on its own account. */
	check(after - before >= PAGES && after - before <= PAGES + 4);

	before = count_of(switches);
	/* On a slow machine a short sleep may be over before it has begun. */
	for (unsigned i = 0; i < 5; i++)
		usleep(20000);
	check(count_of(switches) - before >= 5);
	before = count_of(clock);
	spin();
	check(count_of(clock) > before + 1000000);
}

/* Samples say where the program was; it was in spin() nearly all the time. */
static void test_samples(void)
{
	int file = event((struct perf_event_attr){ .type = PERF_TYPE_SOFTWARE,
						   .config = PERF_COUNT_SW_CPU_CLOCK,
						   .sample_period = 1000000,
						   .sample_type = PERF_SAMPLE_IP,
						   .exclude_kernel = 1,
						   .exclude_hv = 1 });
	struct perf_event_mmap_page *page;
	unsigned long within = 0, all = 0;
	uint8_t *data;

	check(file >= 0);
	page = mmap(NULL, 17 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	check(page != MAP_FAILED);
	data = (uint8_t *)page + PAGE;
	spin();
	check(ioctl(file, PERF_EVENT_IOC_DISABLE, 0) == 0);
	for (uint64_t at = 0; at < page->data_head && at < 16 * PAGE;) {
		struct perf_event_header *header = (struct perf_event_header *)(data + at);

		check(header->size >= sizeof(*header));
		if (header->type == PERF_RECORD_SAMPLE) {
			uint64_t ip = *(uint64_t *)(header + 1);

			all++;
			within += ip >= (uintptr_t)spin && ip < (uintptr_t)spin + 256;
		}
		at += header->size;
	}
	check(all >= 3 && within * 2 > all);
}

int main(void)
{
	test_counts();
	test_samples();
	/* If there are some, they count; if not, the answer says so. */
	int file = event((struct perf_event_attr){ .type = PERF_TYPE_HARDWARE,
						   .config = PERF_COUNT_HW_CPU_CYCLES });

	check(file >= 0 || errno == ENOENT || errno == EOPNOTSUPP);
	return 0;
}
