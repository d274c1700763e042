/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest prints, in a file: NAME.log in the folder of logs, and NAME.log.1, the one before (console_log.c).
 * Neither gets larger than the limit, however much is printed.
 */
#ifndef TOOLSTACK_RFD_CONSOLE_LOG_H
#define TOOLSTACK_RFD_CONSOLE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/report.h"

#define CONSOLE_LOG_SIZE (1U << 20)
#define CONSOLE_LOG_NOTE 80 /* bytes at most that we write ourselves, at once */

struct console_log {
	char name[RF_DOMAIN_NAME_SIZE];
	uint32_t domain;
	uint64_t serial;
	uint64_t limit; /* of a file's size */
	int file;
	int record;	   /* what is known about the file: see console_log.c */
	uint64_t position; /* in what the guest has printed */
	uint64_t inode;	   /* of the file, */
	uint64_t size;	   /* and how long it is */
	uint64_t lost;	   /* bytes that were not read in time, or could not be written */
	bool full;	   /* the disk was */
};

/* Goes on where this guest's log ended, also if another process wrote that. */
bool console_log_open(struct console_log *log, const struct rf_domain_info *info, uint64_t limit,
		      struct report *report);
/* Reads what was printed since, but no more than a few times: it may be without end. */
void console_log_take(struct console_log *log, struct access *access);
void console_log_close(struct console_log *log);
/* That the guest is gone: nobody will go on. */
void console_log_forget(uint32_t domain);

#endif
