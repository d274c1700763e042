// SPDX-License-Identifier: BSD-2-Clause
/* The hypervisor's counters. Both texts have the same lines in the same order. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "counters.h"
#include "operation.h"

static int file = -1;

void counters_open(void)
{
	file = open("/sys/kernel/ringfence/counters", O_RDONLY);
}

void counters_read(struct counters *counters)
{
	ssize_t size = 0;

	if (file >= 0)
		size = pread(file, counters->text, sizeof(counters->text) - 1, 0);
	operation_check(size >= 0, "the counters cannot be read");
	counters->text[size] = 0;
}

void counters_print(unsigned int run, const char *operation, const struct counters *before,
		    const struct counters *after)
{
	const char *old = before->text, *new = after->text;
	unsigned long long old_value, new_value;
	char name[64];
	int old_size, new_size;

	while (sscanf(old, "%*s %llu\n%n", &old_value, &old_size) == 1 &&
	       sscanf(new, "%63s %llu\n%n", name, &new_value, &new_size) == 2) {
		if (new_value != old_value)
			printf("bench: counter %u %s %s %llu\n", run, operation, name,
			       new_value - old_value);
		old += old_size;
		new += new_size;
	}
}
