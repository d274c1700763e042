// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the control domain makes domains, builds, starts, pauses, asks, reads and ends them;
 * that it is told what is new of them; that every bad argument is refused and changes nothing; and that
 * nobody else can do any of that.
 */
/* covers: domain_create, domain_set, domain_copy, domain_trigger, console_read, event_listen */
/* covers: memory_populate, domain_info, domain_destroy */
/* timeout: 150 */
/* status: 0 1 */
#include "child.h"
#include "test.h"

#include "abi/console.h"

const char test_title[] = "domains made by the control domain";

static struct rf_domain_info info_of(uint32_t domain)
{
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info of %u", domain);
	return info;
}

/* --- life --- */

static void check_output(uint32_t domain, const char *expected)
{
	char text[64] = {};
	uint64_t position = 0;

	CHECK_EQ(hv_console_read(domain, ADDRESS(text), sizeof(text), ADDRESS(&position)),
		 strlen(expected), "output of %u", domain);
	CHECK(!strcmp(text, expected), "output of %u: '%s'", domain, text);
	CHECK_EQ(position, strlen(expected), "position");
}

static void hello(void)
{
	uint32_t domain = child_create("hello", CHILD_SAYS_HELLO, 1);
	struct rf_domain_info info = info_of(domain);

	CHECK_EQ(info.state, RF_DOMAIN_PAUSED, "made");
	CHECK_EQ(info.frames, CHILD_FRAMES, "made");
	CHECK_EQ(info.vcpus_up, 0, "made");
	CHECK(!strcmp(info.name, "hello"), "%s", info.name);
	CHECK(info.machine_frames_free > 0 && info.machine_frames > info.machine_frames_free,
	      "%lu of %lu", info.machine_frames_free, info.machine_frames);
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	CHECK_EQ(domain_wait_end(domain, 20, &info), RF_DOMAIN_SHUTDOWN, "hello");
	CHECK_EQ(info.reason, RF_SHUTDOWN_POWEROFF, "hello");
	CHECK_EQ(info.console_bytes, 6, "hello");
	check_output(domain, "hello\n");
	CHECK_EQ(child_set_paused(domain, false), -EBUSY, "after its end");
	child_end(domain);
}

/* Started, and waited for; how it ended. */
static struct rf_domain_info run_to_end(uint32_t domain, uint32_t state)
{
	struct rf_domain_info info = {};

	CHECK_EQ(child_set_paused(domain, false), 0, "start %u", domain);
	CHECK_EQ(domain_wait_end(domain, 20, &info), state, "domain %u", domain);
	return info;
}

static void ends(void)
{
	uint32_t domain = child_create("reboots", CHILD_REBOOTS, 1);

	CHECK_EQ(run_to_end(domain, RF_DOMAIN_SHUTDOWN).reason, RF_SHUTDOWN_REBOOT, "reboots");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_POWEROFF, 0, 0), -EBUSY, "after its end");
	CHECK_EQ(child_mark(domain).count[0], 0, "memory after its end");
	child_end(domain);
	domain = child_create("crashes", CHILD_CRASHES, 1);
	CHECK_EQ(run_to_end(domain, RF_DOMAIN_CRASHED).reason, RF_SHUTDOWN_CRASH, "crashes");
	child_end(domain);
	/* Its root is in its memory, its entry is not: it dies alone. */
	domain = child_create("lost", CHILD_SPINS, 1);
	CHECK_EQ(child_set_start(domain, 0xffffffff80000000 + CHILD_FRAMES * PAGE_SIZE, 0x4000, 0),
		 0, "lost");
	run_to_end(domain, RF_DOMAIN_CRASHED);
	child_end(domain);
}

/* --- the console, and what it is asked --- */

static void type(uint32_t domain, const char *text)
{
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_INPUT, ADDRESS(text), strlen(text)),
		 strlen(text), "type");
}

static void wait_printed(uint32_t domain, uint64_t bytes)
{
	uint64_t end_ns = clock_ns() + 20 * SECOND;

	while (info_of(domain).console_bytes < bytes && clock_ns() < end_ns)
		hv_yield();
	CHECK_EQ(info_of(domain).console_bytes, bytes, "printed by %u", domain);
}

