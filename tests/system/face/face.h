/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SYSTEM_FACE_H
#define SYSTEM_FACE_H

/*
 * What front ends have in common that are programs of the same machine: the store's side of them by librfstore, memory
 * and events handed to a back end over a socket (backends/common/link_socket.h), and the states of docs/io.md.
 */
#include <stdbool.h>
#include <stdint.h>

#include "backends/common/keys.h"

#define FACE_GRANTS 8
#define FACE_PORT   5 /* the only one that listens */

struct face;

/* What a class adds. */
struct face_class {
	const char *name;
	/* New rings, and their keys; then the state is 3. */
	void (*show)(struct face *face);
	/* The other side is connected; the state is 4 already. */
	void (*begin)(struct face *face);
	/* An event came, or might have. */
	void (*take)(struct face *face);
	/* True: there is something to take, without any event. */
	bool (*waits)(struct face *face);
};

struct face_grant {
	uint8_t *memory; /* NULL: it is none */
	uint32_t frames;
	int file;
};

struct face {
	const struct face_class *class;
	struct rfstore *store;
	char folder[KEYS_PATH];
	char back[KEYS_PATH];
	int listener;
	int connection; /* of the worker; -1: none */
	int to_back;
	int to_front;
	struct face_grant grant[FACE_GRANTS]; /* by number */
	enum keys_state state;
	enum keys_state other; /* the back end's, when it was looked at */
	unsigned refuse;       /* not zero: counts down with each question, and refuses the last */
};

/* False: said why on stderr. */
bool face_open(struct face *face, const struct face_class *class, const char *store,
	       const char *domain, const char *id, const char *socket);
bool face_grant(struct face *face, unsigned number, uint32_t frames);
void face_say(struct face *face, enum keys_state state);
/* Waits for something, at most so long, and handles it: the store, the worker, responses. */
void face_turn(struct face *face, int milliseconds);
/* Until the other side is in that state. */
void face_until(struct face *face, enum keys_state other);
/*
 * The back end has to let go, and to take the front end again when it starts anew. False: it did not say why it let
 * go.
 */
bool face_is_thrown_out(struct face *face);
/* An event to the back end. */
void face_kick(struct face *face);
/* No event came, as far as it was read. */
void face_drain(struct face *face);

#endif
