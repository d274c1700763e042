/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYSTEM_BLOCK_FRONT_H
#define SYSTEM_BLOCK_FRONT_H

/*
 * A front end of a disk as a program of the same machine (face.h). It survives back ends that die, as docs/io.md says.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/io/block.h"
#include "backends/common/ring.h"
#include "tests/system/face/face.h"

#define FRONT_SLOTS	  32
#define FRONT_POOL_FRAMES 1024
#define FRONT_PIECE	  (FRONT_POOL_FRAMES * 4096U / FRONT_SLOTS) /* of the pool, for each request */
#define FRONT_RING	  1
#define FRONT_POOL	  2

struct front_request {
	struct rf_block_request request;
	bool active;
};

struct front {
	struct face face;
	struct ring ring;
	uint64_t sectors;
	unsigned connects;
	struct front_request slot[FRONT_SLOTS];
	/* A response came; slot->active is false already. */
	void (*done)(struct front *front, unsigned slot, uint32_t status);
};

/* False: said why on stderr. */
bool front_open(struct front *front, const char *store, const char *domain, const char *id,
		const char *socket);
/* Puts a request of a slot into the ring; front_send() tells of it. */
void front_put(struct front *front, unsigned slot);
void front_send(struct front *front);
uint8_t *front_data(struct front *front, unsigned slot);
/* One request alone; its status. Its data are those of slot 0. */
uint32_t front_do(struct front *front, const struct rf_block_request *request);

#endif
