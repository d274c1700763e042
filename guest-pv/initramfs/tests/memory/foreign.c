// SPDX-License-Identifier: GPL-2.0
/*
 * Memory that others use: another process by its address, and the kernel by the pages themselves,
 * which it holds for a moment (O_DIRECT, vmsplice) or for long (buffers that io_uring knows).
 */
#include "memory.h"

#include <linux/io_uring.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define SECRET	447 /* the number of memfd_secret() */

/* A process with a pattern at this address, which waits. */
static pid_t start_holder(uint8_t *at, size_t size, uint64_t seed)
{
	int ready[2];
	pid_t child;
	char byte;

	check(pipe(ready) == 0);
	child = fork_checked();
	if (child == 0) {
		fill(at, size, seed);
		check(write(ready[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	check(read(ready[0], &byte, 1) == 1);
	close(ready[0]);
	close(ready[1]);
	return child;
}

static void end_holder(pid_t child)
{
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void test_foreign(void)
{
	size_t size = 32 * PAGE;
	uint8_t *at = map(size), *copy = map(size);
	struct iovec local = { copy, size }, remote = { at, size };
	pid_t child = start_holder(at, size, 18);

	check(process_vm_readv(child, &local, 1, &remote, 1, 0) == (ssize_t)size);
	check(holds(copy, size, 18) && is_zero(at, size));
	fill(copy, size, 19);
	check(process_vm_writev(child, &local, 1, &remote, 1, 0) == (ssize_t)size);
	memset(copy, 0, size);
	check(process_vm_readv(child, &local, 1, &remote, 1, 0) == (ssize_t)size);
	check(holds(copy, size, 19) && is_zero(at, size));
	audit();
	end_holder(child);
}

/* A debugger writes where its child may only read: the child gets a copy of its own. */
static void test_debugger(void)
{
	size_t size = 8 * PAGE;
	int file = make_file(size), status;
	uint8_t *at = map_file(file, size, MAP_PRIVATE), *shared = map_file(file, size, MAP_SHARED);
	pid_t child;

	fill(shared, size, 20);
	check(mprotect(at, size, PROT_READ) == 0 && holds(at, size, 20));
	child = start_holder(map(PAGE), PAGE, 1);
	check(ptrace(PTRACE_ATTACH, child, NULL, NULL) == 0);
	check(waitpid(child, &status, 0) == child && WIFSTOPPED(status));
	check(ptrace(PTRACE_POKEDATA, child, at + PAGE + 64, 17L) == 0);
	errno = 0;
	check(ptrace(PTRACE_PEEKDATA, child, at + PAGE + 64, NULL) == 17 && errno == 0);
	check(holds(at, size, 20) && *(uint64_t *)(at + PAGE + 64) == 0);
	check(ptrace(PTRACE_DETACH, child, NULL, NULL) == 0);
	end_holder(child);
}

/* Of our own, past its protection: the kernel maps what it writes. */
static void test_own_memory(void)
{
	size_t size = 32 * PAGE;
	uint8_t *at = map(size);
	uint64_t word = 17;
	int file = open("/proc/self/mem", O_RDWR);

	fill(at, size, 21);
	check(mprotect(at, size, PROT_READ) == 0 && file >= 0);
	check(pwrite(file, &word, sizeof(word), (off_t)(uintptr_t)(at + PAGE)) == sizeof(word));
	check(*(uint64_t *)(at + PAGE) == 17 && holds(at, PAGE, 21));
	check(try_access(at + PAGE, WRITE) == SIGSEGV);
}

/* Pages in a pipe stay what they are when their mapping goes, or is written by another. */
static void test_splice(void)
{
	size_t size = 8 * PAGE;
	uint8_t *at, *copy = map(size);
	struct iovec piece;
	int ends[2], i;
	pid_t child;

	check(pipe(ends) == 0);
	for (i = 0; i < 10; i++) {
		at = map(size);
		fill(at, size, 22);
		piece = (struct iovec){ at, size };
		check(vmsplice(ends[1], &piece, 1, 0) == (ssize_t)size);
		child = fork_checked();
		if (child == 0) {
			fill(at, size, 23);
			check(holds(at, size, 23));
			_exit(0);
		}
		check(ended(child));
		check(munmap(at, size) == 0);
		check(read(ends[0], copy, size) == (ssize_t)size && holds(copy, size, 22));
	}
}

/* The disk's driver reads and writes the pages of the process, while it forks and writes others. */
static void test_direct(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size), *read_back = map(size);
	int file, i;
	pid_t child;

	mount_disk();
	file = open(DISK "/file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	check(file >= 0);
	for (i = 0; i < 20; i++) {
		fill(at, size, 24 + (uint64_t)i);
		child = fork_checked();
		if (child == 0) {
			fill(at, size, 99);
			fill(read_back, size, 98);
			check(holds(at, size, 99) && holds(read_back, size, 98));
			_exit(0);
		}
		check(pwrite(file, at, size, 0) == (ssize_t)size);
		check(pread(file, read_back, size, 0) == (ssize_t)size);
		check(ended(child));
		check(holds(at, size, 24 + (uint64_t)i) && holds(read_back, size, 24 + (uint64_t)i));
		check(madvise(read_back, size, MADV_DONTNEED) == 0);
	}
	audit();
	check(close(file) == 0);
	unmount_disk();
}

/* --- io_uring, with nothing but its system calls --- */

struct ring {
	int fd;
	struct io_uring_sqe *entries;
	uint8_t *submitted, *completed;
	struct io_uring_params p;
};

static struct ring open_ring(void)
{
	struct ring ring = { .fd = -1 };

	ring.fd = (int)syscall(SYS_io_uring_setup, 4, &ring.p);
	if (ring.fd < 0)
		memory_skip("no io_uring");
	ring.submitted = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING);
	ring.completed = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, ring.fd, IORING_OFF_CQ_RING);
	ring.entries = mmap(NULL, PAGE, READ_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES);
	check(ring.submitted != MAP_FAILED && ring.completed != MAP_FAILED);
	check(ring.entries != MAP_FAILED);
	return ring;
}

/* One operation on buffer 0, to its end; what it gave. */
static int use_ring(const struct ring *ring, uint8_t operation, int file, void *at, size_t size)
{
	_Atomic uint32_t *tail = (void *)(ring->submitted + ring->p.sq_off.tail);
	uint32_t *array = (void *)(ring->submitted + ring->p.sq_off.array);
	_Atomic uint32_t *head = (void *)(ring->completed + ring->p.cq_off.head);
	_Atomic uint32_t *end = (void *)(ring->completed + ring->p.cq_off.tail);
	struct io_uring_cqe *results = (void *)(ring->completed + ring->p.cq_off.cqes);
	uint32_t at_head, index = atomic_load(tail) & (ring->p.sq_entries - 1);
	int result;

	ring->entries[index] = (struct io_uring_sqe){
		.opcode = operation, .fd = file, .addr = (uintptr_t)at, .len = (uint32_t)size,
	};
	array[index] = index;
	atomic_fetch_add(tail, 1);
	check(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) == 1);
	at_head = atomic_load(head);
	check(atomic_load(end) != at_head);
	result = results[at_head & (ring->p.cq_entries - 1)].res;
	atomic_store(head, at_head + 1);
	return result;
}

/* The kernel holds the pages: copies are made for the child, at once, and never for us. */
static void test_registered(void)
{
	size_t size = 32 * PAGE;
	uint8_t *at = map(size);
	struct iovec buffer = { at, size };
	struct ring ring = open_ring();
	int file, i;
	pid_t child;

	fill(at, size, 30);
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &buffer, 1))
		memory_skip("no registered buffers");
	mount_disk();
	file = open(DISK "/file", O_RDWR | O_CREAT | O_DIRECT, 0600);
	check(file >= 0);
	for (i = 0; i < 10; i++) {
		fill(at, size, 31 + (uint64_t)i);
		child = fork_checked();
		if (child == 0) {
			check(holds(at, size, 31 + (uint64_t)i));
			fill(at, size, 99);
			check(holds(at, size, 99));
			_exit(0);
		}
		check(use_ring(&ring, IORING_OP_WRITE_FIXED, file, at, size) == (int)size);
		fill(at, size, 98);
		check(use_ring(&ring, IORING_OP_READ_FIXED, file, at, size) == (int)size);
		check(holds(at, size, 31 + (uint64_t)i));
		check(ended(child));
		/* It may move neither out nor elsewhere. */
		check(madvise(at, size, MADV_PAGEOUT) == 0);
		check(write_text("/proc/sys/vm/compact_memory", "1"));
		audit();
	}
	check(munmap(at, size) == 0 && close(file) == 0 && close(ring.fd) == 0);
	unmount_disk();
}

