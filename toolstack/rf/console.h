/* SPDX-License-Identifier: BSD-2-Clause */
/* The terminal of a domain (console.c). */
#ifndef TOOLSTACK_RF_CONSOLE_H
#define TOOLSTACK_RF_CONSOLE_H

#include "toolstack/rf/command.h"
#include "toolstack/rf/target.h"

#define CONSOLE_ESCAPE 0x1d /* Ctrl-] */

/* Until the domain ends or the escape is typed. */
enum status console_attach(const struct command *command, struct target *target);
/* All that is kept of a domain, or of the hypervisor's log, to standard output. */
enum status console_print(const struct command *command, struct target *target, uint32_t domain);

#endif