static void echoes(void)
{
	static const char zeroes[RF_TRIGGER_INPUT_MAX];
	uint32_t domain = child_create("echo", CHILD_ECHOES, 1);
	struct rf_domain_info info;

	/* What is typed before it starts waits for it, as much as there is room for. */
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_SYSRQ, 'h', 0), 0, "sysrq");
	type(domain, "abc");
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	wait_printed(domain, 5);
	check_output(domain, "\x0fh"
			     "abc");
	CHECK_EQ(child_set_paused(domain, true), 0, "pause");
	clock_sleep(10 * MILLISECOND);
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_INPUT, ADDRESS(zeroes), 255), 255, "fill");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_SYSRQ, 's', 0), -EAGAIN, "no room for two");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_INPUT, ADDRESS("xy"), 2), 1, "room for one");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_REBOOT, 0, 0), 0, "ask");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_POWEROFF, 0, 0), 0, "ask again");
	CHECK_EQ(info_of(domain).requests, 2, "asked twice");
	CHECK_EQ(child_set_paused(domain, false), 0, "go on");
	CHECK_EQ(domain_wait_end(domain, 20, &info), RF_DOMAIN_SHUTDOWN, "asked");
	CHECK_EQ(info.reason, RF_SHUTDOWN_POWEROFF, "the last counts");
	child_end(domain);
}

/* A guest that prints without end: its last words are there, what is lost is known. */
static void floods(void)
{
	uint32_t domain = child_create("floods", CHILD_FLOODS, 1);
	uint64_t position = 0, read = 0, lost = 0, i;
	static char text[RF_CONSOLE_RING];
	int64_t got;

	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	while (info_of(domain).console_bytes < 3 * RF_CONSOLE_RING)
		hv_yield();
	for (i = 0; i < 20; i++) {
		uint64_t before = position;

		got = hv_console_read(domain, ADDRESS(text), sizeof(text), ADDRESS(&position));
		if (!CHECK(got >= 0 && got <= 4096, "read: %ld", got))
			break;
		read += (uint64_t)got;
		lost += position - before - (uint64_t)got;
		/* It prints six bytes at a time, and what is there is where it should be. */
		if (got)
			CHECK_EQ(text[0], "hello\n"[(position - (uint64_t)got) % 6], "at %lu",
				 position);
	}
	CHECK(lost >= 2 * RF_CONSOLE_RING - 64, "%lu lost", lost);
	CHECK_EQ(read + lost, position, "position");
	CHECK_EQ(child_set_paused(domain, true), 0, "pause");
	position = 0;
	for (read = 0;
	     (got = hv_console_read(domain, ADDRESS(text), 1000, ADDRESS(&position))) > 0;)
		read += (uint64_t)got;
	CHECK_EQ(read, RF_CONSOLE_RING, "all that is kept");
	position = ~0UL;
	CHECK(hv_console_read(domain, ADDRESS(text), 10, ADDRESS(&position)) == 10, "beyond");
	child_end(domain);
}

static void reads_log(void)
{
	static char text[4096];
	uint64_t position = 0;
	int64_t got = hv_console_read(RF_DOMAIN_HYPERVISOR, ADDRESS(text), sizeof(text) - 1,
				      ADDRESS(&position));

	CHECK(got > 100 && (uint64_t)got == position, "%ld at %lu", got, position);
	CHECK_EQ(hv_console_read(RF_DOMAIN_HYPERVISOR, ADDRESS(text), 10, 0), -EFAULT, "position");
}

/* --- news --- */

