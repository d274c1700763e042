// SPDX-License-Identifier: GPL-2.0
/* What the checks of address spaces have in common: patterns, faults, mappings, audits. */
#include "memory.h"

#include <setjmp.h>
#include <sys/mount.h>

static __thread sigjmp_buf fault_return;
static __thread void *volatile fault_address;
static __thread volatile int fault_signal;

static void on_fault(int signal, siginfo_t *info, void *context)
{
	(void)context;
	fault_signal = signal;
	fault_address = info->si_addr;
	siglongjmp(fault_return, 1);
}

static void on_fault_retry(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)info;
	(void)context;
	sched_yield();
}

static void set_handler(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NODEFER };

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
}

void retry_faults(void)
{
	set_handler(on_fault_retry);
}

int try_access(volatile void *at, enum access access)
{
	volatile uint8_t *byte = at;
	int result = 0;

	set_handler(on_fault);
	fault_signal = 0;
	if (sigsetjmp(fault_return, 1)) {
		result = fault_address == (void *)at ? fault_signal : -1;
	} else if (access == READ) {
		(void)*byte;
	} else if (access == WRITE) {
		*byte = *byte;
	} else {
		((void (*)(void))(uintptr_t)byte)();
	}
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	return result;
}

uint64_t pattern(uint64_t page, uint64_t seed)
{
	return (page + 1) * 0x9e3779b97f4a7c15ULL ^ seed;
}

void fill(void *from, size_t size, uint64_t seed)
{
	uint64_t i, *words = from;

	for (i = 0; i < size / PAGE; i++) {
		words[i * PAGE / 8] = pattern(i, seed);
		words[i * PAGE / 8 + PAGE / 8 - 1] = ~pattern(i, seed);
	}
}

bool holds_from(const void *from, size_t size, uint64_t seed, uint64_t first)
{
	const uint64_t *words = from;
	uint64_t i;

	for (i = 0; i < size / PAGE; i++)
		if (words[i * PAGE / 8] != pattern(first + i, seed) ||
		    words[i * PAGE / 8 + PAGE / 8 - 1] != ~pattern(first + i, seed))
			return false;
	return true;
}

bool holds(const void *from, size_t size, uint64_t seed)
{
	return holds_from(from, size, seed, 0);
}

bool is_zero(const void *from, size_t size)
{
	const uint64_t *words = from;
	size_t i;

	for (i = 0; i < size / 8; i++)
		if (words[i])
			return false;
	return true;
}

uint8_t *map(size_t size)
{
	uint8_t *at = mmap(NULL, size, READ_WRITE, ANONYMOUS, -1, 0);

	check(at != MAP_FAILED);
	return at;
}

uint8_t *map_aligned(size_t size)
{
	uint8_t *at = map(size + HUGE_PAGE);

	return (uint8_t *)(((uintptr_t)at + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1));
}

int make_file(size_t size)
{
	int file = memfd_create("memory", 0);

	check(file >= 0);
	check(ftruncate(file, (off_t)size) == 0);
	return file;
}

uint8_t *map_file(int file, size_t size, int flags)
{
	uint8_t *at = mmap(NULL, size, READ_WRITE, flags, file, 0);

	check(at != MAP_FAILED);
	return at;
}

pid_t fork_checked(void)
{
	pid_t child = fork();

	check(child >= 0);
	return child;
}

bool ended(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

pthread_t start_thread(void *(*run)(void *), void *argument)
{
	pthread_t thread;

	check(pthread_create(&thread, NULL, run, argument) == 0);
	return thread;
}

unsigned int thread_count(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	if (processors < 2)
		return 2;
	return processors > MAX_THREADS ? MAX_THREADS : (unsigned int)processors;
}

unsigned int rounds(void)
{
	const char *number = getenv("memory_rounds");

	return number && atoi(number) > 0 ? (unsigned int)atoi(number) : 1;
}

bool write_text(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);
	ssize_t length = (ssize_t)strlen(text);
	bool done = file >= 0 && write(file, text, (size_t)length) == length;

	if (file >= 0)
		close(file);
	return done;
}

static long read_line(const char *path, const char *prefix)
{
	FILE *file = fopen(path, "r");
	size_t length = strlen(prefix);
	char line[256];
	long number = -1;

	while (file && number < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, prefix, length) == 0)
			number = atol(line + length);
	if (file)
		fclose(file);
	return number;
}

long read_number(const char *path)
{
	return read_line(path, "");
}

long mib_free(void)
{
	return read_line("/proc/meminfo", "MemAvailable:") / 1024;
}

uint64_t pagemap(const void *at)
{
	int file = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	check(file >= 0);
	check(pread(file, &entry, 8, (off_t)((uintptr_t)at / PAGE * 8)) == 8);
	close(file);
	return entry;
}

void audit(void)
{
	int file = open("/sys/kernel/ringfence/audit", O_RDONLY);
	char answer[8] = "";
	ssize_t got;

	if (file < 0 && errno == ENOENT)
		return;
	check(file >= 0);
	got = read(file, answer, sizeof(answer) - 1);
	close(file);
	if (got < 0 && errno == EOPNOTSUPP)
		return;
	check(got == 3 && strcmp(answer, "ok\n") == 0);
}

void mount_disk(void)
{
	if (access("/dev/ram0", F_OK))
		memory_skip("no disk in RAM");
	check(unshare(CLONE_NEWNS) == 0);
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	check(mkdir(DISK, 0700) == 0 || errno == EEXIST);
	check(system("mke2fs /dev/ram0 >/dev/null 2>&1") == 0);
	if (mount("/dev/ram0", DISK, "ext2", 0, NULL))
		memory_skip("no ext2");
}

void unmount_disk(void)
{
	check(umount(DISK) == 0);
}
