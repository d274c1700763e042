/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_TAP_H
#define BACKENDS_NET_TAP_H

/*
 * The control domain's end of an interface: packets are read from it and written to it, each with a header that says
 * what is left to be done (struct virtio_net_hdr). It has as many queues as an interface may have, of which those that
 * are used are attached. All are open before the jail.
 */
#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "abi/io/net.h"

#define TAP_PIECES (RF_NET_BUFFERS_MAX + 1)

struct tap {
	int file[RF_NET_QUEUES_MAX];
	unsigned files;
	bool plain; /* not a tap, but sockets with whole packets: for tests */
};

/* Zero or a negative error number. Makes it, for good, if it is not there. */
int tap_open(struct tap *tap, const char *name);
void tap_close(struct tap *tap);
/*
 * A file without packets, or a negative error number. While it is open the tap keeps its carrier, though nobody else
 * has it: else its bridge would forget who is behind it, and send to everybody what is for the guest.
 */
int tap_hold(const char *name);
/* How many queues packets come to, at least one; and what may be left to be done with them. */
int tap_use(struct tap *tap, unsigned queues, bool checksum, bool tcp4, bool tcp6);
/* Throws away what waits there, of so many packets at most. */
void tap_drain(struct tap *tap, unsigned queue, unsigned most);

#endif