static void news(void)
{
	uint32_t domain = child_create("news", CHILD_ECHOES, 1);
	int64_t port = hv_event_listen(RF_DOMAIN_HYPERVISOR);
	uint64_t position = 0;
	char text[8];

	if (!CHECK(port > 0, "listen: %ld", port))
		return;
	event_reset((uint32_t)port);
	event_unmask((uint32_t)port);
	CHECK_EQ(hv_event_listen(RF_DOMAIN_HYPERVISOR), -EBUSY, "twice");
	CHECK_EQ(hv_event_send((uint64_t)port), -EINVAL, "send");
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	type(domain, "a");
	event_wait((uint32_t)port, 1);
	/* Until it has been read, there is nothing new to tell. */
	type(domain, "b");
	wait_printed(domain, 2);
	clock_sleep(10 * MILLISECOND);
	CHECK_EQ(event_count((uint32_t)port), 1, "not read yet");
	CHECK_EQ(hv_console_read(domain, ADDRESS(text), sizeof(text), ADDRESS(&position)), 2,
		 "read");
	type(domain, "c");
	event_wait((uint32_t)port, 2);
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_POWEROFF, 0, 0), 0, "ask");
	event_wait((uint32_t)port, 3);
	child_end(domain);
	event_wait((uint32_t)port, 4);
	CHECK_EQ(hv_event_close((uint64_t)port), 0, "close");
	port = hv_event_listen(RF_DOMAIN_HYPERVISOR);
	CHECK(port > 0, "again: %ld", port);
	test_audit();
	CHECK_EQ(hv_event_close((uint64_t)port), 0, "close");
}

/* --- an NMI --- */

static void wait_counting(uint32_t domain)
{
	uint64_t end_ns = clock_ns() + 20 * SECOND;

	while (!child_mark(domain).count[0] && clock_ns() < end_ns)
		hv_poll(clock_ns() + MILLISECOND);
	CHECK(child_mark(domain).count[0], "it does not run");
}

/* It reaches one whose interrupts are off; one that has no trap for it does not notice. */
static void test_nmi(void)
{
	uint32_t domain = child_create("awaits", CHILD_AWAITS, 1);
	struct rf_domain_info info = {};

	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_NMI, 0, 0), -EINVAL, "down");
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	wait_counting(domain);
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_NMI, 1, 0), -EINVAL, "no such vCPU");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_NMI, 0, 1), -EINVAL, "length");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_NMI, 0, 0), 0, "send");
	CHECK_EQ(domain_wait_end(domain, 60, &info), RF_DOMAIN_SHUTDOWN, "ends");
	CHECK_EQ(info.reason, RF_SHUTDOWN_REBOOT, "its handler did it");
	child_end(domain);

	domain = child_create("spins", CHILD_SPINS, 1);
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	wait_counting(domain);
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_NMI, 0, 0), 0, "send");
	clock_sleep(10 * MILLISECOND);
	CHECK_EQ(hv_domain_info(domain, ADDRESS(&info)), 0, "info");
	CHECK_EQ(info.state, RF_DOMAIN_RUNNING, "still");
	child_end(domain);
}

/* --- bad arguments --- */

static void bad_config(const char *name, uint32_t vcpus, uint32_t flags, uint64_t frames,
		       uint64_t shadow, uint64_t reserved)
{
	struct rf_domain_config config = { .vcpus = vcpus,
					   .flags = flags,
					   .frames_max = frames,
					   .shadow_frames = shadow,
					   .reserved = { [7] = reserved } };

	memcpy(config.name, name, strlen(name));
	CHECK_EQ(hv_domain_create(ADDRESS(&config)), -EINVAL, "'%s' %u %u %lu %lu %lu", name, vcpus,
		 flags, frames, shadow, reserved);
}

static void bad_creates(void)
{
	bad_config("", 1, 0, 16, 0, 0);
	bad_config("a b", 1, 0, 16, 0, 0);
	bad_config("a\n", 1, 0, 16, 0, 0);
	bad_config("01234567890123456789012345678901", 1, 0, 16, 0, 0);
	bad_config("a", 0, 0, 16, 0, 0);
	bad_config("a", 65, 0, 16, 0, 0);
	bad_config("a", ~0U, 0, 16, 0, 0);
	bad_config("a", 1, 2, 16, 0, 0);
	bad_config("a", 1, 0, 0, 0, 0);
	bad_config("a", 1, 0, RF_CREATE_FRAMES_MAX + 1, 0, 0);
	bad_config("a", 1, 0, ~0UL, 0, 0);
	bad_config("a", 1, 0, 16, RF_CREATE_SHADOW_FRAMES + 1, 0);
	bad_config("a", 1, 0, 16, ~0UL, 0);
	bad_config("a", 1, 0, 16, 0, 1);
	CHECK_EQ(hv_domain_create(0), -EFAULT, "at 0");
	CHECK_EQ(hv_domain_create(HYPERVISOR_START), -EFAULT, "in the hypervisor");
	CHECK_EQ(hv_domain_create(~0UL - 8), -EFAULT, "at the end");
}

