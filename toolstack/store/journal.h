/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct changes;
struct journal;
struct store;

/*
 * Opens the journal in a folder, which is made if need be, and does to the store, which is new, what its files say.
 * NULL: error says why, in that many bytes, and names the file and where in it. sync: what is acknowledged survives
 * the machine, not only the program.
 */
struct journal *journal_open(struct store *store, const char *folder, bool sync, char *error,
			     size_t error_size);
void journal_close(struct journal *journal);

/* Add one record each. 0, or ENOSPC or EIO and nothing has been added. journal may be NULL. */
int journal_changes(struct journal *journal, const struct changes *changes);
int journal_introduce(struct journal *journal, uint16_t domain, uint64_t frame, uint32_t port);
int journal_release(struct journal *journal, uint16_t domain);
int journal_target(struct journal *journal, uint16_t domain, uint16_t target);

/* What has been added is on the disk when this returns; no reply may leave before. Ends the program if it fails. */
void journal_sync(struct journal *journal);

/* Writes the whole store down and begins a new journal: if wanted, or if the journal has got long. */
int journal_compact(struct journal *journal, const struct store *store, bool wanted);

struct journal_counters {
	uint64_t sequence; /* records ever */
	uint64_t bytes;	   /* of the journal */
	uint64_t snapshot; /* bytes of the snapshot */
	uint64_t syncs;
};

struct journal_counters journal_count(const struct journal *journal);

#endif
