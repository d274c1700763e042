/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BACKENDS_COMMON_LINK_SOCKET_H
#define BACKENDS_COMMON_LINK_SOCKET_H

/*
 * What goes over the socket of link_socket.c, a SOCK_SEQPACKET one: a question, an answer, in turn. With the answer
 * come descriptors: to a grant the file with its memory; to a port an eventfd that the back end reads and one that
 * it writes.
 */
#include <stdint.h>

#define LINK_SOCKET_MAP	    1
#define LINK_SOCKET_CONNECT 2

struct link_socket_question {
	uint32_t kind;
	uint32_t number; /* of the grant or port */
};

struct link_socket_answer {
	int32_t error; /* of <errno.h>; zero: the descriptors are there */
	uint32_t frames;
};

#define LINK_SOCKET_FILES_MAX 2

#endif
