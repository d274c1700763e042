// SPDX-License-Identifier: BSD-2-Clause
/*
 * The file by which a program shares memory and events with other domains.
 *
 * Interface: share.h. Locks: none; threads may make calls at once.
 */
#include "toolstack/share/share.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/domain.h"

static int64_t call(struct share *share, uint32_t command, void *argument)
{
	int result = ioctl(share->device, command, argument);

	return result < 0 ? -errno : result;
}

static void *show(struct share *share, uint64_t offset, size_t size, bool write)
{
	void *memory = mmap(NULL, size, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED,
			    share->device, (off_t)offset);

	return memory == MAP_FAILED ? NULL : memory;
}

static void hide(struct share *share, void *memory, size_t size)
{
	(void)share;
	munmap(memory, size);
}

int share_open(struct share *share)
{
	*share = (struct share){ .call = call, .show = show, .hide = hide };
	share->device = open(RF_CONTROL_DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	return share->device < 0 ? -errno : 0;
}

void share_close(struct share *share)
{
	if (share->device >= 0)
		close(share->device);
	share->device = -1;
}

int share_lock(struct share *share, uint32_t domain)
{
	struct rf_control_domain c = { .domain = domain };

	return (int)share->call(share, RF_CONTROL_LOCK, &c);
}

uint64_t share_serial(struct share *share, uint32_t domain)
{
	struct rf_control_info c = { .domain = domain };

	return share->call(share, RF_CONTROL_DOMAIN_INFO, &c) < 0 ? 0 : c.info.serial;
}

bool share_take_news(struct share *share)
{
	uint64_t count;

	return read(share->device, &count, sizeof(count)) == sizeof(count);
}
