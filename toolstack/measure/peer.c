// SPDX-License-Identifier: BSD-2-Clause
/*
 * The domain that takes part in what is measured: its code, its tables, its calls.
 *
 * Interface: peer.h. Locks: none; one thread uses a peer.
 * Odd: the domain has no image. Its code is the few lines of assembly below, which are copied; the calls that
 * it begins with are a list in a page of it, so that they are written in C. Its handler of events never returns:
 * it begins with an empty stack, works, and waits for the next.
 */
#include "toolstack/measure/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "abi/event.h"
#include "abi/hypercall.h"
#include "abi/memory.h"
#include "abi/vcpu.h"
#include "toolstack/share/port.h"

#define PAGE	       4096UL
#define BASE	       0xffffffff80000000UL
#define TABLE_ENTRY    0x63UL /* present, writable, accessed, dirty */
#define LARGE	       0x80UL
#define GRANT	       1U
#define START_MS       30000
#define END_MS	       30000U
#define CALLS	       5U
#define INDEX_LEVEL4   511UL /* of BASE */
#define INDEX_LEVEL3   510UL
#define TABLE_ENTRY_AT 8UL

/* Its frames. */
enum {
	FRAME_CODE = 1,
	FRAME_ROOT,
	FRAME_LEVEL3,
	FRAME_LEVEL2,
	FRAME_ORDERS, /* the code has the addresses of these */
	FRAME_STACK,
	FRAME_EVENTS,
	FRAME_VCPU,
	FRAME_GRANTS,
	FRAME_DATA = 16,
	FRAMES = FRAME_DATA + PEER_GRANT_PAGES,
};

struct call {
	uint64_t number;
	uint64_t arguments[2];
	int64_t result; /* out */
};

/* As the code has it, too: the calls end with a number of -1, and the last one's result is the port. */
struct orders {
	uint64_t hypercalls;
	struct call calls[CALLS + 1];
	struct rf_trap trap;
};

_Static_assert(sizeof(struct call) == 32 && offsetof(struct orders, calls) == 8,
	       "as the code has it");
_Static_assert(FRAME_ORDERS == 5 && FRAME_EVENTS == 7 && FRAME_VCPU == 8, "as the code has it");

/*
 * Never called: what is between the labels is copied. RBX: its orders, RBP: the page of events, R13: the port;
 * hypercalls keep them.
 */
static __attribute__((used)) void peer_guest(void)
{
	asm volatile(".pushsection .rodata\n"
		     "peer_code:\n"
		     "	mov	$0xffffffff80005000, %%rbx\n"
		     "	mov	$0xffffffff80007000, %%rbp\n"
		     "	lea	8(%%rbx), %%r14\n"
		     "1:	mov	(%%r14), %%rax\n"
		     "	cmp	$-1, %%rax\n"
		     "	je	2f\n"
		     "	mov	8(%%r14), %%rdi\n"
		     "	mov	16(%%r14), %%rsi\n"
		     "	syscall\n"
		     "	mov	%%rax, 24(%%r14)\n"
		     "	mov	%%rax, %%r13\n"
		     "	add	$32, %%r14\n"
		     "	jmp	1b\n"
		     /* It is unmasked; an event may have come before. */
		     "2:	lock btrq %%r13, 512(%%rbp)\n"
		     "peer_event:\n"
		     "	mov	$0xffffffff80007000, %%rsp\n"
		     "	xor	%%eax, %%eax\n"
		     "	xchg	%%rax, 1024(%%rbp)\n"
		     "	lock btrq %%r13, (%%rbp)\n"
		     "	jnc	5f\n"
		     "	mov	(%%rbx), %%r12\n"
		     "3:	test	%%r12, %%r12\n"
		     "	jz	4f\n"
		     "	mov	%[version], %%eax\n"
		     "	syscall\n"
		     "	dec	%%r12\n"
		     "	jmp	3b\n"
		     "4:	mov	%[send], %%eax\n"
		     "	mov	%%r13, %%rdi\n"
		     "	syscall\n"
		     "5:	mov	$0xffffffff80008000, %%r14\n"
		     "6:	movl	$0x200, (%%r14)\n"
		     "	mov	%[block], %%eax\n"
		     "	syscall\n"
		     "	jmp	6b\n"
		     "peer_code_end:\n"
		     ".popsection\n"
		     :
		     : [version] "i"(RF_HYPERCALL_version), [send] "i"(RF_HYPERCALL_event_send),
		       [block] "i"(RF_HYPERCALL_block));
}

