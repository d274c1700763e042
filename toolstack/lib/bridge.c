// SPDX-License-Identifier: BSD-2-Clause
/*
 * Taps, and which bridge they are in, by what the kernel has for that.
 *
 * Interface: bridge.h. Locks: none. Odd: a tap stays, without anybody who has it open, until it is said not to; so
 * a back end may die and find it as it was.
 */
#include "toolstack/lib/bridge.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static bool fail(struct report *report, const char *what, const char *name)
{
	return report_fail(report, "%s %s: %s", what, name, strerror(errno));
}

static struct ifreq request_for(const char *name)
{
	struct ifreq request;

	memset(&request, 0, sizeof(request));
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return request;
}

static int open_tap(const char *name)
{
	struct ifreq request = request_for(name);
	int file = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE;
	if (file < 0 || ioctl(file, TUNSETIFF, &request) == 0)
		return file;
	close(file);
	return -1;
}

static bool make_tap(const char *name, struct report *report)
{
	int file = open_tap(name);
	bool good = file >= 0 && ioctl(file, TUNSETPERSIST, 1) == 0;

	if (!good)
		fail(report, "tap", name);
	if (file >= 0)
		close(file);
	return good;
}

static bool set_up(int socket, const char *name)
{
	struct ifreq request = request_for(name);

	if (ioctl(socket, SIOCGIFFLAGS, &request) < 0)
		return false;
	request.ifr_flags |= IFF_UP;
	return ioctl(socket, SIOCSIFFLAGS, &request) == 0;
}

static bool set_mtu(int socket, const char *name, unsigned mtu)
{
	struct ifreq request = request_for(name);

	request.ifr_mtu = (int)mtu;
	return ioctl(socket, SIOCSIFMTU, &request) == 0;
}

static bool join(int socket, const char *bridge, const char *tap)
{
	struct ifreq request = request_for(bridge);

	request.ifr_ifindex = (int)if_nametoindex(tap);
	return ioctl(socket, SIOCBRADDIF, &request) == 0 || errno == EBUSY;
}

static bool configure(int socket, const char *bridge, const char *tap, unsigned mtu,
		      struct report *report)
{
	if (!set_mtu(socket, tap, mtu) || (bridge && !join(socket, bridge, tap)) ||
	    !set_up(socket, tap))
		return fail(report, "tap", tap);
	return true;
}

bool bridge_attach(const char *bridge, const char *tap, unsigned mtu, struct report *report)
{
	int file;
	bool good;

	if (!make_tap(tap, report))
		return false;
	file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	good = configure(file, bridge, tap, mtu, report);
	close(file);
	if (!good)
		bridge_detach(tap);
	return good;
}

void bridge_detach(const char *tap)
{
	int file;

	/* Opening makes it, if it is not there. */
	if (!if_nametoindex(tap))
		return;
	file = open_tap(tap);
	if (file < 0)
		return;
	ioctl(file, TUNSETPERSIST, 0);
	close(file);
}
