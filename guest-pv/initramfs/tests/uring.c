// SPDX-License-Identifier: GPL-2.0
/*
 * io_uring without a library: rings that the kernel and the program share, reads and writes through
 * buffers that stay pinned, links, timeouts, waiting for a pipe, and the kernel's own polling thread.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/time_types.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "check.h"

#define ENTRIES 64
#define BLOCK	16384
#define BLOCKS	32

struct ring {
	int file;
	struct io_uring_params parameters;
	uint8_t *submissions, *completions;
	struct io_uring_sqe *entries;
	uint32_t tail; /* what the kernel will be told by enter() */
};

static uint32_t *word(uint8_t *ring, uint32_t offset)
{
	return (uint32_t *)(ring + offset);
}

static void *map_ring(const struct ring *ring, size_t size, uint64_t offset)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->file,
			(off_t)offset);

	check(at != MAP_FAILED);
	return at;
}

static struct ring make_ring(uint32_t flags)
{
	struct ring ring = { .parameters = { .flags = flags, .sq_thread_idle = 50 } };
	const struct io_uring_params *p = &ring.parameters;

	ring.file = (int)syscall(SYS_io_uring_setup, ENTRIES, &ring.parameters);
	if (ring.file < 0 && errno == ENOSYS)
		_exit(SKIPPED);
	check(ring.file >= 0);
	ring.submissions = map_ring(&ring, p->sq_off.array + p->sq_entries * 4, IORING_OFF_SQ_RING);
	ring.completions = map_ring(&ring, p->cq_off.cqes +
				    p->cq_entries * sizeof(struct io_uring_cqe), IORING_OFF_CQ_RING);
	ring.entries = map_ring(&ring, p->sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	return ring;
}

/* Not told to the kernel yet: its thread would take a link without what is linked to it. */
static void put(struct ring *ring, struct io_uring_sqe entry)
{
	const struct io_sqring_offsets *offsets = &ring->parameters.sq_off;
	uint32_t index = ring->tail++ & *word(ring->submissions, offsets->ring_mask);

	ring->entries[index] = entry;
	word(ring->submissions, offsets->array)[index] = index;
}

static void enter(struct ring *ring, unsigned submit, unsigned wait)
{
	unsigned flags = wait ? IORING_ENTER_GETEVENTS : 0;

	__atomic_store_n(word(ring->submissions, ring->parameters.sq_off.tail), ring->tail,
			 __ATOMIC_RELEASE);
	if (ring->parameters.flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(word(ring->submissions, ring->parameters.sq_off.flags),
				    __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
			flags |= IORING_ENTER_SQ_WAKEUP;
	}
	check(syscall(SYS_io_uring_enter, ring->file, submit, wait, flags, NULL, 0) >= 0);
}

struct result {
	uint64_t user_data;
	int32_t res;
};

static bool get(struct ring *ring, struct result *result)
{
	const struct io_uring_cqe *completion;
	const struct io_cqring_offsets *offsets = &ring->parameters.cq_off;
	uint32_t head = *word(ring->completions, offsets->head);

	if (head == __atomic_load_n(word(ring->completions, offsets->tail), __ATOMIC_ACQUIRE))
		return false;
	completion = (struct io_uring_cqe *)(ring->completions + offsets->cqes) +
		     (head & *word(ring->completions, offsets->ring_mask));
	*result = (struct result){ completion->user_data, completion->res };
	__atomic_store_n(word(ring->completions, offsets->head), head + 1, __ATOMIC_RELEASE);
	return true;
}

static struct result next(struct ring *ring)
{
	struct result result;

	while (!get(ring, &result))
		enter(ring, 0, 1);
	return result;
}

static void test_nothing(struct ring *ring)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < ENTRIES; i++)
		put(ring, (struct io_uring_sqe){ .opcode = IORING_OP_NOP, .user_data = i });
	enter(ring, ENTRIES, ENTRIES);
	for (unsigned i = 0; i < ENTRIES; i++)
		sum += next(ring).user_data;
	check(sum == ENTRIES * (ENTRIES - 1) / 2);
}

static void fill(uint8_t *at, unsigned seed)
{
	for (unsigned i = 0; i < BLOCK * BLOCKS; i++)
		at[i] = (uint8_t)(i * 31 + i / BLOCK + seed);
}