static void bad_set(uint32_t domain, struct rf_domain_set set, int64_t error, const char *what)
{
	CHECK_EQ(hv_domain_set(domain, ADDRESS(&set)), error, "%s", what);
}

#define BAD_SET(domain, error, ...)                                                                \
	bad_set(domain, (struct rf_domain_set){ __VA_ARGS__ }, error, #__VA_ARGS__)

static void bad_sets(uint32_t domain)
{
	BAD_SET(domain, -EINVAL, .mask = RF_SET_ALL + 1);
	BAD_SET(domain, -EINVAL, .reserved0 = 1);
	BAD_SET(domain, -EINVAL, .reserved1 = { [3] = 1 });
	BAD_SET(domain, -EINVAL, .mask = RF_SET_NAME);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_NAME, .name = "a/b");
	BAD_SET(domain, -EINVAL, .mask = RF_SET_WEIGHT, .weight = 0);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_WEIGHT, .weight = 65536);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_CAP, .cap = 101);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_AFFINITY, .affinity = 1, .vcpu = 1);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_AFFINITY, .affinity = 0);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_AFFINITY, .affinity = 1UL << 63);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_FRAMES_MAX, .frames_max = 0);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_FRAMES_MAX, .frames_max = 513);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_PAUSED, .paused = 2);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_PAUSED, .paused = 0); /* no start yet */
	BAD_SET(domain, -EINVAL, .mask = RF_SET_START, .entry = 1UL << 63, .root = 0);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_START, .entry = HYPERVISOR_START, .root = 0);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_START, .entry = 0, .root = 8);
	BAD_SET(domain, -EINVAL, .mask = RF_SET_START, .entry = 0, .root = 0); /* no memory yet */
	BAD_SET(domain, 0, .mask = 0);
	BAD_SET(domain, 0, .mask = RF_SET_PAUSED, .paused = 1);
	BAD_SET(0, -EINVAL, .mask = 0);
	BAD_SET(999, -ESRCH, .mask = 0);
	CHECK_EQ(hv_domain_set(domain, 0), -EFAULT, "at 0");
	/* Whatever was refused beside it, nothing was done. */
	BAD_SET(domain, -EINVAL, .mask = RF_SET_WEIGHT | RF_SET_CAP, .weight = 7, .cap = 101);
	CHECK_EQ(info_of(domain).weight, 256, "weight");
	CHECK(!strcmp(info_of(domain).name, "bad"), "%s", info_of(domain).name);
	BAD_SET(domain, 0, .mask = RF_SET_NAME | RF_SET_WEIGHT | RF_SET_CAP, .name = "renamed",
		.weight = 7, .cap = 50);
	CHECK_EQ(info_of(domain).weight, 7, "weight");
	CHECK_EQ(info_of(domain).cap, 50, "cap");
	CHECK(!strcmp(info_of(domain).name, "renamed"), "%s", info_of(domain).name);
}

static void bad_copy(uint32_t domain, uint32_t direction, uint64_t physical, uint64_t address,
		     uint32_t size, int64_t error)
{
	struct rf_domain_copy op = { .direction = direction,
				     .size = size,
				     .physical = physical,
				     .address = address };

	CHECK_EQ(hv_domain_copy(domain, ADDRESS(&op), 1), error, "%u %#lx %#lx %u", direction,
		 physical, address, size);
}

