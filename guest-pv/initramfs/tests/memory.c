// SPDX-License-Identifier: GPL-2.0
/*
 * Every way in which a process changes its address space, checked by content: what must be there is
 * there, what must not be there faults, at the address that was touched.
 *
 * Each check runs in a process of its own. A pattern says of every page which page it is, so a
 * translation that was not forgotten in time shows itself as the wrong page.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE	    4096UL
#define HUGE_PAGE   (2UL << 20)
#define SKIPPED	    77
#define ROUNDS	    3000
#define MAX_READERS 8
#define COLLAPSE    25 /* MADV_COLLAPSE, which older headers do not have */

#define ANONYMOUS   (MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE  (PROT_READ | PROT_WRITE)

#define check(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("memory: line %d: %s (%s)\n", __LINE__, #condition,                 \
			       strerror(errno));                                                   \
			fflush(stdout);                                                            \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static sigjmp_buf fault_return;
static void *volatile fault_address;
static volatile int fault_signal;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signal;
	fault_address = info->si_addr;
	siglongjmp(fault_return, 1);
}

static void catch_faults(void)
{
	struct sigaction action = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

enum access { READ, WRITE, EXECUTE };

/* The signal that an access gets, or zero. */
static int try_access(volatile uint8_t *at, enum access access)
{
	fault_signal = 0;
	if (sigsetjmp(fault_return, 1))
		return fault_address == (void *)at ? fault_signal : -1;
	if (access == READ)
		(void)*at;
	else if (access == WRITE)
		*at = *at;
	else
		((void (*)(void))(uintptr_t)at)();
	return 0;
}

static uint64_t word_of(uint64_t page, uint64_t seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL ^ seed;
}

static void fill(void *from, size_t size, uint64_t seed)
{
	uint64_t i, *words = from;

	for (i = 0; i < size / PAGE; i++) {
		words[i * PAGE / 8] = word_of(i, seed);
		words[i * PAGE / 8 + PAGE / 8 - 1] = ~word_of(i, seed);
	}
}

/* Page number first of the pattern is at from. */
static bool holds_from(const void *from, size_t size, uint64_t seed, uint64_t first)
{
	const uint64_t *words = from;
	uint64_t i;

	for (i = 0; i < size / PAGE; i++)
		if (words[i * PAGE / 8] != word_of(first + i, seed) ||
		    words[i * PAGE / 8 + PAGE / 8 - 1] != ~word_of(first + i, seed))
			return false;
	return true;
}

static bool holds(const void *from, size_t size, uint64_t seed)
{
	return holds_from(from, size, seed, 0);
}

static bool is_zero(const void *from, size_t size)
{
	const uint64_t *words = from;
	size_t i;

	for (i = 0; i < size / 8; i++)
		if (words[i])
			return false;
	return true;
}

static uint8_t *map(size_t size)
{
	uint8_t *at = mmap(NULL, size, READ_WRITE, ANONYMOUS, -1, 0);

	check(at != MAP_FAILED);
	return at;
}

static int make_file(size_t size)
{
	int file = memfd_create("memory", 0);

	check(file >= 0);
	check(ftruncate(file, (off_t)size) == 0);
	return file;
}

/* The child ended well. */
static bool ended(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_fork(void)
{
	size_t size = 256 * PAGE;
	uint8_t *at = map(size);
	pid_t child;
	int i;

	fill(at, size, 1);
	for (i = 0; i < 20; i++) {
		child = fork();
		check(child >= 0);
		if (child == 0) {
			check(holds(at, size, 1));
			fill(at, size, 2);
			check(holds(at, size, 2));
			if (i < 19)
				_exit(0);
			child = fork();
			if (child == 0) {
				check(holds(at, size, 2));
				fill(at, size, 3);
				_exit(0);
			}
			check(ended(child) && holds(at, size, 2));
			_exit(0);
		}
		/* Both write at the same time; each only to its own. */
		fill(at, size / 2, 1);
		check(ended(child));
		check(holds(at, size, 1));
	}
}

static void test_protect(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size), *page;
	int i;

	fill(at, size, 4);
	for (i = 0; i < 64; i += 3) {
		page = at + (size_t)i * PAGE;
		check(try_access(page, EXECUTE) == SIGSEGV);
		check(mprotect(page, PAGE, PROT_READ) == 0);
		check(try_access(page, READ) == 0 && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, PROT_NONE) == 0);
		check(try_access(page, READ) == SIGSEGV && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, READ_WRITE) == 0);
		check(try_access(page, WRITE) == 0);
		*page = 0xc3; /* ret */
		check(mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0);
		check(try_access(page, EXECUTE) == 0 && try_access(page, WRITE) == SIGSEGV);
		check(mprotect(page, PAGE, READ_WRITE) == 0);
		check(try_access(page, EXECUTE) == SIGSEGV);
		*(uint64_t *)page = word_of((uint64_t)i, 4);
	}
	check(holds(at, size, 4));
}

