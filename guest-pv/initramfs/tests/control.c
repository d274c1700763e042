// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ringfence: a program makes a tiny domain, looks at it, reads what it prints and destroys it; a file
 * that is locked to one domain serves no other. With arguments it does one thing to a domain, for tests
 * that have one:
 *
 *	control poweroff|reboot|pause|unpause|destroy DOMAIN
 *	control sysrq DOMAIN KEY
 *	control type DOMAIN TEXT	(and the Enter key)
 *	control state|console DOMAIN
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "abi/console.h"
#include "abi/control_device.h"
#include "abi/hypercall.h"
#include "abi/memory.h"
#include "check.h"

#define PAGE	    4096UL
#define FRAMES	    64U
#define BASE	    0xffffffff80000000UL
#define ENTRY_PAGE  1U
#define ROOT_PAGE   2U
#define LEVEL3_PAGE 3U
#define LEVEL2_PAGE 4U
#define DATA_PAGE   8U /* and what follows */
#define SECONDS	    20

static int device;

static int64_t call(unsigned long command, void *argument)
{
	return ioctl(device, command, argument);
}

/* --- A domain that prints "hi\n" and powers off, or spins --- */

/* Never called: what is between the two labels is copied. */
static __attribute__((used)) void guest(void)
{
	asm volatile(".pushsection .rodata\n"
		     "guest_code:\n"
		     "	lea	text(%rip), %rdi\n"
		     "	mov	$3, %esi\n"
		     "	mov	$1, %eax\n" /* console_write */
		     "	syscall\n"
		     "	cmpl	$0, spins(%rip)\n"
		     "1:	jne	1b\n"
		     "	xor	%edi, %edi\n"
		     "	mov	$26, %eax\n" /* shutdown */
		     "	syscall\n"
		     "	ud2\n"
		     "text:	.ascii	\"hi\\n\"\n"
		     "	.balign	4\n"
		     "spins:	.long	0\n"
		     "guest_code_end:\n"
		     ".popsection\n");
}

extern const char guest_code[], guest_code_end[];

_Static_assert(RF_HYPERCALL_console_write == 1 && RF_HYPERCALL_shutdown == 26,
	       "as in the code above");

static int64_t copy(uint32_t domain, uint32_t direction, uint64_t physical, const void *own,
		    uint32_t size)
{
	struct rf_domain_copy op = { direction, size, physical, (uintptr_t)own };
	struct rf_control_copy request = { domain, 1, (uintptr_t)&op };

	return call(RF_CONTROL_DOMAIN_COPY, &request);
}

static void write_entry(uint32_t domain, uint32_t page, uint32_t slot, uint64_t value)
{
	check(copy(domain, RF_COPY_TO, page * PAGE + slot * 8, &value, sizeof(value)) == 1);
}

static uint32_t create(const char *name)
{
	struct rf_control_create request = { .config = { .vcpus = 1, .frames_max = FRAMES } };

	strcpy(request.config.name, name);
	check(call(RF_CONTROL_DOMAIN_CREATE, &request) == 0);
	check(request.domain > 0);
	return request.domain;
}

static void populate(uint32_t domain)
{
	struct rf_memory_extent extents[FRAMES] = { 0 };
	struct rf_control_memory request = { domain, FRAMES, (uintptr_t)extents };

	for (unsigned i = 0; i < FRAMES; i++)
		extents[i].gfn = i;
	check(call(RF_CONTROL_MEMORY_POPULATE, &request) == FRAMES);
}

static void set_paused(uint32_t domain, bool paused)
{
	struct rf_control_set request = { domain, 0, { .mask = RF_SET_PAUSED, .paused = paused } };

	check(call(RF_CONTROL_DOMAIN_SET, &request) == 0);
}

