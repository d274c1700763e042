/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_RFD_FAKE_H
#define UNIT_RFD_FAKE_H

/*
 * A hypervisor for tests of the daemon: it has numbers, names, states and consoles, and may be asked by several
 * threads at once. Each way to it has news of its own, as the device does.
 */
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "abi/console.h"
#include "abi/counters.h"
#include "abi/memory.h"
#include "tests/unit/fake_arch/include/fake_elf.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/domain.h"

#define FAKE_NUMBERS 128
#define FAKE_WAYS    64
#define FAKE_READ    4096

struct fake_domain {
	struct rf_domain_info info;
	bool there;
	char console[RF_CONSOLE_RING]; /* byte n of what it printed is at n modulo the size */
	char typed[64];
	size_t taken;
};

static struct fake {
	pthread_mutex_t lock;
	struct fake_domain domains[FAKE_NUMBERS];
	uint64_t serial;
	uint64_t calls; /* so many hypercalls were made */
	uint32_t cap;	/* that was set last */
	bool no_memory;
	uint64_t floods;     /* bytes that guests print whenever their consoles are read */
	int news[FAKE_WAYS]; /* of those that were opened last */
	size_t ways;
	char folder[64];
} fake;

static inline void fake_news(void)
{
	pthread_mutex_lock(&fake.lock);
	for (size_t i = 0; i < FAKE_WAYS; i++)
		if (fake.news[i] > 0)
			eventfd_write(fake.news[i], 1);
	pthread_mutex_unlock(&fake.lock);
}

/* --- Hypercalls, with the lock held --- */

static inline int64_t fake_create(const struct rf_domain_config *config)
{
	for (uint32_t i = 1; i < FAKE_NUMBERS && !fake.no_memory; i++) {
		struct fake_domain *d = &fake.domains[i];

		if (d->there)
			continue;
		memset(d, 0, sizeof(*d));
		d->there = true;
		d->info = (struct rf_domain_info){ .domain = i,
						   .serial = ++fake.serial,
						   .state = RF_DOMAIN_PAUSED,
						   .vcpus = config->vcpus,
						   .machine_cpus = 4 };
		memcpy(d->info.name, config->name, sizeof(config->name));
		return i;
	}
	return -ENOMEM;
}

static inline int64_t fake_set(struct fake_domain *d, const struct rf_domain_set *set)
{
	if (set->mask & RF_SET_PAUSED)
		d->info.state = set->paused ? RF_DOMAIN_PAUSED : RF_DOMAIN_RUNNING;
	if (set->mask & RF_SET_NAME)
		memcpy(d->info.name, set->name, sizeof(set->name));
	if (set->mask & RF_SET_CAP)
		fake.cap = set->cap;
	return 0;
}

static inline void fake_print_locked(struct fake_domain *d, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++)
		d->console[d->info.console_bytes++ % RF_CONSOLE_RING] = text[i];
}

/* Not more than Linux's driver gives at once; and there may be a guest that goes on printing. */
static inline int64_t fake_read(struct fake_domain *d, char *text, uint64_t size,
				uint64_t *position)
{
	uint64_t end = d->info.console_bytes, n;

	size = size < FAKE_READ ? size : FAKE_READ;
	for (n = 0; n < fake.floods; n++)
		fake_print_locked(d, "y", 1);
	if (*position > end)
		*position = end;
	if (end - *position > RF_CONSOLE_RING)
		*position = end - RF_CONSOLE_RING;
	for (n = 0; n < size && *position < end; n++, ++*position)
		text[n] = d->console[*position % RF_CONSOLE_RING];
	return (int64_t)n;
}

static inline int64_t fake_trigger(struct fake_domain *d, uint64_t what, const char *text,
				   uint64_t size)
{
	if (d->info.state != RF_DOMAIN_RUNNING && d->info.state != RF_DOMAIN_PAUSED)
		return -EBUSY;
	if (what == RF_TRIGGER_INPUT) {
		size = size < sizeof(d->typed) - d->taken ? size : sizeof(d->typed) - d->taken;
		memcpy(d->typed + d->taken, text, size);
		d->taken += size;
		return (int64_t)size;
	}
	/* A well-behaved guest does as it is asked, at once. */
	if (what == RF_TRIGGER_POWEROFF || what == RF_TRIGGER_REBOOT) {
		d->info.state = RF_DOMAIN_SHUTDOWN;
		d->info.reason = what == RF_TRIGGER_REBOOT ? RF_SHUTDOWN_REBOOT
							   : RF_SHUTDOWN_POWEROFF;
	}
	return 0;
}

static inline int64_t fake_counters(uint64_t vcpu, struct rf_counters *counters)
{
	memset(counters, 0, sizeof(*counters));
	counters->entries[RF_ENTRY_REASONS - 1] = 7 + vcpu;
	counters->run_ns = 1500000000;
	counters->steal_ns = 500000000;
	counters->affinity = ~0ULL;
	return 0;
}

