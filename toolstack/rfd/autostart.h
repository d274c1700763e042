/* SPDX-License-Identifier: BSD-2-Clause */
/* Starts the guests that are to start with the node (autostart.c). */
#ifndef TOOLSTACK_RFD_AUTOSTART_H
#define TOOLSTACK_RFD_AUTOSTART_H

#include "toolstack/rfd/daemon.h"

/* Once after the machine has started, however often the daemon is. */
void autostart_run(struct daemon *daemon);

#endif