static void build(uint32_t domain, bool spins)
{
	struct rf_control_set start = { domain, 0, { .mask = RF_SET_START } };
	uint32_t size = (uint32_t)(guest_code_end - guest_code);
	const uint64_t flags = 0x63; /* present, writable, accessed, dirty */
	uint32_t value = spins;

	populate(domain);
	check(copy(domain, RF_COPY_TO, ENTRY_PAGE * PAGE, guest_code, size) == 1);
	check(copy(domain, RF_COPY_TO, ENTRY_PAGE * PAGE + size - 4, &value, 4) == 1);
	write_entry(domain, ROOT_PAGE, 511, LEVEL3_PAGE * PAGE | flags);
	write_entry(domain, LEVEL3_PAGE, 510, LEVEL2_PAGE * PAGE | flags);
	write_entry(domain, LEVEL2_PAGE, 0, 0x80 | flags);
	start.set.entry = BASE + ENTRY_PAGE * PAGE;
	start.set.root = ROOT_PAGE * PAGE;
	check(call(RF_CONTROL_DOMAIN_SET, &start) == 0);
}

static struct rf_domain_info info_of(uint32_t domain)
{
	struct rf_control_info request = { .domain = domain };

	check(call(RF_CONTROL_DOMAIN_INFO, &request) == 0);
	return request.info;
}

static int64_t destroy(uint32_t domain)
{
	struct rf_control_domain request = { .domain = domain };

	return call(RF_CONTROL_DOMAIN_DESTROY, &request);
}

static int64_t trigger(uint32_t domain, uint32_t what, uint64_t argument, uint64_t length)
{
	struct rf_control_trigger request = { domain, what, argument, length };

	return call(RF_CONTROL_DOMAIN_TRIGGER, &request);
}

/* --- News --- */

static bool poll_device(int seconds)
{
	struct pollfd waiting = { .fd = device, .events = POLLIN };

	return poll(&waiting, 1, seconds * 1000) == 1;
}

static uint64_t read_news(void)
{
	uint64_t count = 0;

	check(read(device, &count, sizeof(count)) == sizeof(count) && count > 0);
	return count;
}

/* Sleeps until there is news, again and again, until the domain is in that state. */
static struct rf_domain_info wait_state(uint32_t domain, uint32_t state)
{
	struct rf_domain_info info = info_of(domain);

	while (info.state != state) {
		check(poll_device(SECONDS));
		read_news();
		info = info_of(domain);
	}
	return info;
}

static void end(uint32_t domain)
{
	struct rf_control_info request = { .domain = domain };

	check(destroy(domain) == 0);
	while (!call(RF_CONTROL_DOMAIN_INFO, &request)) {
		check(request.info.state == RF_DOMAIN_DYING);
		check(poll_device(SECONDS));
		read_news();
	}
	check(errno == ESRCH);
}

/* --- Checks --- */

static void check_life(void)
{
	uint32_t domain = create("tiny");
	struct rf_control_console read = { .domain = domain };
	struct rf_control_counters counters = { .domain = domain };
	char text[16] = "";

	build(domain, false);
	check(info_of(domain).state == RF_DOMAIN_PAUSED);
	set_paused(domain, false);
	check(wait_state(domain, RF_DOMAIN_SHUTDOWN).reason == RF_SHUTDOWN_POWEROFF);
	read.length = sizeof(text);
	read.text = (uintptr_t)text;
	check(call(RF_CONTROL_CONSOLE_READ, &read) == 3);
	check(!strcmp(text, "hi\n") && read.position == 3);
	check(call(RF_CONTROL_COUNTERS, &counters) == 0);
	check(counters.counters.hypercalls[RF_HYPERCALL_console_write] == 1);
	check(trigger(domain, RF_TRIGGER_POWEROFF, 0, 0) == -1 && errno == EBUSY);
	end(domain);
}

static void check_spinning(void)
{
	uint32_t domain = create("spins");
	uint64_t before;

	build(domain, true);
	set_paused(domain, false);
	before = info_of(domain).run_ns;
	while (info_of(domain).run_ns == before)
		usleep(1000);
	set_paused(domain, true);
	check(info_of(domain).state == RF_DOMAIN_PAUSED);
	check(trigger(domain, RF_TRIGGER_INPUT, (uintptr_t) "abc", 3) == 3);
	check(trigger(domain, RF_TRIGGER_SYSRQ, 'h', 0) == 0);
	end(domain);
}

