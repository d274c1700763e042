// SPDX-License-Identifier: GPL-2.0
/* Large pages from the pool that is set aside for them, with a name and without. */
#include "memory.h"

#include <sys/mount.h>

#define POOL	"/proc/sys/vm/nr_hugepages"
#define FOLDER	"/tmp/memory-hugetlb"

static void reserve(long pages)
{
	char text[16];

	snprintf(text, sizeof(text), "%ld", pages);
	if (!write_text(POOL, text))
		memory_skip("no pool of large pages");
	/* What cannot be had in one piece cannot be helped. */
	if (read_number(POOL) < pages) {
		check(write_text(POOL, "0"));
		check(pages >= 4);
		memory_skip("memory is in too many pieces");
	}
}

static void test_hugetlb(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *at;
	pid_t child;
	int i;

	reserve(6);
	for (i = 0; i < 3; i++) {
		at = mmap(NULL, size, READ_WRITE, ANONYMOUS | MAP_HUGETLB, -1, 0);
		check(at != MAP_FAILED && is_zero(at, size));
		fill(at, size, 15);
		child = fork_checked();
		if (child == 0) {
			check(holds(at, size, 15));
			fill(at, size, 16);
			check(holds(at, size, 16));
			_exit(0);
		}
		check(ended(child) && holds(at, size, 15));
		fill(at, size, 17);
		audit();
		check(mprotect(at, HUGE_PAGE, PROT_READ) == 0);
		check(try_access(at + PAGE, WRITE) == SIGSEGV);
		check(try_access(at + HUGE_PAGE, WRITE) == 0);
		check(mprotect(at, size, READ_WRITE) == 0 && holds(at, size, 17));
		check(madvise(at, HUGE_PAGE, MADV_DONTNEED) == 0 && is_zero(at, HUGE_PAGE));
		check(munmap(at, HUGE_PAGE) == 0 && try_access(at + PAGE, READ) == SIGSEGV);
		check(holds_from(at + HUGE_PAGE, HUGE_PAGE, 17, 512));
		check(munmap(at + HUGE_PAGE, HUGE_PAGE) == 0);
	}
	check(write_text(POOL, "0"));
}

static void test_hugetlb_remap(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *from, *to = map_aligned(size);

	reserve(2);
	from = mmap(NULL, size, READ_WRITE, ANONYMOUS | MAP_HUGETLB, -1, 0);
	check(from != MAP_FAILED);
	fill(from, size, 18);
	check(munmap(to, size) == 0);
	check(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
	check(try_access(from, READ) == SIGSEGV && try_access(from + size - 1, READ) == SIGSEGV);
	check(holds(to, size, 18));
	check(munmap(to, size) == 0 && write_text(POOL, "0"));
}

/* A file of large pages: two mappings, a private copy, a hole, and an end that comes nearer. */
static void test_hugetlbfs(void)
{
	size_t size = 3 * HUGE_PAGE;
	uint8_t *a, *b, *own;
	int file;

	reserve(7);
	check(mkdir(FOLDER, 0700) == 0 || errno == EEXIST);
	check(unshare(CLONE_NEWNS) == 0);
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	check(mount("none", FOLDER, "hugetlbfs", 0, NULL) == 0);
	file = open(FOLDER "/file", O_RDWR | O_CREAT, 0600);
	check(file >= 0 && ftruncate(file, (off_t)size) == 0);
	a = map_file(file, size, MAP_SHARED);
	b = map_file(file, size, MAP_SHARED);
	own = map_file(file, size, MAP_PRIVATE);
	fill(a, size, 19);
	check(holds(b, size, 19) && holds(own, size, 19));
	fill(own, HUGE_PAGE, 20);
	check(holds(own, HUGE_PAGE, 20) && holds(a, size, 19));
	audit();
	check(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)HUGE_PAGE,
			(off_t)HUGE_PAGE) == 0);
	check(is_zero(b + HUGE_PAGE, HUGE_PAGE) && holds(own, HUGE_PAGE, 20));
	check(ftruncate(file, (off_t)HUGE_PAGE) == 0);
	check(try_access(a + HUGE_PAGE, READ) == SIGBUS && holds(b, HUGE_PAGE, 19));
	audit();
	check(munmap(a, size) == 0 && munmap(b, size) == 0 && munmap(own, size) == 0);
	check(close(file) == 0 && unlink(FOLDER "/file") == 0 && umount(FOLDER) == 0);
	check(write_text(POOL, "0"));
}

const struct memory_test hugetlb_tests[] = {
	{ "hugetlb", test_hugetlb, 0 },
	{ "hugetlb_remap", test_hugetlb_remap, 0 },
	{ "hugetlbfs", test_hugetlbfs, 0 },
	{ NULL, NULL, 0 }
};
