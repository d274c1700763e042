// SPDX-License-Identifier: BSD-2-Clause
/*
 * A tap interface with a header on each packet, and one file for each queue.
 *
 * Odd: a file that is open is attached, unless it is detached explicitly; so one that nobody reads would have its share
 * of the packets. The first one stays attached always, since a tap without any loses its settings.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "backends/net/tap.h"

/* A queue's file, or a negative error number. */
static int tap_open_queue(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
					      IFF_MULTI_QUEUE };
	int file, error;

	if (!*name || strlen(name) >= IFNAMSIZ)
		return -ENAMETOOLONG;
	file = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (file < 0)
		return -errno;
	strcpy(request.ifr_name, name);
	if (ioctl(file, TUNSETIFF, &request) == 0)
		return file;
	error = -errno;
	close(file);
	return error;
}

static int tap_attach(int file, bool attached)
{
	struct ifreq request = { .ifr_flags = attached ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE };

	/* It is so already. */
	if (ioctl(file, TUNSETQUEUE, &request) < 0 && errno != EINVAL)
		return -errno;
	return 0;
}

/* It stays when this process dies, and its bridge does not forget it. */
static int tap_configure(struct tap *tap)
{
	int size = sizeof(struct virtio_net_hdr);

	if (ioctl(tap->file[0], TUNSETVNETHDRSZ, &size) < 0 ||
	    ioctl(tap->file[0], TUNSETPERSIST, 1) < 0)
		return -errno;
	return 0;
}

int tap_open(struct tap *tap, const char *name)
{
	int error = 0;

	while (!error && tap->files < RF_NET_QUEUES_MAX) {
		int file = tap_open_queue(name);

		if (file < 0)
			error = file;
		else
			tap->file[tap->files++] = file;
	}
	if (!error)
		error = tap_configure(tap);
	if (!error)
		error = tap_use(tap, 1, false, false, false);
	if (error)
		tap_close(tap);
	return error;
}

int tap_hold(const char *name)
{
	int file = tap_open_queue(name), error;

	if (file < 0)
		return file;
	error = tap_attach(file, false);
	if (!error)
		return file;
	close(file);
	return error;
}

void tap_close(struct tap *tap)
{
	for (unsigned i = 0; i < tap->files; i++)
		close(tap->file[i]);
	tap->files = 0;
}

int tap_use(struct tap *tap, unsigned queues, bool checksum, bool tcp4, bool tcp6)
{
	unsigned long offload = 0;
	int error = 0;

	if (tap->plain)
		return 0;
	if (checksum)
		offload |= TUN_F_CSUM;
	if (checksum && tcp4)
		offload |= TUN_F_TSO4 | TUN_F_TSO_ECN;
	if (checksum && tcp6)
		offload |= TUN_F_TSO6 | TUN_F_TSO_ECN;
	for (unsigned i = 1; i < tap->files && !error; i++)
		error = tap_attach(tap->file[i], i < queues);
	if (!error && ioctl(tap->file[0], TUNSETOFFLOAD, offload) < 0)
		error = -errno;
	return error;
}

void tap_drain(struct tap *tap, unsigned queue, unsigned most)
{
	char byte;

	/* The rest of a packet that is not read is gone. */
	for (unsigned i = 0; i < most; i++) {
		struct virtio_net_hdr header;
		struct iovec piece[2] = { { &header, sizeof(header) }, { &byte, 1 } };

		if (readv(tap->file[queue], piece, 2) < 0)
			return;
	}
}