extern const char peer_code[], peer_event[], peer_code_end[];

/* --- Building it --- */

static int write_memory(struct peer *peer, uint64_t physical, const void *own, size_t size)
{
	struct rf_domain_copy op = { RF_COPY_TO, (uint32_t)size, physical, (uintptr_t)own };
	struct rf_control_copy c = { peer->domain, 1, (uintptr_t)&op };
	int64_t done = peer->share->call(peer->share, RF_CONTROL_DOMAIN_COPY, &c);

	return done < 0 ? (int)done : 0;
}

static int write_word(struct peer *peer, uint64_t physical, uint64_t word)
{
	return write_memory(peer, physical, &word, sizeof(word));
}

static int create(struct peer *peer)
{
	struct rf_control_create c = {
		.flags = RF_CONTROL_CREATE_FLEETING,
		.config = { .name = "rf-measure", .vcpus = 1, .frames_max = FRAMES },
	};
	int64_t error = peer->share->call(peer->share, RF_CONTROL_DOMAIN_CREATE, &c);

	peer->domain = c.domain;
	return (int)error;
}

static int populate(struct peer *peer)
{
	struct rf_memory_extent extents[FRAMES] = { 0 };
	struct rf_control_memory c = { peer->domain, FRAMES, (uintptr_t)extents };
	int64_t done;

	for (uint32_t i = 0; i < FRAMES; i++)
		extents[i].gfn = i;
	done = peer->share->call(peer->share, RF_CONTROL_MEMORY_POPULATE, &c);
	if (done < 0)
		return (int)done;
	return done == FRAMES ? 0 : -ENOMEM;
}

/* One large page for all of it. */
static int write_tables(struct peer *peer)
{
	int error = write_word(peer, FRAME_ROOT * PAGE + INDEX_LEVEL4 * TABLE_ENTRY_AT,
			       FRAME_LEVEL3 * PAGE | TABLE_ENTRY);

	error = error ? error
		      : write_word(peer, FRAME_LEVEL3 * PAGE + INDEX_LEVEL3 * TABLE_ENTRY_AT,
				   FRAME_LEVEL2 * PAGE | TABLE_ENTRY);
	return error ? error : write_word(peer, FRAME_LEVEL2 * PAGE, LARGE | TABLE_ENTRY);
}

static int write_orders(struct peer *peer, uint32_t port)
{
	const uint64_t address = BASE + FRAME_ORDERS * PAGE;
	const struct orders orders = {
		.calls = {
			{ RF_HYPERCALL_vcpu_register_page, { FRAME_VCPU, 0 }, 0 },
			{ RF_HYPERCALL_set_traps, { address + offsetof(struct orders, trap), 1 }, 0 },
			{ RF_HYPERCALL_grant_register, { FRAME_GRANTS, 0 }, 0 },
			{ RF_HYPERCALL_event_register_page, { FRAME_EVENTS, 0 }, 0 },
			{ RF_HYPERCALL_event_connect, { 0, port }, 0 },
			{ UINT64_MAX, { 0, 0 }, 0 },
		},
		.trap = { .rip = BASE + FRAME_CODE * PAGE + (uint64_t)(peer_event - peer_code),
			  .vector = RF_VECTOR_EVENT },
	};

	return write_memory(peer, FRAME_ORDERS * PAGE, &orders, sizeof(orders));
}