static void test_unmap(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size);
	int i;

	for (i = 0; i < 20; i++) {
		fill(at, size, 5);
		check(munmap(at + PAGE, size / 2) == 0);
		check(try_access(at + PAGE, READ) == SIGSEGV);
		check(try_access(at + size / 2, WRITE) == SIGSEGV);
		check(holds(at, PAGE, 5));
		check(mmap(at + PAGE, size / 2, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) ==
		      at + PAGE);
		check(is_zero(at + PAGE, size / 2));
	}
}

static void test_remap(void)
{
	size_t size = 600 * PAGE;
	uint8_t *from = map(size), *to = map(2 * size), *grown;

	fill(from, size, 6);
	fill(to, size, 7);
	check(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to + size) == to + size);
	check(try_access(from, READ) == SIGSEGV && try_access(from + size - 1, READ) == SIGSEGV);
	check(holds(to, size, 7) && holds(to + size, size, 6));
	grown = mremap(to + size, size, 3 * size, MREMAP_MAYMOVE);
	check(grown != MAP_FAILED && holds(grown, size, 6) && is_zero(grown + size, 2 * size));
	check(mremap(grown, 3 * size, PAGE, 0) == grown);
	check(holds(grown, PAGE, 6) && try_access(grown + PAGE, READ) == SIGSEGV);
}

static void test_shared(void)
{
	size_t size = 64 * PAGE;
	int file = make_file(size);
	uint8_t *a = mmap(NULL, size, READ_WRITE, MAP_SHARED, file, 0);
	uint8_t *b = mmap(NULL, size, READ_WRITE, MAP_SHARED, file, 0);
	uint8_t *own = mmap(NULL, size, READ_WRITE, MAP_PRIVATE, file, 0);
	uint64_t word = 0;
	pid_t child;

	check(a != MAP_FAILED && b != MAP_FAILED && own != MAP_FAILED);
	fill(a, size, 8);
	check(holds(b, size, 8) && holds(own, size, 8));
	fill(own, PAGE, 9);
	check(holds(a, size, 8) && holds(own, PAGE, 9));
	child = fork();
	if (child == 0) {
		fill(b, size, 10);
		_exit(0);
	}
	check(ended(child) && holds(a, size, 10) && holds(own, PAGE, 9));
	check(holds_from(own + PAGE, size - PAGE, 10, 1));
	check(pwrite(file, &word, sizeof(word), 5 * PAGE) == sizeof(word));
	check(*(uint64_t *)(a + 5 * PAGE) == 0);
	check(ftruncate(file, 8 * PAGE) == 0);
	check(try_access(a + 7 * PAGE, WRITE) == 0 && try_access(a + 8 * PAGE, READ) == SIGBUS);
	check(try_access(own + 9 * PAGE, WRITE) == SIGBUS);
	check(ftruncate(file, (off_t)size) == 0 && is_zero(b + 8 * PAGE, size - 8 * PAGE));
}

static void test_discard(void)
{
	size_t size = 64 * PAGE;
	uint8_t *at = map(size), *shared;
	int i, file = make_file(size);

	for (i = 0; i < 20; i++) {
		fill(at, size, 11);
		check(madvise(at + PAGE, size / 2, MADV_DONTNEED) == 0);
		check(holds(at, PAGE, 11) && is_zero(at + PAGE, size / 2));
	}
	fill(at, size, 12);
	check(madvise(at, size, MADV_FREE) == 0);
	/* What is written after it stays. */
	fill(at, size, 13);
	check(holds(at, size, 13));
	shared = mmap(NULL, size, READ_WRITE, MAP_SHARED, file, 0);
	check(shared != MAP_FAILED);
	fill(shared, size, 14);
	check(madvise(shared, 8 * PAGE, MADV_REMOVE) == 0);
	check(is_zero(shared, 8 * PAGE) && holds_from(shared + 8 * PAGE, size - 8 * PAGE, 14, 8));
}

static void check_large(uint8_t *at, size_t size)
{
	pid_t child;

	fill(at, size, 15);
	check(holds(at, size, 15));
	child = fork();
	if (child == 0) {
		fill(at, size, 16);
		check(holds(at, size, 16));
		_exit(0);
	}
	check(ended(child) && holds(at, size, 15));
}