/* One operation a block, all under way at once. */
static void transfer(struct ring *ring, uint8_t opcode, int file, uint8_t *memory)
{
	bool fixed = opcode == IORING_OP_READ_FIXED || opcode == IORING_OP_WRITE_FIXED;

	for (unsigned i = 0; i < BLOCKS; i++)
		put(ring, (struct io_uring_sqe){ .opcode = opcode,
						 .fd = file,
						 .off = (uint64_t)i * BLOCK,
						 .addr = (uintptr_t)memory + i * BLOCK,
						 .len = BLOCK,
						 .buf_index = 0,
						 .flags = i % 3 && !fixed ? IOSQE_ASYNC : 0 });
	enter(ring, BLOCKS, BLOCKS);
	for (unsigned i = 0; i < BLOCKS; i++)
		check(next(ring).res == BLOCK);
}

static void test_files(struct ring *ring)
{
	size_t size = BLOCK * BLOCKS;
	uint8_t *from = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint8_t *to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct iovec vector = { to, size };
	int file = memfd_create("uring", 0);

	check(from != MAP_FAILED && to != MAP_FAILED && file >= 0);
	fill(from, 1);
	transfer(ring, IORING_OP_WRITE, file, from);
	transfer(ring, IORING_OP_READ, file, to);
	check(memcmp(from, to, size) == 0);

	/* Pinned: the pages stay the same ones, also after a fork that shares them. */
	check(syscall(SYS_io_uring_register, ring->file, IORING_REGISTER_BUFFERS, &vector, 1) == 0);
	for (unsigned round = 0; round < 3; round++) {
		fill(from, round + 2);
		check(pwrite(file, from, size, 0) == (ssize_t)size);
		pid_t child = fork();

		if (child == 0)
			_exit(to[0] != (uint8_t)(round + 1));
		transfer(ring, IORING_OP_READ_FIXED, file, to);
		check(memcmp(from, to, size) == 0);
		check(waitpid(child, NULL, 0) == child);
	}
	check(syscall(SYS_io_uring_register, ring->file, IORING_UNREGISTER_BUFFERS, NULL, 0) == 0);
	close(file);
}

static void test_waiting(struct ring *ring)
{
	struct __kernel_timespec time = { 0, 20 * 1000 * 1000 };
	int ends[2];

	put(ring, (struct io_uring_sqe){ .opcode = IORING_OP_TIMEOUT, .addr = (uintptr_t)&time,
					 .len = 1 });
	enter(ring, 1, 1);
	check(next(ring).res == -ETIME);

	check(pipe(ends) == 0);
	put(ring, (struct io_uring_sqe){ .opcode = IORING_OP_POLL_ADD, .fd = ends[0],
					 .poll32_events = POLLIN });
	enter(ring, 1, 0);
	if (fork() == 0) {
		usleep(20000);
		check(write(ends[1], "x", 1) == 1);
		_exit(0);
	}
	check(next(ring).res & POLLIN);
	check(wait(NULL) > 0);
}

static void test_links(struct ring *ring)
{
	uint8_t in[64] = "linked", out[64] = {};
	int file = memfd_create("links", 0);

	check(file >= 0);
	put(ring, (struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .fd = file,
					 .addr = (uintptr_t)in, .len = 64, .flags = IOSQE_IO_LINK });
	put(ring, (struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = file,
					 .addr = (uintptr_t)out, .len = 64 });
	enter(ring, 2, 2);
	check(next(ring).res == 64 && next(ring).res == 64);
	check(memcmp(in, out, 64) == 0);
	close(file);
}

int main(void)
{
	struct ring ring = make_ring(0), polled;

	for (unsigned round = 0; round < 20; round++)
		test_nothing(&ring);
	test_files(&ring);
	test_waiting(&ring);
	test_links(&ring);
	close(ring.file);

	polled = make_ring(IORING_SETUP_SQPOLL);
	for (unsigned round = 0; round < 3; round++) {
		test_nothing(&polled);
		test_files(&polled);
		test_links(&polled);
		/* Its thread has gone to sleep. */
		usleep(100000);
	}
	return 0;
}