/* As long as an operation may be, from any place in a page to any other. */
static void check_copies(void)
{
	static char out[RF_COPY_SIZE + PAGE], back[RF_COPY_SIZE + PAGE];
	uint32_t domain = create("copies");

	populate(domain);
	for (unsigned i = 0; i < 20; i++) {
		uint32_t size = (uint32_t)rand() % (RF_COPY_SIZE + 1);
		unsigned at = (unsigned)rand() % PAGE, to = (unsigned)rand() % PAGE;
		uint64_t physical = DATA_PAGE * PAGE + (unsigned)rand() % (8 * PAGE);

		for (unsigned j = 0; j < size; j++)
			out[at + j] = (char)rand();
		memset(back, 0, sizeof(back));
		check(copy(domain, RF_COPY_TO, physical, out + at, size) == 1);
		check(copy(domain, RF_COPY_FROM, physical, back + to, size) == 1);
		check(!memcmp(out + at, back + to, size));
		check(to + size == sizeof(back) || back[to + size] == 0);
	}
	end(domain);
}

static void check_bad_copies(void)
{
	uint32_t domain = create("bad");
	char *read_only =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct rf_control_copy many = { domain, RF_COPY_MAX + 1, (uintptr_t)read_only };

	check(read_only != MAP_FAILED);
	check(copy(domain, RF_COPY_TO, 0, read_only, 8) == -1 && errno == ENOENT);
	populate(domain);
	check(munmap(read_only + PAGE, PAGE) == 0);
	check(copy(domain, RF_COPY_TO, 0, read_only + PAGE - 8, 16) == -1 && errno == EFAULT);
	check(mprotect(read_only, PAGE, PROT_READ) == 0);
	check(copy(domain, RF_COPY_FROM, 0, read_only, 8) == -1 && errno == EFAULT);
	check(copy(domain, RF_COPY_TO, 0, read_only, 8) == 1);
	check(copy(domain, RF_COPY_TO, 0, (void *)BASE, 8) == -1 && errno == EFAULT);
	check(copy(domain, RF_COPY_TO, 0, NULL, 8) == -1 && errno == EFAULT);
	check(copy(domain, RF_COPY_TO, FRAMES * PAGE - 4, read_only, 8) == -1 && errno == ENOENT);
	check(copy(domain, 2, 0, read_only, 8) == -1 && errno == EINVAL);
	check(copy(domain, RF_COPY_TO, 0, read_only, RF_COPY_SIZE + 1) == -1 && errno == EINVAL);
	check(call(RF_CONTROL_DOMAIN_COPY, &many) == -1 && errno == E2BIG);
	check(copy(0, RF_COPY_FROM, 0, read_only, 8) == -1);
	end(domain);
}

/* What is the kernel's own, and what there is not. */
static void check_refusals(void)
{
	struct rf_control_console keyboard = { .domain = 0 };
	struct rf_control_memory own = { .domain = RF_DOMAIN_SELF };
	struct rf_control_create unnamed = { .config = { .vcpus = 1, .frames_max = 1 } };
	struct rf_control_set set = { .domain = 0 };

	check(call(RF_CONTROL_CONSOLE_READ, &keyboard) == -1 && errno == EINVAL);
	check(call(RF_CONTROL_MEMORY_RELEASE, &own) == -1 && errno == EINVAL);
	own.domain = 0;
	check(call(RF_CONTROL_MEMORY_POPULATE, &own) == -1 && errno == EINVAL);
	check(call(RF_CONTROL_DOMAIN_CREATE, &unnamed) == -1 && errno == EINVAL);
	check(call(RF_CONTROL_DOMAIN_SET, &set) == -1 && errno == EINVAL);
	check(call(RF_CONTROL_DOMAIN_INFO, NULL) == -1 && errno == EFAULT);
	check(call(RF_CONTROL(99, rf_control_domain), &own) == -1 && errno == ENOTTY);
	check(call(RF_CONTROL(5, rf_control_domain), &own) == -1 && errno == ENOTTY);
	check(destroy(0) == -1 && errno == EINVAL);
	check(destroy(1000) == -1 && errno == ESRCH);
}

static void check_log(void)
{
	char text[1001] = "";
	struct rf_control_console read = { .domain = RF_DOMAIN_HYPERVISOR,
					   .length = sizeof(text) - 1,
					   .text = (uintptr_t)text };

	check(call(RF_CONTROL_CONSOLE_READ, &read) > 100);
	check(strstr(text, "Ringfence"));
}