static void test_huge(void)
{
	size_t size = 4 * HUGE_PAGE;
	uint8_t *at = map(size + HUGE_PAGE);
	int i;

	at = (uint8_t *)(((uintptr_t)at + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	if (madvise(at, size, MADV_HUGEPAGE))
		_exit(SKIPPED);
	for (i = 0; i < 3; i++) {
		check_large(at, size);
		/* Parts: the large pages are split. */
		check(mprotect(at + 3 * PAGE, PAGE, PROT_READ) == 0);
		check(try_access(at + 3 * PAGE, WRITE) == SIGSEGV &&
		      try_access(at + 4 * PAGE, WRITE) == 0);
		check(mprotect(at + 3 * PAGE, PAGE, READ_WRITE) == 0);
		check(holds(at, size, 15));
		check(madvise(at + HUGE_PAGE + PAGE, PAGE, MADV_DONTNEED) == 0);
		check(is_zero(at + HUGE_PAGE + PAGE, PAGE));
		check(holds_from(at + HUGE_PAGE + 2 * PAGE, PAGE, 15, HUGE_PAGE / PAGE + 2));
		fill(at, size, 15);
		/* And put together again, where the kernel can. */
		if (madvise(at, size, COLLAPSE) == 0)
			check(holds(at, size, 15));
		check(madvise(at, size, MADV_DONTNEED) == 0 && is_zero(at, size));
	}
}

static void test_hugetlb(void)
{
	int file = open("/proc/sys/vm/nr_hugepages", O_WRONLY);
	uint8_t *at;

	if (file < 0 || write(file, "4", 1) != 1)
		_exit(SKIPPED);
	at = mmap(NULL, 2 * HUGE_PAGE, READ_WRITE, ANONYMOUS | MAP_HUGETLB, -1, 0);
	if (at == MAP_FAILED)
		_exit(SKIPPED);
	check_large(at, 2 * HUGE_PAGE);
	check(mprotect(at, HUGE_PAGE, PROT_READ) == 0 && try_access(at + PAGE, WRITE) == SIGSEGV);
	check(munmap(at, HUGE_PAGE) == 0 && try_access(at + PAGE, READ) == SIGSEGV);
	check(munmap(at + HUGE_PAGE, HUGE_PAGE) == 0);
	check(lseek(file, 0, SEEK_SET) == 0 && write(file, "0", 1) == 1);
}

static uint64_t use_stack(int depth)
{
	volatile uint64_t page[512];
	uint64_t below;

	page[0] = (uint64_t)depth;
	below = depth > 0 ? use_stack(depth - 1) : 0;
	return below + page[0];
}

static void test_stack(void)
{
	check(use_stack(1000) == 1000ULL * 1001 / 2);
}

/* Of another process, and of our own past its protection: the kernel maps what it reads. */
static void test_foreign(void)
{
	size_t size = 32 * PAGE;
	uint8_t *at = map(size), *copy = map(size);
	struct iovec local = { copy, size }, remote = { at, size };
	uint64_t word = 17;
	int ready[2], file, child;

	check(pipe(ready) == 0);
	child = fork();
	if (child == 0) {
		fill(at, size, 18);
		check(write(ready[1], "x", 1) == 1);
		pause();
	}
	check(read(ready[0], copy, 1) == 1);
	check(process_vm_readv(child, &local, 1, &remote, 1, 0) == (ssize_t)size);
	check(holds(copy, size, 18) && is_zero(at, size));
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);

	fill(at, size, 19);
	check(mprotect(at, size, PROT_READ) == 0);
	file = open("/proc/self/mem", O_RDWR);
	check(pwrite(file, &word, sizeof(word), (off_t)(uintptr_t)(at + PAGE)) == sizeof(word));
	check(*(uint64_t *)(at + PAGE) == 17 && holds(at, PAGE, 19));
	check(try_access(at + PAGE, WRITE) == SIGSEGV);
}

static uint8_t *user_region;
static int user_fault;

static void *serve_faults(void *unused)
{
	uint8_t *page = map(PAGE);
	struct uffd_msg message;
	struct uffdio_copy copy;
	uint64_t number;

	(void)unused;
	while (read(user_fault, &message, sizeof(message)) == sizeof(message)) {
		copy = (struct uffdio_copy){
			.dst = message.arg.pagefault.address & ~(PAGE - 1),
			.src = (uintptr_t)page,
			.len = PAGE,
		};
		number = (copy.dst - (uintptr_t)user_region) / PAGE;
		*(uint64_t *)page = word_of(number, 20);
		*(uint64_t *)(page + PAGE - 8) = ~word_of(number, 20);
		check(ioctl(user_fault, UFFDIO_COPY, &copy) == 0);
	}
	return NULL;
}

static void test_userfault(void)
{
	size_t size = 64 * PAGE;
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t server;

	user_fault = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (user_fault < 0)
		_exit(SKIPPED);
	user_region = map(size);
	check(ioctl(user_fault, UFFDIO_API, &api) == 0);
	range.range.start = (uintptr_t)user_region;
	range.range.len = size;
	check(ioctl(user_fault, UFFDIO_REGISTER, &range) == 0);
	check(pthread_create(&server, NULL, serve_faults, NULL) == 0);
	check(holds(user_region, size, 20));
	check(madvise(user_region, size, MADV_DONTNEED) == 0 && holds(user_region, size, 20));
}

static _Atomic uint64_t published;
static atomic_bool stop_readers;
static volatile uint64_t *moving_page;

/* Once a number is published, no processor may see a page from before it. */
static void *read_moving_page(void *unused)
{
	uint64_t before, seen;

	(void)unused;
	while (!atomic_load(&stop_readers)) {
		before = atomic_load(&published);
		seen = *moving_page;
		check(seen >= before);
	}
	return NULL;
}

static void test_shootdown(void)
{
	int file = make_file(ROUNDS * PAGE), i;
	long readers = sysconf(_SC_NPROCESSORS_ONLN);
	pthread_t threads[MAX_READERS];
	uint64_t number;

	for (number = 0; number < ROUNDS; number++)
		check(pwrite(file, &number, sizeof(number), (off_t)(number * PAGE)) ==
		      sizeof(number));
	moving_page = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
	check(moving_page != MAP_FAILED);
	readers = readers > MAX_READERS ? MAX_READERS : readers;
	for (i = 0; i < readers; i++)
		check(pthread_create(&threads[i], NULL, read_moving_page, NULL) == 0);
	for (number = 1; number < ROUNDS; number++) {
		check(mmap((void *)moving_page, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
			   (off_t)(number * PAGE)) == moving_page);
		atomic_store(&published, number);
	}
	atomic_store(&stop_readers, true);
	for (i = 0; i < readers; i++)
		pthread_join(threads[i], NULL);
}

static uint8_t *forked_region;
static _Atomic uint64_t written;

static void *write_numbers(void *unused)
{
	uint64_t number, *words = (uint64_t *)forked_region;

	(void)unused;
	for (number = 1; !atomic_load(&stop_readers); number++) {
		words[0] = number;
		atomic_store(&written, number);
		((volatile uint64_t *)words)[PAGE / 8] = number;
	}
	return NULL;
}

/* A thread writes two pages in turn while the process is forked: the child's copies stand still. */
static void test_fork_threads(void)
{
	volatile uint64_t *words;
	uint64_t first, second;
	pthread_t writer;
	pid_t child;
	int i, j;

	forked_region = map(2 * PAGE);
	words = (volatile uint64_t *)forked_region;
	check(pthread_create(&writer, NULL, write_numbers, NULL) == 0);
	for (i = 0; i < 50; i++) {
		child = fork();
		check(child >= 0);
		if (child == 0) {
			first = words[0];
			second = words[PAGE / 8];
			for (j = 0; j < 2000; j++)
				check(words[0] == first && words[PAGE / 8] == second);
			check(first >= second && first - second <= 1);
			_exit(0);
		}
		check(ended(child));
	}
	atomic_store(&stop_readers, true);
	pthread_join(writer, NULL);
}

static void test_lock(void)
{
	size_t size = 64 * PAGE;
	unsigned char present[64];
	uint8_t *at = map(size);
	size_t i;

	check(mlock(at, size) == 0 && mincore(at, size, present) == 0);
	for (i = 0; i < 64; i++)
		check(present[i] & 1);
	fill(at, size, 21);
	check(munlock(at, size) == 0 && holds(at, size, 21));
	check(madvise(at, size, MADV_PAGEOUT) == 0 || errno == EINVAL);
	check(holds(at, size, 21));
}

static const struct {
	const char *name;
	void (*run)(void);
} tests[] = {
	{ "fork", test_fork },		 { "protect", test_protect },
	{ "unmap", test_unmap },	 { "remap", test_remap },
	{ "shared", test_shared },	 { "discard", test_discard },
	{ "huge", test_huge },		 { "hugetlb", test_hugetlb },
	{ "stack", test_stack },	 { "foreign", test_foreign },
	{ "userfault", test_userfault }, { "lock", test_lock },
	{ "shootdown", test_shootdown }, { "fork_threads", test_fork_threads },
};

int main(void)
{
	size_t i;
	int status, failures = 0;
	pid_t child;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
		child = fork();
		if (child == 0) {
			catch_faults();
			tests[i].run();
			_exit(0);
		}
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 1;
		if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
			printf("memory: %s skipped\n", tests[i].name);
		} else if (status) {
			printf("memory: %s failed, status %#x\n", tests[i].name,
			       (unsigned int)status);
			failures++;
		}
	}
	return failures ? 1 : 0;
}
