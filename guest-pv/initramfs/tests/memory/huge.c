// SPDX-License-Identifier: GPL-2.0
/* Transparent large pages: born, copied, split in every way, moved, and put together again. */
#include "memory.h"

#include <sys/mount.h>

#define SETTINGS "/sys/kernel/mm/transparent_hugepage/"

/* The kernel turns large pages off where there is less memory than 512 MiB; they work all the same. */
static uint8_t *large(size_t size)
{
	uint8_t *at = map_aligned(size);

	write_text(SETTINGS "enabled", "madvise");
	if (madvise(at, size, MADV_HUGEPAGE))
		memory_skip("no transparent large pages");
	return at;
}

static bool is_large(uint8_t *at)
{
	uint64_t first, last;

	*(volatile uint8_t *)at;
	first = pagemap(at);
	last = pagemap(at + HUGE_PAGE - PAGE);
	return (first & last & PAGEMAP_PRESENT) && PAGEMAP_FRAME(first) % 512 == 0 &&
	       PAGEMAP_FRAME(last) == PAGEMAP_FRAME(first) + 511;
}

static void check_copies(uint8_t *at, size_t size)
{
	pid_t child;

	fill(at, size, 15);
	check(holds(at, size, 15));
	child = fork_checked();
	if (child == 0) {
		check(holds(at, size, 15));
		fill(at, size, 16);
		check(holds(at, size, 16));
		_exit(0);
	}
	fill(at, PAGE, 15);
	check(ended(child) && holds(at, size, 15));
}

static void test_huge(void)
{
	size_t size = 4 * HUGE_PAGE;
	uint8_t *at = large(size);
	int i;

	for (i = 0; i < 3; i++) {
		check_copies(at, size);
		/* Parts: the large pages are split. */
		check(mprotect(at + 3 * PAGE, PAGE, PROT_READ) == 0);
		check(try_access(at + 3 * PAGE, WRITE) == SIGSEGV);
		check(try_access(at + 4 * PAGE, WRITE) == 0);
		audit();
		check(mprotect(at + 3 * PAGE, PAGE, READ_WRITE) == 0 && holds(at, size, 15));
		check(madvise(at + HUGE_PAGE + PAGE, PAGE, MADV_DONTNEED) == 0);
		check(is_zero(at + HUGE_PAGE + PAGE, PAGE));
		check(holds_from(at + HUGE_PAGE + 2 * PAGE, PAGE, 15, HUGE_PAGE / PAGE + 2));
		fill(at, size, 15);
		check(madvise(at, size, MADV_DONTNEED) == 0 && is_zero(at, size));
	}
}

/* The rights of whole large pages. */
static void test_huge_protect(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *at = large(size);
	int i;

	fill(at, size, 17);
	for (i = 0; i < 5; i++) {
		check(mprotect(at, HUGE_PAGE, PROT_READ) == 0);
		check(try_access(at + PAGE, WRITE) == SIGSEGV);
		check(try_access(at + HUGE_PAGE, WRITE) == 0);
		audit();
		check(mprotect(at, size, PROT_NONE) == 0);
		check(try_access(at, READ) == SIGSEGV && try_access(at + size - 1, READ) == SIGSEGV);
		check(mprotect(at, size, READ_WRITE) == 0 && holds(at, size, 17));
		check(try_access(at + 5 * PAGE, EXECUTE) == SIGSEGV);
	}
}

static void test_collapse(void)
{
	size_t size = 4 * HUGE_PAGE;
	uint8_t *at = large(size);
	pid_t child;
	int i, together = 0;

	for (i = 0; i < 4; i++) {
		check(madvise(at, size, MADV_NOHUGEPAGE) == 0);
		check(madvise(at, size, MADV_DONTNEED) == 0);
		fill(at, size, 18);
		check(madvise(at, size, MADV_HUGEPAGE) == 0);
		if (madvise(at, size, MADV_COLLAPSE)) {
			check(errno == ENOMEM || errno == EAGAIN || errno == EBUSY);
			check(holds(at, size, 18));
			continue;
		}
		together += is_large(at) && is_large(at + size - HUGE_PAGE);
		audit();
		check(holds(at, size, 18));
		fill(at, size, 19);
		child = fork_checked();
		if (child == 0) {
			check(munmap(at + HUGE_PAGE, PAGE) == 0);
			fill(at, HUGE_PAGE, 20);
			check(holds(at, HUGE_PAGE, 20));
			_exit(0);
		}
		check(ended(child) && holds(at, size, 19));
	}
	check(together > 0 || mib_free() < 64);
}

/* The kernel's own thread puts together what is used, while it is written and read. */
static void test_khugepaged(void)
{
	size_t size = 4 * HUGE_PAGE;
	uint8_t *at = large(size);
	uint64_t i;

	check(madvise(at, size, MADV_NOHUGEPAGE) == 0);
	fill(at, size, 1000);
	check(write_text(SETTINGS "khugepaged/scan_sleep_millisecs", "10"));
	check(write_text(SETTINGS "khugepaged/alloc_sleep_millisecs", "10"));
	check(write_text(SETTINGS "khugepaged/pages_to_scan", "4096"));
	check(madvise(at, size, MADV_HUGEPAGE) == 0);
	for (i = 0; i < 400; i++) {
		check(holds(at, size, 1000 + i));
		fill(at, size, 1001 + i);
		if (i > 50 && is_large(at) && is_large(at + size - HUGE_PAGE))
			break;
		usleep(5000);
	}
	audit();
	check(write_text(SETTINGS "khugepaged/scan_sleep_millisecs", "10000"));
	check(i < 400 || mib_free() < 64);
}