static int64_t lock_to(uint32_t domain)
{
	struct rf_control_domain request = { .domain = domain };

	return call(RF_CONTROL_LOCK, &request);
}

static int64_t try_info(uint32_t domain)
{
	struct rf_control_info request = { .domain = domain };

	return call(RF_CONTROL_DOMAIN_INFO, &request);
}

/* To one of two, which then goes; a third gets its number. */
static void check_lock(void)
{
	struct rf_control_create more = { .config = { "more", 1, 0, FRAMES, 0, { 0 } } };
	uint32_t mine = create("mine"), other = create("other");
	int all = device, locked = open(RF_CONTROL_DEVICE, O_RDWR);

	check(locked >= 0);
	device = locked;
	check(lock_to(0) == -1 && errno == EINVAL);
	check(lock_to(1000) == -1 && errno == ESRCH);
	check(lock_to(mine) == 0 && lock_to(mine) == 0);
	check(lock_to(other) == -1 && errno == EPERM);
	check(try_info(mine) == 0);
	check(try_info(other) == -1 && errno == EPERM);
	check(try_info(0) == -1 && errno == EPERM);
	check(destroy(other) == -1 && errno == EPERM);
	check(copy(other, RF_COPY_FROM, 0, &more, 8) == -1 && errno == EPERM);
	check(call(RF_CONTROL_DOMAIN_CREATE, &more) == -1 && errno == EPERM);
	device = all;
	end(mine);
	/* Numbers are given in turn: the rest of them come first. */
	for (uint32_t again = create("again"); again != mine; again = create("again"))
		end(again);
	device = locked;
	check(try_info(mine) == -1 && errno == EPERM);
	check(lock_to(mine) == -1 && errno == EPERM);
	check(close(locked) == 0);
	device = all;
	for (uint32_t domain = 1; domain < 1024; domain++)
		if (try_info(domain) == 0 && info_of(domain).frames_max == FRAMES)
			end(domain);
}

/* --- Domains that end with their maker */

static uint32_t create_fleeting(int file, bool fleeting)
{
	struct rf_control_create request = { .flags = fleeting ? RF_CONTROL_CREATE_FLEETING : 0,
					     .config = { "fleet", 1, 0, FRAMES, 0, { 0 } } };

	check(ioctl(file, RF_CONTROL_DOMAIN_CREATE, &request) == 0);
	return request.domain;
}

static int keep(int file, uint32_t domain, uint32_t reserved)
{
	struct rf_control_domain request = { domain, reserved };

	return ioctl(file, RF_CONTROL_DOMAIN_KEEP, &request);
}

static void wait_gone(uint32_t domain)
{
	while (!try_info(domain)) {
		check(info_of(domain).state == RF_DOMAIN_DYING);
		check(poll_device(SECONDS));
		read_news();
	}
}

/* Killed while it builds: nothing is told, so it may be at any point. */
static void make_and_die(int answer)
{
	int file = open(RF_CONTROL_DEVICE, O_RDWR);
	uint32_t domain = create_fleeting(file, true);

	check(write(answer, &domain, sizeof(domain)) == sizeof(domain));
	for (;;)
		pause();
}