/* A child with all its memory. */
static void bad_copies(uint32_t domain)
{
	static uint8_t own[2 * PAGE_SIZE];
	struct rf_domain_copy two[] = { { .size = 8, .address = ADDRESS(own) },
					{ .direction = 2 } };

	bad_copy(domain, 2, 0, ADDRESS(own), 1, -EINVAL);
	bad_copy(domain, RF_COPY_TO, 0, ADDRESS(own), RF_COPY_SIZE + 1, -EINVAL);
	bad_copy(domain, RF_COPY_TO, ~0UL, ADDRESS(own), 2, -EINVAL);
	bad_copy(domain, RF_COPY_TO, 0, ~0UL, 2, -EINVAL);
	bad_copy(domain, RF_COPY_TO, CHILD_FRAMES * PAGE_SIZE, ADDRESS(own), 1, -ENOENT);
	bad_copy(domain, RF_COPY_FROM, 1UL << 50, ADDRESS(own), 1, -ENOENT);
	bad_copy(domain, RF_COPY_FROM, CHILD_FRAMES * PAGE_SIZE - 8, ADDRESS(own), 16, -ENOENT);
	bad_copy(domain, RF_COPY_FROM, 0, 0, 1, -EFAULT);
	bad_copy(domain, RF_COPY_FROM, 0, HYPERVISOR_START, 1, -EFAULT);
	bad_copy(domain, RF_COPY_FROM, 0, IMAGE_BASE + 0x1000000, 1, -EFAULT); /* read only */
	bad_copy(0, RF_COPY_FROM, 0, ADDRESS(own), 1, -EINVAL);
	bad_copy(999, RF_COPY_FROM, 0, ADDRESS(own), 1, -ESRCH);
	CHECK_EQ(hv_domain_copy(domain, 0, 1), -EFAULT, "at 0");
	CHECK_EQ(hv_domain_copy(domain, ~0UL - 8, 2), -EFAULT, "at the end");
	CHECK_EQ(hv_domain_copy(domain, ADDRESS(two), RF_COPY_MAX + 1), -E2BIG, "too many");
	CHECK_EQ(hv_domain_copy(domain, ADDRESS(two), 0), 0, "none");
	CHECK_EQ(hv_domain_copy(domain, ADDRESS(two), 2), 1, "the second is bad");
}

/* To its memory and back, at every alignment, over page borders. */
static void good_copies(uint32_t domain)
{
	static uint8_t to[3 * PAGE_SIZE], from[3 * PAGE_SIZE];
	uint32_t i, j;

	for (i = 0; i < 40; i++) {
		uint64_t physical = 10 * PAGE_SIZE + random_below(PAGE_SIZE);
		uint64_t at = random_below(PAGE_SIZE);
		uint32_t size = (uint32_t)random_below(2 * PAGE_SIZE);

		for (j = 0; j < size; j++)
			to[at + j] = (uint8_t)random_u64();
		memset(from, 0, sizeof(from));
		CHECK_EQ(child_write(domain, physical, to + at, size), 0, "write");
		CHECK_EQ(child_read(domain, from + at / 2, physical, size), 0, "read");
		CHECK(!memcmp(to + at, from + at / 2, size), "%u bytes at %#lx", size, physical);
		CHECK_EQ(from[at / 2 + size], 0, "a byte too many");
	}
}

/* A call ends soon after RF_COPY_BYTES. */
static void long_copies(uint32_t domain)
{
	static struct rf_domain_copy ops[RF_COPY_MAX];
	uint64_t pages = (uint64_t)pages_alloc(16, PAGE_SIZE);
	uint32_t i;

	for (i = 0; i < RF_COPY_MAX; i++)
		ops[i] = (struct rf_domain_copy){ .size = 12 * PAGE_SIZE, .address = pages };
	CHECK_EQ(hv_domain_copy(domain, ADDRESS(ops), RF_COPY_MAX),
		 (RF_COPY_BYTES + 12 * PAGE_SIZE - 1) / (12 * PAGE_SIZE), "a long one");
}