/* The kernel itself does not map these pages while they are the process's. */
static void test_secret(void)
{
	size_t size = 16 * PAGE;
	uint8_t *at, *copy = map(size);
	struct iovec local = { copy, size }, remote;
	int file, i;

	for (i = 0; i < 10; i++) {
		file = (int)syscall(SECRET, 0);
		if (file < 0)
			memory_skip("no secret memory: secretmem.enable=1 turns it on");
		check(ftruncate(file, (off_t)size) == 0);
		at = map_file(file, size, MAP_SHARED);
		fill(at, size, 40);
		remote = (struct iovec){ at, size };
		check(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == -1);
		check(holds(at, size, 40) && is_zero(copy, size));
		audit();
		check(munmap(at, size) == 0 && close(file) == 0);
		/* They are the kernel's to use again. */
		copy = map(MIB);
		fill(copy, MIB, 41);
		check(holds(copy, MIB, 41) && munmap(copy, MIB) == 0);
		copy = map(size);
		local.iov_base = copy;
	}
}

const struct memory_test foreign_tests[] = {
	{ "foreign", test_foreign, 0 },
	{ "debugger", test_debugger, 0 },
	{ "own_memory", test_own_memory, 0 },
	{ "splice", test_splice, 0 },
	{ "direct", test_direct, LONG },
	{ "registered", test_registered, LONG },
	{ "secret", test_secret, LONG },
	{ NULL, NULL, 0 }
};