static int write_grant(struct peer *peer)
{
	return write_word(peer, FRAME_GRANTS * PAGE + GRANT * sizeof(struct rf_grant_entry),
			  RF_GRANT_VALID | RF_GRANT_WRITE |
				  (uint64_t)(PEER_GRANT_PAGES - 1) << RF_GRANT_COUNT_SHIFT |
				  FRAME_DATA * PAGE);
}

static int start(struct peer *peer)
{
	struct rf_control_set c = {
		.domain = peer->domain,
		.set = { .mask = RF_SET_START | RF_SET_PAUSED,
			 .entry = BASE + FRAME_CODE * PAGE,
			 .root = FRAME_ROOT * PAGE },
	};

	return (int)peer->share->call(peer->share, RF_CONTROL_DOMAIN_SET, &c);
}

/* Its last call connects to the port, which raises it. */
static int wait_for_start(struct peer *peer)
{
	struct pollfd file = { .fd = peer->port, .events = POLLIN };

	if (poll(&file, 1, START_MS) != 1)
		return -ETIMEDOUT;
	/* From now on, reading waits. */
	return port_take(peer->port) && fcntl(peer->port, F_SETFL, 0) == 0 ? 0 : -EIO;
}

static int build(struct peer *peer)
{
	uint32_t port;
	int error = populate(peer);

	if (error)
		return error;
	peer->port = port_listen(peer->share, peer->domain, &port);
	if (peer->port < 0)
		return peer->port;
	error = write_memory(peer, FRAME_CODE * PAGE, peer_code,
			     (size_t)(peer_code_end - peer_code));
	error = error ? error : write_tables(peer);
	error = error ? error : write_orders(peer, port);
	error = error ? error : write_grant(peer);
	error = error ? error : start(peer);
	return error ? error : wait_for_start(peer);
}

int peer_open(struct peer *peer, struct share *share)
{
	int error;

	*peer = (struct peer){ .share = share, .port = -1 };
	error = create(peer);
	if (error)
		return error;
	error = build(peer);
	if (error)
		peer_close(peer);
	return error;
}

/* Waits until nothing is left of it, so that whoever looks at the memory finds it free. */
void peer_close(struct peer *peer)
{
	struct rf_control_domain c = { .domain = peer->domain };
	uint64_t serial;

	if (peer->port >= 0)
		close(peer->port);
	peer->port = -1;
	if (!peer->domain)
		return;
	serial = share_serial(peer->share, peer->domain);
	peer->share->call(peer->share, RF_CONTROL_DOMAIN_DESTROY, &c);
	for (unsigned i = 0; i < END_MS && share_serial(peer->share, peer->domain) == serial; i++)
		usleep(1000);
	peer->domain = 0;
}

/* --- What is measured --- */

int peer_call(struct peer *peer)
{
	int error = port_send(peer->port);

	if (error)
		return error;
	return port_take(peer->port) ? 0 : -EIO;
}

int peer_set_hypercalls(struct peer *peer, uint64_t count)
{
	return write_word(peer, FRAME_ORDERS * PAGE + offsetof(struct orders, hypercalls), count);
}

int peer_map(struct peer *peer, struct grant *grant, uint32_t pages)
{
	const struct rf_control_segment segment = { .grant = GRANT, .count = pages };
	int error = grant_map(peer->share, grant, peer->domain, &segment, 1, true);

	for (uint32_t i = 0; i < pages && !error; i++)
		(void)((volatile char *)grant->memory)[i * PAGE];
	return error;
}

int peer_copy(struct peer *peer, void *page)
{
	struct rf_control_grant_piece piece = {
		.direction = RF_COPY_FROM,
		.grant = GRANT,
		.bytes = (uint32_t)PAGE,
		.own = (uintptr_t)page,
	};
	struct rf_control_grant_copy c = { peer->domain, 1, (uintptr_t)&piece };
	int64_t done = peer->share->call(peer->share, RF_CONTROL_GRANT_COPY, &c);

	return done < 0 ? (int)done : 0;
}