static void check_killed(void)
{
	uint32_t domain;
	int ends[2];
	pid_t child;

	check(pipe(ends) == 0);
	child = fork();
	if (child == 0)
		make_and_die(ends[1]);
	check(read(ends[0], &domain, sizeof(domain)) == sizeof(domain));
	check(info_of(domain).state == RF_DOMAIN_PAUSED);
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	wait_gone(domain);
	check(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void check_fleeting(void)
{
	int file = open(RF_CONTROL_DEVICE, O_RDWR);
	uint32_t goes = create_fleeting(file, true), kept = create_fleeting(file, true);
	uint32_t usual = create_fleeting(file, false), ended = create_fleeting(file, true);
	struct rf_control_create wrong = { .flags = 2,
					   .config = { "fleet", 1, 0, FRAMES, 0, { 0 } } };

	check(ioctl(file, RF_CONTROL_DOMAIN_CREATE, &wrong) == -1 && errno == EINVAL);
	check(keep(file, kept, 1) == -1 && errno == EINVAL);
	check(keep(file, usual, 0) == -1 && errno == ENOENT);
	check(keep(device, kept, 0) == -1 && errno == ENOENT);
	check(keep(file, kept, 0) == 0);
	check(keep(file, kept, 0) == -1 && errno == ENOENT);
	end(ended);
	check(close(file) == 0);
	wait_gone(goes);
	check(info_of(kept).state == RF_DOMAIN_PAUSED && info_of(usual).state == RF_DOMAIN_PAUSED);
	end(kept);
	end(usual);
	check_killed();
}

static void check_file(void)
{
	struct stat status;
	uint64_t count;

	check(stat(RF_CONTROL_DEVICE, &status) == 0);
	check((status.st_mode & 07777) == 0600 && status.st_uid == 0);
	check(poll_device(0)); /* just opened: look at everything once */
	read_news();
	check(fcntl(device, F_SETFL, O_NONBLOCK) == 0);
	while (read(device, &count, sizeof(count)) > 0)
		;
	check(errno == EAGAIN && !poll_device(0));
	check(read(device, &count, 4) == -1 && errno == EINVAL);
	check(fcntl(device, F_SETFL, 0) == 0);
}

/* The description of a domain comes back a little later than its number: until nothing changes. */
static uint64_t free_frames(uint64_t expected)
{
	uint64_t frames = info_of(0).machine_frames_free;

	for (unsigned equal = 0, i = 0; frames != expected && equal < 20 && i < 200; i++) {
		uint64_t before = frames;

		usleep(50000);
		frames = info_of(0).machine_frames_free;
		equal = frames == before ? equal + 1 : 0;
	}
	return frames;
}

static void check_all(void)
{
	uint64_t free;

	check_file();
	check_log();
	check_refusals();
	check_life();
	free = free_frames(0);
	check_life();
	check_spinning();
	check_copies();
	check_bad_copies();
	check_lock();
	check_fleeting();
	for (unsigned i = 0; i < 20; i++)
		check_life();
	check(free_frames(free) == free);
}

/* --- One thing to a domain --- */

static void show_console(uint32_t domain)
{
	char text[1024];
	struct rf_control_console read = { .domain = domain,
					   .length = sizeof(text),
					   .text = (uintptr_t)text };
	int64_t count;

	while ((count = call(RF_CONTROL_CONSOLE_READ, &read)) > 0)
		check(fwrite(text, 1, (size_t)count, stdout) == (size_t)count);
}

static void type_line(uint32_t domain, const char *text)
{
	char line[RF_TRIGGER_INPUT_MAX];
	int size = snprintf(line, sizeof(line), "%s\n", text);

	check(size > 0 && size < (int)sizeof(line));
	check(trigger(domain, RF_TRIGGER_INPUT, (uintptr_t)line, (uint64_t)size) == size);
}

static void do_one(const char *what, uint32_t domain, const char *argument)
{
	if (!strcmp(what, "poweroff"))
		check(trigger(domain, RF_TRIGGER_POWEROFF, 0, 0) == 0);
	else if (!strcmp(what, "reboot"))
		check(trigger(domain, RF_TRIGGER_REBOOT, 0, 0) == 0);
	else if (!strcmp(what, "sysrq"))
		check(trigger(domain, RF_TRIGGER_SYSRQ, (unsigned char)argument[0], 0) == 0);
	else if (!strcmp(what, "type"))
		type_line(domain, argument);
	else if (!strcmp(what, "state"))
		printf("state %u\n", info_of(domain).state);
	else if (!strcmp(what, "console"))
		show_console(domain);
	else if (!strcmp(what, "destroy"))
		check(destroy(domain) == 0);
	else if (!strcmp(what, "pause") || !strcmp(what, "unpause"))
		set_paused(domain, what[0] == 'p');
	else
		check(!"a thing that can be done");
}

int main(int count, char **arguments)
{
	device = open(RF_CONTROL_DEVICE, O_RDWR);
	if (device < 0 && errno == ENOENT && count == 1)
		return SKIPPED;
	check(device >= 0);
	if (count > 2)
		do_one(arguments[1], (uint32_t)atoi(arguments[2]), count > 3 ? arguments[3] : "");
	else if (info_of(0).machine_frames_free < 8192)
		return SKIPPED;
	else
		check_all();
	return 0;
}