/* As the call names it: by its number, or as the next of those that are there. */
static inline struct fake_domain *fake_named(uint64_t id)
{
	uint64_t number = id < RF_DOMAIN_NEXT ? id : id - RF_DOMAIN_NEXT;

	while (id >= RF_DOMAIN_NEXT && number < FAKE_NUMBERS && !fake.domains[number].there)
		number++;
	return number < FAKE_NUMBERS ? &fake.domains[number] : NULL;
}

static inline int64_t fake_call_locked(uint32_t number, const uint64_t *a)
{
	struct fake_domain *d = number == RF_HYPERCALL_domain_create ? NULL : fake_named(a[0]);

	if (number == RF_HYPERCALL_domain_create)
		return fake_create((void *)(uintptr_t)a[0]);
	if (!d || !d->there)
		return -ESRCH;
	switch (number) {
	case RF_HYPERCALL_domain_info:
		*(struct rf_domain_info *)(uintptr_t)a[1] = d->info;
		return 0;
	case RF_HYPERCALL_domain_set:
		return fake_set(d, (void *)(uintptr_t)a[1]);
	case RF_HYPERCALL_domain_destroy:
		d->there = false;
		return 0;
	case RF_HYPERCALL_domain_trigger:
		return fake_trigger(d, a[1], (void *)(uintptr_t)a[2], a[3]);
	case RF_HYPERCALL_console_read:
		return fake_read(d, (void *)(uintptr_t)a[1], a[2], (void *)(uintptr_t)a[3]);
	case RF_HYPERCALL_counters:
		return fake_counters(a[1], (void *)(uintptr_t)a[2]);
	default: /* memory and copies: all of it */
		return (int64_t)a[2];
	}
}

static inline int64_t fake_call(struct access *access, uint32_t number, const uint64_t *arguments)
{
	int64_t result;

	(void)access;
	pthread_mutex_lock(&fake.lock);
	fake.calls++;
	result = fake_call_locked(number, arguments);
	pthread_mutex_unlock(&fake.lock);
	return result;
}

/* The way there; news come to it. A file that is closed and comes again for something else is not written to. */
static inline bool fake_open(struct access *access, struct report *report)
{
	int file = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), news = fcntl(file, F_DUPFD_CLOEXEC, 3);
	size_t way = 0;

	if (file < 0)
		return report_fail(report, "no eventfd: %s", strerror(errno));
	*access = (struct access){ .call = fake_call, .device = file };
	pthread_mutex_lock(&fake.lock);
	way = fake.ways++ % FAKE_WAYS;
	if (fake.news[way] > 0)
		close(fake.news[way]);
	fake.news[way] = news;
	pthread_mutex_unlock(&fake.lock);
	return true;
}

/* --- What guests do --- */

static inline void fake_print(uint32_t number, const char *text, size_t size)
{
	struct fake_domain *d = &fake.domains[number];

	pthread_mutex_lock(&fake.lock);
	fake_print_locked(d, text, size);
	pthread_mutex_unlock(&fake.lock);
	fake_news();
}

static inline void fake_end(uint32_t number, uint32_t state, uint32_t reason)
{
	pthread_mutex_lock(&fake.lock);
	fake.domains[number].info.state = state;
	fake.domains[number].info.reason = reason;
	pthread_mutex_unlock(&fake.lock);
	fake_news();
}

static inline struct rf_domain_info fake_info(uint32_t number)
{
	struct rf_domain_info info;

	pthread_mutex_lock(&fake.lock);
	info = fake.domains[number].info;
	if (!fake.domains[number].there)
		info.state = 0;
	pthread_mutex_unlock(&fake.lock);
	return info;
}

/* --- Beginning and end of a test --- */

/* With a folder of its own, and a kernel in it. */
static inline void fake_begin(const char *name)
{
	struct fake_elf elf;
	char path[96];
	FILE *file;

	memset(&fake, 0, sizeof(fake));
	pthread_mutex_init(&fake.lock, NULL);
	fake.domains[0].there = true;
	strcpy(fake.domains[0].info.name, "control");
	fake.domains[0].info.control = 1;
	fake.domains[0].info.vcpus = 1;
	fake.domains[0].info.state = RF_DOMAIN_RUNNING;
	snprintf(fake.folder, sizeof(fake.folder), "/tmp/%s.XXXXXX", name);
	assert_non_null(mkdtemp(fake.folder));
	setenv("RINGFENCE_STATE", fake.folder, 1);
	setenv("RINGFENCE_LOG", fake.folder, 1);
	setenv("RINGFENCE_DEFINITIONS", fake.folder, 1);
	snprintf(path, sizeof(path), "%s/kernel", fake.folder);
	fake_elf_init(&elf);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(&elf, sizeof(elf), 1, file), 1);
	fclose(file);
}

static inline void fake_finish(void)
{
	char command[128];

	for (size_t i = 0; i < FAKE_WAYS; i++)
		if (fake.news[i] > 0)
			close(fake.news[i]);
	snprintf(command, sizeof(command), "rm -r %s", fake.folder);
	assert_int_equal(system(command), 0);
}

#endif