static void bad_triggers(uint32_t domain)
{
	static char text[RF_TRIGGER_INPUT_MAX + 1];

	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGERS, 0, 0), -EINVAL, "what");
	CHECK_EQ(hv_domain_trigger(domain, ~0UL, 0, 0), -EINVAL, "what");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_POWEROFF, 1, 0), -EINVAL, "argument");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_REBOOT, 0, 1), -EINVAL, "length");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_SYSRQ, 0, 0), -EINVAL, "key");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_SYSRQ, 128, 0), -EINVAL, "key");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_INPUT, ADDRESS(text), sizeof(text)), -E2BIG,
		 "input");
	CHECK_EQ(hv_domain_trigger(domain, RF_TRIGGER_INPUT, 0, 1), -EFAULT, "input");
	CHECK_EQ(hv_domain_trigger(0, RF_TRIGGER_POWEROFF, 0, 0), -EINVAL, "itself");
	CHECK_EQ(hv_domain_trigger(999, RF_TRIGGER_POWEROFF, 0, 0), -ESRCH, "nobody");
}

static void bad_reads(uint32_t domain)
{
	uint64_t position = 0;
	char text[8];

	CHECK_EQ(hv_console_read(domain, ADDRESS(text), 8, 0), -EFAULT, "position");
	CHECK_EQ(hv_console_read(999, ADDRESS(text), 8, ADDRESS(&position)), -ESRCH, "nobody");
	CHECK_EQ(hv_console_read(RF_DOMAIN_SELF, ADDRESS(text), 8, ADDRESS(&position)), -EINVAL,
		 "typed");
	CHECK_EQ(hv_console_read(domain, 0, 8, ADDRESS(&position)), 0, "nothing to read");
}

static void bad_memory(uint32_t domain)
{
	struct rf_memory_extent extent = { .gfn = 100 };
	struct rf_domain_set set = { .mask = RF_SET_FRAMES_MAX, .frames_max = CHILD_FRAMES + 1 };

	CHECK_EQ(hv_memory_populate(999, ADDRESS(&extent), 1), -ESRCH, "nobody");
	CHECK_EQ(hv_memory_release(999, ADDRESS(&extent), 1), -ESRCH, "nobody");
	CHECK_EQ(hv_memory_populate(domain, ADDRESS(&extent), 1), -ENOSPC, "at its limit");
	CHECK_EQ(hv_domain_set(domain, ADDRESS(&set)), 0, "limit");
	CHECK_EQ(hv_memory_populate(domain, ADDRESS(&extent), 1), 1, "below its limit");
	CHECK_EQ(hv_memory_populate(domain, ADDRESS(&extent), 1), -ENOSPC, "at its limit");
	set.frames_max = 1;
	CHECK_EQ(hv_domain_set(domain, ADDRESS(&set)), 0, "limit");
	CHECK_EQ(info_of(domain).frames, CHILD_FRAMES + 1, "it keeps what it has");
	CHECK_EQ(hv_memory_release(domain, ADDRESS(&extent), 1), 1, "release");
	CHECK_EQ(hv_memory_release(domain, ADDRESS(&extent), 1), -ENOENT, "release");
	CHECK_EQ(hv_memory_populate(domain, ADDRESS(&extent), 1), -ENOSPC, "above its limit");
}

static void bad_arguments(void)
{
	uint32_t domain = (uint32_t)child_new("bad", 1);

	bad_creates();
	bad_sets(domain);
	CHECK_EQ(info_of(domain).frames, 0, "no memory yet");
	child_build(domain, CHILD_BLOCKS, 1);
	bad_copies(domain);
	good_copies(domain);
	long_copies(domain);
	bad_triggers(domain);
	bad_reads(domain);
	bad_memory(domain);
	CHECK_EQ(child_set_paused(domain, false), 0, "start");
	CHECK_EQ(child_set_start(domain, 0, 0, 0), -EBUSY, "it has started");
	CHECK_EQ(child_set_paused(domain, true), 0, "pause");
	CHECK_EQ(child_set_start(domain, 0, 0, 0), -EBUSY, "it has started");
	child_end(domain);
}

void test_main(void)
{
	uint64_t free;

	if (!test_is_control())
		return;
	event_init();
	free = child_free_frames(0);
	hello();
	ends();
	echoes();
	floods();
	reads_log();
	news();
	test_nmi();
	bad_arguments();
	CHECK_EQ(child_free_frames(free), free, "free frames");
	test_audit();
}
