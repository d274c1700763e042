/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_FRONT_H
#define BACKENDS_COMMON_FRONT_H

/* What a front end wrote into its folder before it said that its rings are there. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "toolstack/store/client/rfstore.h"

/* What of it is a class's. `connect` is the class's structure, all zero at first. */
struct front_class {
	uint32_t version;
	uint32_t queues_max;
	/* What is not of a queue. */
	void (*read)(struct rfstore *store, const char *folder, uint32_t queues, void *connect);
	/* One queue, in its folder. The key that is wrong, or NULL. */
	const char *(*read_queue)(struct rfstore *store, const char *folder, uint32_t number,
				  void *connect);
};

/* False: the text says which key is wrong. */
bool front_read(const struct front_class *class, struct rfstore *store, const char *folder,
		void *connect, char *error, size_t size);

/* Keys that classes have. False: it is missing, no number, or out of range. */
bool front_number(struct rfstore *store, const char *folder, const char *name, uint64_t least,
		  uint64_t most, uint32_t *value);
bool front_port(struct rfstore *store, const char *folder, const char *name, uint32_t *value);
bool front_grant(struct rfstore *store, const char *folder, const char *name, uint32_t *value);
bool front_slots(struct rfstore *store, const char *folder, const char *name, uint32_t *value);

#endif
