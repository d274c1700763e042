// SPDX-License-Identifier: BSD-2-Clause
/*
 * Hypercalls by way of the Linux driver: abi/control_device.h has a structure for each that a program may
 * make, into which the arguments go here.
 *
 * Interface: access.h. Locks: none; a program may make several calls at once.
 * Odd: a driver that was built with another version of a structure does not know the call at all, since
 * its number says the size.
 */
#include "toolstack/lib/access.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "abi/control_device.h"

static const char *help_for(int error)
{
	if (error == ENOENT)
		return ": this is not the control domain of Ringfence, or its Linux has no driver "
		       "for it";
	if (error == EACCES || error == EPERM)
		return ": only root may";
	return "";
}

static int64_t call_driver(const struct access *access, uint32_t command, void *argument)
{
	int result = ioctl(access->device, command, argument);

	return result < 0 ? -errno : result;
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

/* --- One for each */

static int64_t create(const struct access *access, const uint64_t *a)
{
	struct rf_control_create c = { .flags = RF_CONTROL_CREATE_FLEETING };
	int64_t result;

	memcpy(&c.config, pointer(a[0]), sizeof(c.config));
	result = call_driver(access, RF_CONTROL_DOMAIN_CREATE, &c);
	return result < 0 ? result : c.domain;
}

static int64_t set(const struct access *access, const uint64_t *a)
{
	struct rf_control_set c = { .domain = (uint32_t)a[0] };

	memcpy(&c.set, pointer(a[1]), sizeof(c.set));
	return call_driver(access, RF_CONTROL_DOMAIN_SET, &c);
}

static int64_t copy(const struct access *access, const uint64_t *a)
{
	struct rf_control_copy c = {
		.domain = (uint32_t)a[0],
		.count = (uint32_t)a[2],
		.operations = a[1],
	};

	return call_driver(access, RF_CONTROL_DOMAIN_COPY, &c);
}

static int64_t trigger(const struct access *access, const uint64_t *a)
{
	struct rf_control_trigger c = {
		.domain = (uint32_t)a[0],
		.what = (uint32_t)a[1],
		.argument = a[2],
		.length = a[3],
	};

	return call_driver(access, RF_CONTROL_DOMAIN_TRIGGER, &c);
}

static int64_t info(const struct access *access, const uint64_t *a)
{
	struct rf_control_info c = { .domain = (uint32_t)a[0] };
	int64_t result = call_driver(access, RF_CONTROL_DOMAIN_INFO, &c);

	if (result >= 0)
		memcpy(pointer(a[1]), &c.info, sizeof(c.info));
	return result;
}

static int64_t destroy(const struct access *access, const uint64_t *a)
{
	struct rf_control_domain c = { .domain = (uint32_t)a[0] };

	return call_driver(access, RF_CONTROL_DOMAIN_DESTROY, &c);
}

static int64_t read_console(const struct access *access, const uint64_t *a)
{
	struct rf_control_console c = {
		.domain = (uint32_t)a[0],
		.length = (uint32_t)a[2],
		.text = a[1],
		.position = *(uint64_t *)pointer(a[3]),
	};
	int64_t result = call_driver(access, RF_CONTROL_CONSOLE_READ, &c);

	if (result >= 0)
		*(uint64_t *)pointer(a[3]) = c.position;
	return result;
}

static int64_t counters(const struct access *access, const uint64_t *a)
{
	struct rf_control_counters c = { .domain = (uint32_t)a[0], .vcpu = (uint32_t)a[1] };
	int64_t result = call_driver(access, RF_CONTROL_COUNTERS, &c);

	if (result >= 0)
		memcpy(pointer(a[2]), &c.counters, sizeof(c.counters));
	return result;
}

static int64_t memory(const struct access *access, uint32_t command, const uint64_t *a)
{
	struct rf_control_memory c = {
		.domain = (uint32_t)a[0],
		.count = (uint32_t)a[2],
		.extents = a[1],
	};

	return call_driver(access, command, &c);
}

static int64_t keep(struct access *access, uint32_t domain)
{
	struct rf_control_domain c = { .domain = domain };

	return call_driver(access, RF_CONTROL_DOMAIN_KEEP, &c);
}

static int64_t call(struct access *access, uint32_t number, const uint64_t *arguments)
{
	switch (number) {
	case RF_HYPERCALL_domain_create:
		return create(access, arguments);
	case RF_HYPERCALL_domain_set:
		return set(access, arguments);
	case RF_HYPERCALL_domain_copy:
		return copy(access, arguments);
	case RF_HYPERCALL_domain_trigger:
		return trigger(access, arguments);
	case RF_HYPERCALL_domain_info:
		return info(access, arguments);
	case RF_HYPERCALL_domain_destroy:
		return destroy(access, arguments);
	case RF_HYPERCALL_console_read:
		return read_console(access, arguments);
	case RF_HYPERCALL_counters:
		return counters(access, arguments);
	case RF_HYPERCALL_memory_populate:
		return memory(access, RF_CONTROL_MEMORY_POPULATE, arguments);
	case RF_HYPERCALL_memory_release:
		return memory(access, RF_CONTROL_MEMORY_RELEASE, arguments);
	default:
		return -ENOSYS;
	}
}

/* --- The way there */

bool access_open(struct access *access, struct report *report)
{
	int device = open(RF_CONTROL_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (device < 0)
		return report_fail(report, "%s: %s%s", RF_CONTROL_DEVICE, strerror(errno),
				   help_for(errno));
	*access = (struct access){ .call = call, .keep = keep, .device = device };
	return true;
}

void access_close(struct access *access)
{
	if (access->device >= 0)
		close(access->device);
	access->device = -1;
}

int access_keep(struct access *access, uint32_t domain)
{
	return access->keep ? (int)access->keep(access, domain) : 0;
}

bool access_wait(struct access *access, int other, unsigned milliseconds)
{
	struct pollfd files[] = {
		{ .fd = other, .events = POLLIN },
		{ .fd = access->device, .events = POLLIN },
	};
	uint64_t news;

	if (poll(files, 2, (int)milliseconds) <= 0)
		return false;
	/* How many there are is the same to all: who waits looks at everything. */
	if (files[1].revents)
		while (read(access->device, &news, sizeof(news)) < 0 && errno == EINTR)
			;
	return files[0].revents != 0;
}
