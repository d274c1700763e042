// SPDX-License-Identifier: BSD-2-Clause
/*
 * Time to start and memory, as the kernel and the hypervisor tell. Xen is asked by its own calls, with
 * the little of its interface that is needed declared here.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "facts.h"
#include "operation.h"

#define PROCESSES	    32
#define RINGFENCE_MEMORY    "/sys/kernel/ringfence/memory"

#define XEN_MEMORY_OP	    12
#define XEN_RESERVATION	    3
#define XEN_SYSCTL	    35
#define XEN_PHYSICAL	    3
#define XEN_SYSCTL_VERSION  0x15 /* of Xen 4.17 */
#define XEN_SELF	    0x7ff0
#define XEN_IOCTL_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct xen_call))

struct xen_call {
	uint64_t number;
	uint64_t arguments[5];
};

struct xen_sysctl {
	uint32_t command;
	uint32_t version;
	uint32_t processors[10];
	uint64_t total_pages;
	uint64_t free_pages;
	uint64_t rest[32];
};

static unsigned long read_number(const char *path, const char *format)
{
	char line[128];
	unsigned long number = 0;
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, format, &number) == 1)
			break;
	if (file)
		fclose(file);
	return number;
}

/* The cycle counter starts with the machine, and counts instructions under -icount. */
void facts_print_first(unsigned long cycles)
{
	printf("bench: fact boot_cycles %lu\n", cycles);
	printf("bench: fact memory_kilobytes %lu\n", read_number("/proc/meminfo", "MemTotal: %lu"));
}

static void start_processes(pid_t *children)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		children[i] = fork();
		operation_check(children[i] >= 0, "fork");
		if (children[i] == 0)
			for (;;)
				pause();
	}
	/* All of them have run when the first ones sleep. */
	usleep(100000);
}

static void end_processes(const pid_t *children)
{
	unsigned int i;

	for (i = 0; i < PROCESSES; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

/* Small processes that do nothing; only Ringfence has shadows that it can be asked about. */
static void print_shadows(void)
{
	unsigned long before, after;
	pid_t children[PROCESSES];

	if (access(RINGFENCE_MEMORY, R_OK) != 0)
		return;
	before = read_number(RINGFENCE_MEMORY, "shadow_frames_used %lu");
	start_processes(children);
	after = read_number(RINGFENCE_MEMORY, "shadow_frames_used %lu");
	end_processes(children);
	printf("bench: fact shadow_bytes_per_process %lu\n", (after - before) * 4096 / PROCESSES);
}

static long call_xen(int file, uint64_t number, uint64_t first, uint64_t second)
{
	struct xen_call call = { .number = number, .arguments = { first, second } };

	return ioctl(file, XEN_IOCTL_HYPERCALL, &call);
}

/* All memory but what is free and what this domain has is Xen's own. */
static void print_xen(void)
{
	struct xen_sysctl sysctl = { .command = XEN_PHYSICAL, .version = XEN_SYSCTL_VERSION };
	uint16_t self = XEN_SELF;
	int file = open("/dev/xen/privcmd", O_RDWR | O_CLOEXEC);
	long pages;

	if (file < 0)
		return;
	mlockall(MCL_CURRENT);
	pages = call_xen(file, XEN_MEMORY_OP, XEN_RESERVATION, (uintptr_t)&self);
	if (pages > 0 && call_xen(file, XEN_SYSCTL, (uintptr_t)&sysctl, 0) == 0)
		printf("bench: fact hypervisor_kilobytes %lu\n",
		       (sysctl.total_pages - sysctl.free_pages - pages) * 4);
	munlockall();
	close(file);
}

void facts_print_last(void)
{
	print_shadows();
	print_xen();
}
