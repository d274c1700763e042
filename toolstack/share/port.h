/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ports of event channels to other domains. Each is a file: readable when it was raised, and raised again
 * only after port_take(). Closing the file closes the port; the other end then listens again.
 */
#ifndef TOOLSTACK_SHARE_PORT_H
#define TOOLSTACK_SHARE_PORT_H

#include "toolstack/share/share.h"

/* A file that does not wait, or a negative error. *port is the number to tell the other domain. */
int port_listen(struct share *share, uint32_t domain, uint32_t *port);
int port_connect(struct share *share, uint32_t domain, uint32_t port);
/* 0, or a negative error; -ENOTCONN: nobody is at the other end. */
int port_send(int file);
/* Whether it was raised. */
bool port_take(int file);

#endif
