/* SPDX-License-Identifier: BSD-2-Clause */
/* What most verbs begin with: the way to the hypervisor, and the domain they are about (target.c). */
#ifndef TOOLSTACK_RF_TARGET_H
#define TOOLSTACK_RF_TARGET_H

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/config.h"
#include "toolstack/rf/command.h"

struct target {
	struct access access;
	struct rf_domain_info info;
};

/* Opens, and finds the domain; a NULL word: none. Says what is wrong. In any case target_close. */
enum status target_open(const struct command *command, struct target *target, const char *word);
void target_close(struct target *target);
/* The configuration that the first word names, with the assignments of the others. In any case config_free. */
enum status target_read_config(const struct command *command, struct config *config);
/* Another domain on the same way. */
enum status target_find(const struct command *command, struct target *target, const char *word);
/* `NAME: what: why`, with the exit status for that error, negative. */
enum status target_fail(const struct command *command, const struct target *target,
			const char *what, int64_t error);
/* The end of a verb that has something done by the library: nothing to tell, or the report's error. */
enum status target_done(const struct command *command, enum status status,
			const struct report *report);
/* Each word of the command is a domain: `act` on all of them; the first failure's status. */
enum status target_each(struct command *command,
			enum status (*act)(struct command *command, struct target *target));
void target_sleep(double seconds);

#endif
