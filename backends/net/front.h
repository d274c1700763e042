/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_NET_FRONT_H
#define BACKENDS_NET_FRONT_H

/* What the front end of an interface writes into its folder. */
#include "backends/common/front.h"

/* Reads a struct message_connect. */
extern const struct front_class front_interface;

#endif