/* By 2 MiB the entry moves; by another distance the page is split. */
static void test_huge_remap(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *from = large(size), *to = map_aligned(2 * size), *odd = to + size + 3 * PAGE;
	int i;

	for (i = 0; i < 3; i++) {
		fill(from, size, 21);
		check(mremap(from, size, size, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to);
		check(try_access(from, READ) == SIGSEGV && holds(to, size, 21));
		check(try_access(from + size - PAGE, READ) == SIGSEGV);
		audit();
		check(mremap(to, HUGE_PAGE, HUGE_PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, odd) == odd);
		check(try_access(to, READ) == SIGSEGV && holds(odd, HUGE_PAGE, 21));
		check(holds_from(to + HUGE_PAGE, HUGE_PAGE, 21, 512));
		check(munmap(odd, HUGE_PAGE) == 0 && munmap(to + HUGE_PAGE, HUGE_PAGE) == 0);
		check(mmap(from, size, READ_WRITE, ANONYMOUS | MAP_FIXED, -1, 0) == from);
		check(madvise(from, size, MADV_HUGEPAGE) == 0);
	}
}

static void test_huge_unmap(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *at;
	int i;

	for (i = 0; i < 5; i++) {
		at = large(size);
		fill(at, size, 22);
		check(munmap(at + HUGE_PAGE - 8 * PAGE, 16 * PAGE) == 0);
		check(try_access(at + HUGE_PAGE - PAGE, READ) == SIGSEGV);
		check(try_access(at + HUGE_PAGE, WRITE) == SIGSEGV);
		check(holds(at, HUGE_PAGE - 8 * PAGE, 22));
		check(holds_from(at + HUGE_PAGE + 8 * PAGE, HUGE_PAGE - 8 * PAGE, 22, 520));
		audit();
		check(munmap(at, size) == 0 && try_access(at, READ) == SIGSEGV);
		check(try_access(at + size - PAGE, READ) == SIGSEGV);
	}
}

/* The large page of zeros: read, then written in part. */
static void test_huge_zero(void)
{
	size_t size = 2 * HUGE_PAGE;
	uint8_t *at = large(size), *other = large(size);

	check(is_zero(at, size) && is_zero(other, size));
	fill(at + 7 * PAGE, PAGE, 23);
	check(holds(at + 7 * PAGE, PAGE, 23) && is_zero(at, 7 * PAGE));
	check(is_zero(at + 8 * PAGE, size - 8 * PAGE) && is_zero(other, size));
}

/* Large pages of a file: shared by two mappings, with a hole punched into them. */
static void test_huge_file(void)
{
	size_t size = 4 * HUGE_PAGE;
	const char *path = "/tmp/memory-huge";
	uint8_t *area = map(2 * (size + HUGE_PAGE)), *a, *b;
	int file;

	a = (uint8_t *)(((uintptr_t)area + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
	b = a + size;
	check(mkdir(path, 0700) == 0 || errno == EEXIST);
	check(unshare(CLONE_NEWNS) == 0);
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	if (mount("tmpfs", path, "tmpfs", 0, "huge=always"))
		memory_skip("no large pages in files");
	file = open("/tmp/memory-huge/file", O_RDWR | O_CREAT, 0600);
	check(file >= 0 && ftruncate(file, (off_t)size) == 0);
	check(mmap(a, size, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == a);
	check(mmap(b, size, READ_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == b);
	fill(a, size, 24);
	check(holds(b, size, 24));
	audit();
	check(mprotect(b, size, PROT_READ) == 0 && try_access(b + PAGE, WRITE) == SIGSEGV);
	fill(a, size, 25);
	check(holds(b, size, 25));
	check(fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 5 * PAGE, PAGE) == 0);
	check(is_zero(a + 5 * PAGE, PAGE) && is_zero(b + 5 * PAGE, PAGE));
	check(holds_from(b + 6 * PAGE, size - 6 * PAGE, 25, 6) && holds(a, 5 * PAGE, 25));
	check(ftruncate(file, HUGE_PAGE + 3 * PAGE) == 0);
	check(try_access(a + HUGE_PAGE + 3 * PAGE, READ) == SIGBUS);
	check(try_access(b + HUGE_PAGE + 2 * PAGE, READ) == 0);
	audit();
	check(munmap(a, size) == 0 && munmap(b, size) == 0 && close(file) == 0);
	check(umount(path) == 0);
}

const struct memory_test huge_tests[] = {
	{ "huge", test_huge, 0 },
	{ "huge_protect", test_huge_protect, 0 },
	{ "collapse", test_collapse, LONG },
	{ "khugepaged", test_khugepaged, 0 },
	{ "huge_remap", test_huge_remap, 0 },
	{ "huge_unmap", test_huge_unmap, 0 },
	{ "huge_zero", test_huge_zero, 0 },
	{ "huge_file", test_huge_file, 0 },
	{ NULL, NULL, 0 }
};
