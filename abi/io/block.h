/* SPDX-License-Identifier: MIT */
/*
 * Disks: what is in the slots of a ring (ring.h) of class "block". The keys of the store that go with it, and the
 * order of things, are in docs/io.md.
 *
 * A sector is 512 bytes, always. A request is about a range of them; both its ends are multiples
 * of the disk's `sector-size`, and it ends within the disk. Its data, if it has any, are in segments: bytes of
 * the front end's grants, one after the other. A segment that names the queue's pool is there already, and costs no
 * grant operation; any other grant is mapped for this request and unmapped before its response (only
 * if the back end says `feature-grants`); those of a write need not be granted for writing. The back end reads
 * and writes the data where they are: they must not change while the request is under way, or what gets to the
 * disk is any mixture.
 *
 * A write is done when its response comes, and durable when a flush that was asked for after that response is
 * answered; one with RF_BLOCK_FUA is durable with its own response. Requests that are under way
 * together are done in any order. There is no barrier but waiting.
 *
 * A request that breaks a rule is answered with RF_BLOCK_INVALID, and does nothing.
 */
#ifndef RINGFENCE_ABI_IO_BLOCK_H
#define RINGFENCE_ABI_IO_BLOCK_H

#include <stdint.h>

#include "ring.h"

#define RF_BLOCK_VERSION      1 /* key `version` */
#define RF_BLOCK_SECTOR	      512
#define RF_BLOCK_QUEUES_MAX   16      /* of a disk */
#define RF_BLOCK_SEGMENTS_MAX 8	      /* of a request */
#define RF_BLOCK_BYTES_MAX    1048576 /* of data of a request */
#define RF_BLOCK_POOL_MAX     1024    /* frames of a queue's pool */

/* Operations. Those with a feature are refused where the back end does not have that feature. */
#define RF_BLOCK_READ	      0
#define RF_BLOCK_WRITE	      1
#define RF_BLOCK_FLUSH	      2 /* feature-flush; sector and sectors are zero */
#define RF_BLOCK_DISCARD      3 /* feature-discard: what is read there afterwards is not known */
#define RF_BLOCK_WRITE_ZEROES 4 /* feature-write-zeroes */
#define RF_BLOCK_OPERATIONS   5

/* Flags. */
#define RF_BLOCK_FUA	      0x1 /* of writes and zeroes: durable with the response; with feature-flush */
#define RF_BLOCK_KEEP	      0x2 /* of zeroes: the space stays allocated */

struct rf_block_segment {
	uint32_t grant;
	uint32_t offset; /* from the start of the grant, in bytes; a multiple of a sector */
	uint32_t bytes;	 /* a multiple of a sector, not zero; within the grant */
};

struct rf_block_request {
	uint64_t sector;
	uint32_t sectors;
	uint32_t id; /* any; comes back in the response */
	uint8_t operation;
	uint8_t flags;
	uint8_t segments; /* reads and writes: 1 to RF_BLOCK_SEGMENTS_MAX, of so many bytes as the sectors; others: 0 */
	uint8_t reserved0; /* zero, as all that is reserved */
	uint32_t reserved1[3];
	struct rf_block_segment segment[RF_BLOCK_SEGMENTS_MAX];
};

/* What became of a request. Front ends take numbers that they do not know for RF_BLOCK_ERROR. */
#define RF_BLOCK_OK	     0
#define RF_BLOCK_ERROR	     1 /* the disk failed: nothing is known of what was written */
#define RF_BLOCK_UNSUPPORTED 2 /* an operation or flag that this disk does not have */
#define RF_BLOCK_INVALID     3 /* the request breaks a rule */
#define RF_BLOCK_NO_SPACE    4 /* where the image is, there is no more */
#define RF_BLOCK_READ_ONLY   5

struct rf_block_response {
	uint32_t id;
	uint32_t status;
};

_Static_assert(sizeof(struct rf_block_segment) == 12, "rf_block_segment layout");
_Static_assert(sizeof(struct rf_block_request) == 2 * RF_RING_LINE, "rf_block_request layout");
_Static_assert(__builtin_offsetof(struct rf_block_request, segment) == 32,
	       "rf_block_request layout");
_Static_assert(sizeof(struct rf_block_response) == 8, "rf_block_response layout");

#endif
