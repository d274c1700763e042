/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UNIT_BLOCK_LOG_H
#define UNIT_BLOCK_LOG_H

/*
 * A disk with a cache that forgets, in place of the file behind an image: everything is done in memory, in an order
 * that the test chooses, and at any moment it can say what would be on the disk if the power went.
 *
 * A sector keeps what is durable and what was written since (also by writes that are under way): after a
 * power cut it is any one of these, each sector for itself, so writes are torn at 512 bytes.
 */
#include "block_front.h"

#define LOG_SECTORS  256
#define LOG_VERSIONS 64
#define LOG_WAITING  64

/* Of each sector the first eight bytes count: that is all that these tests write. */
struct log_sector {
	uint64_t now;	  /* as it is read */
	uint64_t durable; /* at least that */
	uint64_t since[LOG_VERSIONS];
	uint64_t done_at[LOG_VERSIONS];
	unsigned versions;
};

struct log_operation {
	struct engine_operation *operation;
	uint64_t began;
};

struct log_engine {
	struct engine engine;
	struct log_sector sector[LOG_SECTORS];
	uint64_t clock; /* counts what happens */
	struct log_operation waiting[LOG_WAITING];
	unsigned count;
	uint64_t random;
	bool short_transfers;
	bool lies; /* a sync does nothing */
	int sync_error;
	int write_error;
	unsigned syncs;
};

static inline void log_start(struct engine *engine, struct engine_operation *operation)
{
	struct log_engine *log = (struct log_engine *)engine;

	assert_true(log->count < LOG_WAITING);
	log->waiting[log->count++] = (struct log_operation){ operation, ++log->clock };
}

static inline void log_close(struct engine *engine)
{
	(void)engine;
}

/* Of a disk that lies the oldest are forgotten, for want of room. */
static inline void log_write(struct log_engine *log, struct log_sector *sector, uint64_t value)
{
	if (log->lies && sector->versions == LOG_VERSIONS)
		sector->versions = 0;
	assert_true(sector->versions < LOG_VERSIONS);
	sector->since[sector->versions] = value;
	sector->done_at[sector->versions++] = ++log->clock;
	sector->now = value;
}

/* The first so many versions. */
static inline void log_make_durable(struct log_sector *sector, unsigned count)
{
	if (!count)
		return;
	sector->durable = sector->since[count - 1];
	sector->versions -= count;
	memmove(sector->since, sector->since + count, sector->versions * sizeof(uint64_t));
	memmove(sector->done_at, sector->done_at + count, sector->versions * sizeof(uint64_t));
}

/* What was done before it began; what was done since may be lost, and is. */
static inline void log_sync(struct log_engine *log, uint64_t began)
{
	log->syncs++;
	for (unsigned i = 0; i < LOG_SECTORS && !log->lies; i++) {
		struct log_sector *sector = &log->sector[i];
		unsigned count = 0;

		while (count < sector->versions && sector->done_at[count] < began)
			count++;
		log_make_durable(sector, count);
	}
}

static inline uint64_t *log_place(const struct engine_operation *operation, uint64_t byte)
{
	const struct iovec *piece = operation->piece;

	while (byte >= piece->iov_len)
		byte -= (piece++)->iov_len;
	return (uint64_t *)((uint8_t *)piece->iov_base + byte);
}

static inline uint64_t log_length(const struct engine_operation *operation)
{
	uint64_t bytes = 0;

	for (unsigned i = 0; i < operation->pieces; i++)
		bytes += operation->piece[i].iov_len;
	return bytes;
}

static inline int log_transfer(struct log_engine *log, const struct engine_operation *operation)
{
	uint64_t bytes = log_length(operation);

	if (log->short_transfers && bytes > 512)
		bytes = 512 * (1 + unit_random(&log->random) % (bytes / 512));
	for (uint64_t byte = 0; byte < bytes; byte += 512) {
		uint64_t number = (operation->offset + byte) / 512;
		struct log_sector *sector = &log->sector[number];

		if (operation->kind == ENGINE_READ) {
			*log_place(operation, byte) = sector->now;
			continue;
		}
		log_write(log, sector, *log_place(operation, byte));
		if (operation->durable)
			log_make_durable(sector, sector->versions);
	}
	return (int)bytes;
}

static inline int log_zero(struct log_engine *log, const struct engine_operation *operation)
{
	for (uint64_t byte = 0; byte < operation->bytes; byte += 512)
		log_write(log, &log->sector[(operation->offset + byte) / 512], 0);
	return 0;
}

static inline int log_perform(struct log_engine *log, const struct log_operation *waiting)
{
	const struct engine_operation *operation = waiting->operation;

	if (operation->kind == ENGINE_WRITE && log->write_error)
		return log->write_error;
	if (operation->kind == ENGINE_SYNC && log->sync_error)
		return log->sync_error;
	if (operation->kind == ENGINE_SYNC)
		log_sync(log, waiting->began);
	else if (operation->kind == ENGINE_ALLOCATE)
		return log_zero(log, operation);
	else
		return log_transfer(log, operation);
	return 0;
}

/* One that waits, any, is done. False: there is none. */
static inline bool log_complete(struct log_engine *log)
{
	struct log_operation waiting;
	unsigned which;

	if (!log->count)
		return false;
	which = (unsigned)(unit_random(&log->random) % log->count);
	waiting = log->waiting[which];
	log->waiting[which] = log->waiting[--log->count];
	waiting.operation->done(waiting.operation, log_perform(log, &waiting));
	return true;
}

/* What a sector might hold after a power cut now: number 0 is what is durable. */
static inline uint64_t log_version(const struct log_engine *log, unsigned sector, unsigned number)
{
	return number ? log->sector[sector].since[number - 1] : log->sector[sector].durable;
}

/* Writes that have begun may be there, too. */
static inline bool log_under_way(const struct log_engine *log, unsigned sector, uint64_t *value)
{
	for (unsigned i = 0; i < log->count; i++) {
		const struct engine_operation *operation = log->waiting[i].operation;
		uint64_t first = operation->offset / 512;

		if (operation->kind != ENGINE_WRITE || sector < first ||
		    sector >= first + log_length(operation) / 512)
			continue;
		*value = *log_place(operation, (sector - first) * 512);
		return true;
	}
	return false;
}

static inline void log_turn(struct front *front)
{
	/* Nothing wakes its loop. */
	loop_turn(&front->disk.common.loop, false);
	disk_look(&front->disk);
}

/* A disk with such a thing behind it. */
static inline void log_open(struct front *front, struct log_engine *log)
{
	front_open(front, LOG_SECTORS * 512);
	front->disk.common.image.engine->close(front->disk.common.image.engine);
	*log = (struct log_engine){ .engine = { log_start, log_close },
				    .random = 88172645463325252ULL };
	front->disk.common.image.engine = &log->engine;
}

#endif
