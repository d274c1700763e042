/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYSTEM_BLOCK_FRONT_H
#define SYSTEM_BLOCK_FRONT_H

/*
 * A front end as a program of the same machine: the store's side of it by librfstore, memory and events handed to
 * rf-block over a socket (backends/common/link_socket.h). It survives back ends that die, as docs/io.md says.
 */
#include <stdbool.h>
#include <stdint.h>

#include "abi/io/block.h"
#include "backends/common/keys.h"
#include "backends/common/ring.h"

#define FRONT_SLOTS	  32
#define FRONT_POOL_FRAMES 1024
#define FRONT_PIECE	  (FRONT_POOL_FRAMES * 4096U / FRONT_SLOTS) /* of the pool, for each request */
#define FRONT_RING	  1
#define FRONT_POOL	  2
#define FRONT_PORT	  5

struct front_request {
	struct rf_block_request request;
	bool active;
};

struct front {
	struct rfstore *store;
	char folder[KEYS_PATH];
	char back[KEYS_PATH];
	int listener;
	int connection; /* of the worker; -1: none */
	int ring_file;
	int pool_file;
	int to_back;
	int to_front;
	uint8_t *ring_memory;
	uint8_t *pool;
	struct ring ring;
	enum keys_state state;
	enum keys_state other; /* the back end's, when it was looked at */
	uint64_t sectors;
	unsigned connects;
	struct front_request slot[FRONT_SLOTS];
	/* A response came; slot->active is false already. */
	void (*done)(struct front *front, unsigned slot, uint32_t status);
};

/* False: said why on stderr. */
bool front_open(struct front *front, const char *store, const char *domain, const char *id,
		const char *socket);
void front_say(struct front *front, enum keys_state state);
/* Waits for something, at most so long, and handles it: the store, the worker, responses. */
void front_turn(struct front *front, int milliseconds);
/* Until the other side is in that state. */
void front_until(struct front *front, enum keys_state other);
/* Puts a request of a slot into the ring; front_send() tells of it. */
void front_put(struct front *front, unsigned slot);
void front_send(struct front *front);
uint8_t *front_data(struct front *front, unsigned slot);
/* One request alone; its status. Its data are those of slot 0. */
uint32_t front_do(struct front *front, const struct rf_block_request *request);

#endif
