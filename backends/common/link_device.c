// SPDX-License-Identifier: BSD-2-Clause
/*
 * A link to a guest: ports and grants by the control device (abi/control_device.h), whose file serves this one domain
 * from the start. A port is one file for both directions.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/control_device.h"
#include "backends/common/link.h"

struct link_device {
	struct link link;
	uint32_t domain;
	int file;
};

static struct link_device *link_device_of(struct link *link)
{
	return (struct link_device *)link;
}

static int link_device_map(struct link *link, struct link_memory *memory)
{
	struct link_device *this = link_device_of(link);
	struct rf_control_segment segment = { memory->grant, memory->first, memory->frames, 0 };
	struct rf_control_grant_map map = { .domain = this->domain,
					    .count = 1,
					    .segments = (uintptr_t)&segment,
					    .flags = memory->read_only ? 0 : RF_GRANT_MAP_WRITE };
	struct rf_control_grant_unmap unmap = { .domain = this->domain };
	int error;

	if (ioctl(this->file, RF_CONTROL_GRANT_MAP, &map) < 0)
		return -errno;
	memory->handle = map.offset;
	memory->address = mmap(NULL, (size_t)memory->frames * LINK_FRAME,
			       memory->read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED,
			       this->file, (off_t)map.offset);
	if (memory->address != MAP_FAILED)
		return 0;
	error = -errno;
	unmap.offset = map.offset;
	ioctl(this->file, RF_CONTROL_GRANT_UNMAP, &unmap);
	return error;
}

static void link_device_unmap(struct link *link, struct link_memory *memory)
{
	struct link_device *this = link_device_of(link);
	struct rf_control_grant_unmap unmap = { .domain = this->domain, .offset = memory->handle };

	munmap(memory->address, (size_t)memory->frames * LINK_FRAME);
	ioctl(this->file, RF_CONTROL_GRANT_UNMAP, &unmap);
}

static int link_device_connect(struct link *link, struct link_port *port)
{
	struct link_device *this = link_device_of(link);
	struct rf_control_event event = { .domain = this->domain, .port = port->port };

	if (ioctl(this->file, RF_CONTROL_EVENT_CONNECT, &event) < 0)
		return -errno;
	port->file = event.file;
	return 0;
}

static void link_device_disconnect(struct link *link, struct link_port *port)
{
	(void)link;
	close(port->file);
}

static void link_device_send(struct link *link, const struct link_port *port)
{
	uint64_t one = 1;

	(void)link;
	/* Nobody is connected any more: then the store will say so. */
	if (write(port->file, &one, sizeof(one)) < 0)
		return;
}

static void link_device_close(struct link *link)
{
	close(link_device_of(link)->file);
	free(link);
}

static const struct link_methods link_device_methods = {
	link_device_map,	link_device_unmap, link_device_connect,
	link_device_disconnect, link_device_send,  link_device_close,
};

static int link_device_lock(uint32_t domain)
{
	struct rf_control_domain lock = { .domain = domain };
	int file = open(RF_CONTROL_DEVICE, O_RDWR | O_CLOEXEC);
	int error;

	if (file < 0 || ioctl(file, RF_CONTROL_LOCK, &lock) == 0)
		return file;
	error = errno;
	close(file);
	errno = error;
	return -1;
}

struct link *link_device_open(uint32_t domain)
{
	struct link_device *link;
	int file = link_device_lock(domain);

	if (file < 0)
		return NULL;
	link = calloc(1, sizeof(*link));
	if (!link) {
		close(file);
		errno = ENOMEM;
		return NULL;
	}
	link->link = (struct link){ &link_device_methods, true };
	link->domain = domain;
	link->file = file;
	return &link->link;
}
