/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_MESSAGE_H
#define BACKENDS_COMMON_MESSAGE_H

/*
 * What the two processes of a device say to each other, over a SOCK_SEQPACKET socket: the monitor, which knows the
 * store (device.c), and the worker, which has what is behind the device, the guest's rings and nothing else (worker.c).
 * The monitor checks what the worker says only so far that nothing breaks: a worker that a guest has taken over tells
 * lies about its own device.
 *
 * A class has a message.h of its own: its structures, and the kinds that only it has.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum message_kind {
	/* From the monitor. */
	MESSAGE_CONNECT, /* the front end's rings are there, the class's structure says where */
	MESSAGE_RELEASE, /* let go of them */
	/* From the worker. */
	MESSAGE_READY,	   /* what is behind the device is open; the class may add what it is */
	MESSAGE_FAILED,	   /* it is not, the text says why; the worker ends */
	MESSAGE_CONNECTED, /* or text: why not */
	MESSAGE_BROKEN,	   /* text: what the front end did; it is let go of */
	MESSAGE_RELEASED,
	MESSAGE_STATISTICS, /* the class's */
	MESSAGE_OF_CLASS,   /* the first that only a class has */
};

#define MESSAGE_TEXT	256
#define MESSAGE_CONTENT 512

struct message {
	uint32_t kind;
	uint32_t reserved;
	union {
		char text[MESSAGE_TEXT];
		uint64_t content[MESSAGE_CONTENT / sizeof(uint64_t)]; /* a structure of the class */
	};
};

/* False: the other process is gone, or about to end this one. Whoever listens notices that anyway. */
bool message_send(int socket, uint32_t kind, const void *content, size_t bytes);
/* The text may be NULL. */
bool message_tell(int socket, uint32_t kind, const char *text);
/* Does not wait. 1: there is one; 0: none; -1: the other process is gone. */
int message_receive(int socket, struct message *message);

/* The structure in it, or its text: whatever was sent, it ends. */
const void *message_content(const struct message *message);
const char *message_text(struct message *message);

#endif
