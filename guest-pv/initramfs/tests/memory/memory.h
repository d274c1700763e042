/* SPDX-License-Identifier: GPL-2.0 */
/* What the checks of address spaces have in common. */
#ifndef MEMORY_H
#define MEMORY_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define HUGE_PAGE	(2UL << 20)
#define MIB		(1UL << 20)
#define MAX_THREADS	8

#define ANONYMOUS	(MAP_PRIVATE | MAP_ANONYMOUS)
#define READ_WRITE	(PROT_READ | PROT_WRITE)

/* What older headers do not have. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif

/* Ends the process, which is that of one check, or a child of it, if the condition does not hold. */
#define check(condition)							\
	do {									\
		if (!(condition))						\
			memory_failed(__FILE__, __LINE__, #condition);		\
	} while (0)

_Noreturn void memory_failed(const char *file, int line, const char *condition);
/* Ends the check, which this kernel cannot do. */
_Noreturn void memory_skip(const char *why);

enum access { READ, WRITE, EXECUTE };

/* The signal that an access gets, or zero; -1 if it named another address. */
int try_access(volatile void *at, enum access access);
/* From now on such a signal is not caught but the access is tried again, until it succeeds. */
void retry_faults(void);

/* Page number i of the pattern says i and the seed, in its first and its last word. */
uint64_t pattern(uint64_t page, uint64_t seed);
void fill(void *from, size_t size, uint64_t seed);
bool holds(const void *from, size_t size, uint64_t seed);
/* Page number first of the pattern is at from. */
bool holds_from(const void *from, size_t size, uint64_t seed, uint64_t first);
bool is_zero(const void *from, size_t size);

uint8_t *map(size_t size);
/* Of 2 MiB, for large pages if there are any. */
uint8_t *map_aligned(size_t size);
/* Of memory, without a name. */
int make_file(size_t size);
uint8_t *map_file(int file, size_t size, int flags);

pid_t fork_checked(void);
/* The child ended well. */
bool ended(pid_t child);
pthread_t start_thread(void *(*run)(void *), void *argument);
/* As many as there are processors, within 2 and MAX_THREADS. */
unsigned int thread_count(void);
/* How often what is repeated is repeated: 1, or what was asked for. */
unsigned int rounds(void);

bool write_text(const char *path, const char *text);
/* -1 if there is none. */
long read_number(const char *path);
/* The entry of /proc/self/pagemap. */
uint64_t pagemap(const void *at);
#define PAGEMAP_PRESENT		(1ULL << 63)
#define PAGEMAP_SWAPPED		(1ULL << 62)
#define PAGEMAP_SOFT_DIRTY	(1ULL << 55)
#define PAGEMAP_FRAME(entry)	((entry) & ((1ULL << 55) - 1))
long mib_free(void);

/*
 * The hypervisor compares its shadow of this address space, and all others, with the page tables.
 * Nothing to do where there is no hypervisor, or one that cannot.
 */
void audit(void);

/* A file system on a disk in RAM, mounted at DISK, in a mount namespace of its own. */
#define DISK "/tmp/memory-disk"
void mount_disk(void);
void unmount_disk(void);

#define LONG 1 /* takes more than a second or so */

struct memory_test {
	const char *name;
	void (*run)(void);
	unsigned int flags;
};

extern const struct memory_test map_tests[], fork_tests[], file_tests[], advice_tests[],
	huge_tests[], hugetlb_tests[], swap_tests[], track_tests[], foreign_tests[], move_tests[],
	userfault_tests[], race_tests[];

#endif
