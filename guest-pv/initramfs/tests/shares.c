// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/ringfence: events and grants between a program of the control domain and another domain, a puppet; what
 * is left of them when either ends; arguments of all kinds.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>

#include "puppet.h"

#define TABLE	    8UL	 /* frames of the puppet: its table of grants, */
#define EVENTS	    9UL	 /* its page of events, */
#define DATA	    16UL /* and what it grants */
#define DATA_FRAMES 16U
#define WHOLE	    5U /* grants: all of that, to be written */
#define READ_ONLY   6U /* its first frame */
#define BACKWARDS   7U /* and the following: a frame each, the last first */
#define NOT_OURS    40U
#define MANY_PIECES 300U /* more than the driver has the hypervisor do at once */

static uint32_t puppet;

/* --- Grants --- */

static void grant(uint32_t number, uint64_t frame, uint64_t frames, uint64_t flags, uint64_t domain)
{
	puppet_write_word(puppet, TABLE * PAGE + number * sizeof(struct rf_grant_entry),
			  RF_GRANT_VALID | flags | (frames - 1) << RF_GRANT_COUNT_SHIFT |
				  frame * PAGE | domain << RF_GRANT_DOMAIN_SHIFT);
}

static uint64_t in_use(uint32_t number)
{
	return puppet_read_word(puppet, TABLE * PAGE + number * sizeof(struct rf_grant_entry) + 8);
}

/* An offset for mmap(), or -1. */
static int64_t map_segments(const struct rf_control_segment *segments, uint32_t count,
			    uint32_t flags)
{
	struct rf_control_grant_map c = { puppet, count, (uintptr_t)segments, flags, 0, 0 };

	return control(RF_CONTROL_GRANT_MAP, &c) ? -1 : (int64_t)c.offset;
}

static int64_t map(uint32_t number, uint32_t first, uint32_t count, uint32_t flags)
{
	const struct rf_control_segment segment = { number, first, count, 0 };

	return map_segments(&segment, 1, flags);
}

static int64_t unmap(int64_t offset)
{
	struct rf_control_grant_unmap c = { puppet, 0, (uint64_t)offset };

	return control(RF_CONTROL_GRANT_UNMAP, &c);
}

static char *show(int64_t offset, size_t frames, int rights)
{
	return mmap(NULL, frames * PAGE, rights, MAP_SHARED, puppet_device, offset);
}

static void check_mapping(void)
{
	int64_t offset = map(WHOLE, 0, DATA_FRAMES, RF_GRANT_MAP_WRITE);
	char *data = show(offset, DATA_FRAMES, PROT_READ | PROT_WRITE);
	char page[PAGE];

	check(offset >= 0 && data != MAP_FAILED && in_use(WHOLE) > 0);
	for (unsigned i = 0; i < DATA_FRAMES; i++) {
		memset(data + i * PAGE, 'a' + (int)i, PAGE);
		puppet_read(puppet, (DATA + i) * PAGE, page, PAGE);
		check(page[0] == 'a' + (char)i && page[PAGE - 1] == 'a' + (char)i);
		page[100] = 'X';
		puppet_write(puppet, (DATA + i) * PAGE, page, PAGE);
		check(data[i * PAGE + 100] == 'X');
	}
	/* Nobody can name it any more, but it is there as long as it is shown. */
	check(unmap(offset) == 0);
	check(unmap(offset) == -1 && errno == ENOENT);
	check(show(offset, DATA_FRAMES, PROT_READ) == MAP_FAILED && errno == EINVAL);
	check(data[100] == 'X' && in_use(WHOLE) > 0);
	check(munmap(data, PAGE) == 0);
	check(data[PAGE] == 'b' && in_use(WHOLE) > 0);
	check(munmap(data + PAGE, (DATA_FRAMES - 1) * PAGE) == 0);
	check(in_use(WHOLE) == 0);
}

/* A part of a grant, and grants that are not where they are asked for in the machine. */
static void check_segments(void)
{
	struct rf_control_segment segments[DATA_FRAMES];
	int64_t offset = map(WHOLE, 3, 2, 0);
	char *data = show(offset, 2, PROT_READ);

	check(data != MAP_FAILED && data[0] == 'd' && data[PAGE] == 'e');
	check(unmap(offset) == 0 && munmap(data, 2 * PAGE) == 0);
	for (unsigned i = 0; i < DATA_FRAMES; i++)
		segments[i] = (struct rf_control_segment){ BACKWARDS + i, 0, 1, 0 };
	offset = map_segments(segments, DATA_FRAMES, RF_GRANT_MAP_WRITE);
	data = show(offset, DATA_FRAMES, PROT_READ | PROT_WRITE);
	check(data != MAP_FAILED);
	for (unsigned i = 0; i < DATA_FRAMES; i++)
		check(data[i * PAGE] == 'a' + (char)(DATA_FRAMES - 1 - i));
	check(unmap(offset) == 0 && munmap(data, DATA_FRAMES * PAGE) == 0);
	check(in_use(BACKWARDS) == 0);
	/* The last is not to be written: the others are given back. */
	segments[DATA_FRAMES - 1].grant = READ_ONLY;
	check(map_segments(segments, DATA_FRAMES, RF_GRANT_MAP_WRITE) == -1 && errno == EPERM);
	check(in_use(BACKWARDS) == 0);
}

static void check_rights(void)
{
	int64_t offset = map(READ_ONLY, 0, 1, 0);
	char *data;

	check(map(READ_ONLY, 0, 1, RF_GRANT_MAP_WRITE) == -1 && errno == EPERM);
	check(show(offset, 1, PROT_READ | PROT_WRITE) == MAP_FAILED && errno == EACCES);
	check(show(offset, 1, PROT_READ | PROT_EXEC) == MAP_FAILED && errno == EACCES);
	data = show(offset, 1, PROT_READ);
	check(data != MAP_FAILED && data[0] == 'a');
	check(mprotect(data, PAGE, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
	check(mprotect(data, PAGE, PROT_READ | PROT_EXEC) == -1 && errno == EACCES);
	check(munmap(data, PAGE) == 0);
	check(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, puppet_device, offset) == MAP_FAILED);
	check(errno == EINVAL);
	check(unmap(offset) == 0 && in_use(READ_ONLY) == 0);
}

static void check_bad_mappings(void)
{
	struct rf_control_segment segment = { WHOLE, 0, 1, 0 };
	struct rf_control_grant_map c = { puppet, 1, 0, 0, 0, 0 };
	int64_t offset;

	check(map(WHOLE, 0, 0, 0) == -1 && errno == EINVAL);
	check(map(WHOLE, 0, RF_CONTROL_GRANT_FRAMES + 1, 0) == -1 && errno == EINVAL);
	check(map(WHOLE, DATA_FRAMES - 1, 2, 0) == -1 && errno == ERANGE);
	check(map(WHOLE, UINT32_MAX, 2, 0) == -1 && errno == EINVAL);
	check(map(NOT_OURS, 0, 1, 0) == -1 && errno == ENOENT);
	check(map(1U << 31, 0, 1, 0) == -1 && errno == ENOENT);
	check(map(WHOLE, 0, 1, 2) == -1 && errno == EINVAL);
	check(map_segments(NULL, 1, 0) == -1 && errno == EFAULT);
	check(map_segments(&segment, 0, 0) == -1 && errno == EINVAL);
	check(map_segments(&segment, RF_CONTROL_GRANT_FRAMES + 1, 0) == -1 && errno == E2BIG);
	segment.reserved = 1;
	check(map_segments(&segment, 1, 0) == -1 && errno == EINVAL);
	c.domain = 0;
	check(control(RF_CONTROL_GRANT_MAP, &c) == -1 && errno == EINVAL);
	c.domain = RF_DOMAIN_SELF;
	check(control(RF_CONTROL_GRANT_MAP, &c) == -1 && errno == EINVAL);
	offset = map(WHOLE, 0, 2, 0);
	check(show(offset, 1, PROT_READ) == MAP_FAILED && errno == EINVAL);
	check(show(offset, 3, PROT_READ) == MAP_FAILED && errno == EINVAL);
	check(show(offset + (int64_t)PAGE, 1, PROT_READ) == MAP_FAILED && errno == EINVAL);
	check(show(1LL << 40, 1, PROT_READ) == MAP_FAILED && errno == EINVAL);
	check(unmap(offset + 4096) == -1 && errno == EINVAL);
	check(unmap(1LL << 40) == -1 && errno == EINVAL);
	check(unmap(offset) == 0 && in_use(WHOLE) == 0);
}

static void check_limit(void)
{
	int64_t offset[RF_CONTROL_GRANTS];

	for (unsigned i = 0; i < RF_CONTROL_GRANTS; i++)
		check((offset[i] = map(READ_ONLY, 0, 1, 0)) >= 0);
	check(map(READ_ONLY, 0, 1, 0) == -1 && errno == EMFILE);
	for (unsigned i = 0; i < RF_CONTROL_GRANTS; i++)
		check(unmap(offset[i]) == 0);
	check(in_use(READ_ONLY) == 0);
}

static int64_t copy(uint32_t number, uint32_t direction, uint32_t address, const void *own,
		    uint32_t bytes)
{
	struct rf_control_grant_piece piece = { direction, number, address, bytes, (uintptr_t)own };
	struct rf_control_grant_copy c = { puppet, 1, (uintptr_t)&piece };

	return control(RF_CONTROL_GRANT_COPY, &c);
}

/* More than go with one hypercall; and one that is wrong among them. */
static void check_many_pieces(void)
{
	static struct rf_control_grant_piece pieces[MANY_PIECES];
	static char own[MANY_PIECES];
	struct rf_control_grant_copy c = { puppet, MANY_PIECES, (uintptr_t)pieces };

	for (uint32_t i = 0; i < MANY_PIECES; i++) {
		own[i] = (char)i;
		pieces[i] = (struct rf_control_grant_piece){ RF_COPY_TO, WHOLE, 5 * PAGE + i, 1,
							     (uintptr_t)&own[i] };
	}
	check(control(RF_CONTROL_GRANT_COPY, &c) == MANY_PIECES);
	memset(own, 0, sizeof(own));
	puppet_read(puppet, (DATA + 5) * PAGE, own, MANY_PIECES);
	for (uint32_t i = 0; i < MANY_PIECES; i++)
		check(own[i] == (char)i);
	pieces[100].bytes = 0;
	check(control(RF_CONTROL_GRANT_COPY, &c) == 100);
	pieces[100] = (struct rf_control_grant_piece){ RF_COPY_TO, NOT_OURS, 0, 1, (uintptr_t)own };
	check(control(RF_CONTROL_GRANT_COPY, &c) == 100);
	c.pieces = (uintptr_t)&pieces[100];
	check(control(RF_CONTROL_GRANT_COPY, &c) == -1 && errno == ENOENT);
}

static void check_copying(void)
{
	static _Alignas(PAGE) char own[2 * PAGE];
	struct rf_control_grant_copy many = { puppet, RF_COPY_MAX + 1, 0 };
	char *shown;
	int64_t offset;

	check(copy(WHOLE, RF_COPY_FROM, PAGE + 8, own, 16) == 1 && own[0] == 'b' && own[16] == 0);
	strcpy(own, "copied");
	check(copy(WHOLE, RF_COPY_TO, 4 * PAGE, own, 6) == 1);
	puppet_read(puppet, (DATA + 4) * PAGE, own + 100, 6);
	check(!memcmp(own + 100, "copied", 6));
	check(copy(READ_ONLY, RF_COPY_TO, 0, own, 6) == -1 && errno == EPERM);
	check(copy(WHOLE, RF_COPY_FROM, 0, own + PAGE - 1, 2) == -1 && errno == EINVAL);
	check(copy(WHOLE, RF_COPY_FROM, PAGE - 1, own, 2) == -1 && errno == EINVAL);
	check(copy(WHOLE, RF_COPY_FROM, DATA_FRAMES * PAGE, own, 1) == -1 && errno == ERANGE);
	check(copy(WHOLE, RF_COPY_FROM, 0, own, 0) == -1 && errno == EINVAL);
	check(copy(WHOLE, 2, 0, own, 1) == -1 && errno == EINVAL);
	check(copy(WHOLE, RF_COPY_FROM, 0, NULL, 1) == -1 && errno == EFAULT);
	check(copy(WHOLE, RF_COPY_FROM, 0, "read only", 1) == -1 && errno == EFAULT);
	check(copy(NOT_OURS, RF_COPY_FROM, 0, own, 1) == -1 && errno == ENOENT);
	check(control(RF_CONTROL_GRANT_COPY, &many) == -1 && errno == E2BIG);
	check_many_pieces();
	/* Not through us from one grant to the other. */
	offset = map(READ_ONLY, 0, 1, 0);
	shown = show(offset, 1, PROT_READ);
	check(copy(WHOLE, RF_COPY_TO, 0, shown, 1) == -1);
	check(unmap(offset) == 0 && munmap(shown, PAGE) == 0);
}

static void wait_unused(uint32_t number)
{
	uint64_t end = puppet_now() + PUPPET_SECONDS;

	while (in_use(number)) {
		check(puppet_now() < end);
		usleep(10000);
	}
}

/* A pipe has a reference to the page: so it stays, though we have given it back. */
static void check_pinned(void)
{
	int64_t offset = map(READ_ONLY, 0, 1, 0);
	char *data = show(offset, 1, PROT_READ), seen[8];
	const struct iovec piece = { data, PAGE };
	int ends[2];

	check(pipe(ends) == 0);
	if (vmsplice(ends[1], &piece, 1, 0) == -1) {
		/* The kernel does not know of this RAM; but we do. */
		check(errno == EFAULT && data[0] == 'a');
		check(unmap(offset) == 0 && munmap(data, PAGE) == 0 && in_use(READ_ONLY) == 0);
		check(close(ends[0]) == 0 && close(ends[1]) == 0);
		return;
	}
	check(unmap(offset) == 0 && munmap(data, PAGE) == 0);
	usleep(50000);
	check(in_use(READ_ONLY) > 0);
	check(read(ends[0], seen, sizeof(seen)) == sizeof(seen) && seen[0] == 'a');
	check(close(ends[0]) == 0 && close(ends[1]) == 0);
	wait_unused(READ_ONLY);
}

/* --- Events --- */

static int listen_for(uint32_t domain, uint32_t *port)
{
	struct rf_control_event c = { .domain = domain };

	int64_t error = control(RF_CONTROL_EVENT_LISTEN, &c);

	*port = c.port;
	return error ? -1 : c.file;
}

static int connect_to(uint32_t domain, uint32_t port)
{
	struct rf_control_event c = { .domain = domain, .port = port };

	return control(RF_CONTROL_EVENT_CONNECT, &c) ? -1 : c.file;
}

static short poll_file(int file, int milliseconds)
{
	struct pollfd waiting = { .fd = file, .events = POLLIN };

	return poll(&waiting, 1, milliseconds) == 1 ? waiting.revents : 0;
}

static void take_event(int file)
{
	uint64_t count = 0;

	check(poll_file(file, PUPPET_SECONDS * 1000) == POLLIN);
	check(read(file, &count, sizeof(count)) == sizeof(count) && count == 1);
}

static ssize_t send_event(int file)
{
	const uint64_t one = 1;

	return write(file, &one, sizeof(one));
}

static int64_t puppet_send(int64_t port)
{
	return puppet_call(puppet, RF_HYPERCALL_event_send, (uint64_t)port, 0);
}

static void check_no_event(int file)
{
	uint64_t count;

	check(fcntl(file, F_SETFL, O_NONBLOCK) == 0);
	check(poll_file(file, 0) == 0);
	check(read(file, &count, sizeof(count)) == -1 && errno == EAGAIN);
	check(fcntl(file, F_SETFL, 0) == 0);
}

static bool puppet_has_event(int64_t port)
{
	uint64_t word = puppet_read_word(puppet, EVENTS * PAGE + (uint64_t)port / 64 * 8);

	return word >> (port % 64) & 1;
}

static void check_channel(void)
{
	uint32_t own;
	int file = listen_for(puppet, &own);
	int64_t port;

	check(file >= 0 && fcntl(file, F_GETFD) == FD_CLOEXEC);
	check_no_event(file);
	check(send_event(file) == -1 && errno == ENOTCONN);
	port = puppet_call(puppet, RF_HYPERCALL_event_connect, 0, own);
	check(port > 0);
	take_event(file);
	check_no_event(file);
	check(!puppet_has_event(port));
	check(send_event(file) == 8 && puppet_has_event(port));
	/* However many it sends: one for now, and one for those since. */
	for (unsigned i = 0; i < 20; i++) {
		check(puppet_send(port) == 0);
		check(poll_file(file, PUPPET_SECONDS * 1000) == POLLIN);
	}
	take_event(file);
	take_event(file);
	check_no_event(file);
	check(puppet_call(puppet, RF_HYPERCALL_event_close, (uint64_t)port, 0) == 0);
	take_event(file);
	check(send_event(file) == -1 && errno == ENOTCONN);
	check(close(file) == 0);
	check(puppet_call(puppet, RF_HYPERCALL_event_connect, 0, own) == -ENOENT);
}

static void check_connecting(void)
{
	int64_t port = puppet_call(puppet, RF_HYPERCALL_event_listen, 0, 0);
	int file = connect_to(puppet, (uint32_t)port);

	check(file >= 0 && puppet_has_event(port));
	check(connect_to(puppet, (uint32_t)port) == -1 && errno == ENOENT);
	check(puppet_send(port) == 0);
	take_event(file);
	check(close(file) == 0);
	/* It listens again. */
	check(puppet_send(port) == -ENOTCONN);
	file = connect_to(puppet, (uint32_t)port);
	check(file >= 0 && puppet_send(port) == 0);
	take_event(file);
	check(close(file) == 0);
	check(puppet_call(puppet, RF_HYPERCALL_event_close, (uint64_t)port, 0) == 0);
}

static void check_bad_events(void)
{
	uint32_t own;
	int file = listen_for(puppet, &own);
	struct rf_control_event c = { .domain = puppet, .reserved = 1 };
	uint64_t count;

	check(listen_for(0, &own) == -1 && errno == EINVAL);
	check(listen_for(RF_DOMAIN_SELF, &own) == -1 && errno == EINVAL);
	check(listen_for(RF_DOMAIN_HYPERVISOR, &own) == -1 && errno == EINVAL);
	check(listen_for(1000, &own) == -1 && errno == ESRCH);
	check(connect_to(puppet, 4000) == -1 && errno == ENOENT);
	check(connect_to(puppet, UINT32_MAX) == -1 && errno == ENOENT);
	check(connect_to(0, own) == -1 && errno == EINVAL);
	check(control(RF_CONTROL_EVENT_LISTEN, &c) == -1 && errno == EINVAL);
	check(control(RF_CONTROL_EVENT_CONNECT, &c) == -1 && errno == EINVAL);
	check(read(file, &count, 4) == -1 && errno == EINVAL);
	check(write(file, &count, 4) == -1 && errno == EINVAL);
	check(close(file) == 0);
}

static void check_many_ports(void)
{
	const struct rlimit files = { RF_CONTROL_PORTS + 64, RF_CONTROL_PORTS + 64 };
	int file[RF_CONTROL_PORTS];
	uint32_t own;

	check(setrlimit(RLIMIT_NOFILE, &files) == 0);
	for (unsigned i = 0; i < RF_CONTROL_PORTS; i++)
		check((file[i] = listen_for(puppet, &own)) >= 0);
	check(listen_for(puppet, &own) == -1 && errno == EMFILE);
	check(close(file[7]) == 0 && (file[7] = listen_for(puppet, &own)) >= 0);
	for (unsigned i = 0; i < RF_CONTROL_PORTS; i++)
		check(close(file[i]) == 0);
}

/* --- Ends --- */

/* One that is locked to a domain; what was made by a file ends with it. */
static void check_end_of_file(void)
{
	struct rf_control_domain lock = { .domain = puppet };
	uint32_t own, others = puppet_new();
	int all = puppet_device, file;
	int64_t port, offset;
	char *data;

	puppet_device = open(RF_CONTROL_DEVICE, O_RDWR);
	file = listen_for(puppet, &own);
	check(control(RF_CONTROL_LOCK, &lock) == -1 && errno == EBUSY);
	check(close(file) == 0);
	check(control(RF_CONTROL_LOCK, &lock) == 0);
	check(listen_for(others, &own) == -1 && errno == EPERM);
	file = listen_for(puppet, &own);
	offset = map(READ_ONLY, 0, 1, 0);
	data = show(offset, 1, PROT_READ);
	check(file >= 0 && offset >= 0 && data != MAP_FAILED);
	check(close(puppet_device) == 0);
	puppet_device = all;
	port = puppet_call(puppet, RF_HYPERCALL_event_connect, 0, own);
	check(port > 0 && in_use(READ_ONLY) > 0 && data[0] == 'a');
	take_event(file);
	/* That was its last use. */
	check(munmap(data, PAGE) == 0);
	check(in_use(READ_ONLY) == 0 && puppet_send(port) == -ENOTCONN);
	check(poll_file(file, 0) == (POLLIN | POLLHUP));
	check(read(file, &port, 8) == 0);
	check(send_event(file) == -1 && errno == EPIPE);
	check(close(file) == 0);
	puppet_end(others);
}

static int told[2];

static void map_and_wait(void)
{
	uint32_t own;
	int64_t offset;

	puppet_device = open(RF_CONTROL_DEVICE, O_RDWR);
	check(listen_for(puppet, &own) >= 0);
	offset = map(WHOLE, 0, DATA_FRAMES, RF_GRANT_MAP_WRITE);
	check(show(offset, DATA_FRAMES, PROT_READ | PROT_WRITE) != MAP_FAILED);
	check(write(told[1], &own, sizeof(own)) == sizeof(own));
	pause();
}

static void check_kill(void)
{
	uint32_t own;
	int64_t port;
	pid_t child;

	check(pipe(told) == 0);
	child = fork();
	check(child >= 0);
	if (child == 0)
		map_and_wait();
	check(read(told[0], &own, sizeof(own)) == sizeof(own));
	port = puppet_call(puppet, RF_HYPERCALL_event_connect, 0, own);
	check(port > 0 && in_use(WHOLE) > 0);
	check(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
	check(in_use(WHOLE) == 0 && puppet_send(port) == -ENOTCONN);
	check(close(told[0]) == 0 && close(told[1]) == 0);
}

/* Its frames are ours as long as we show them. */
static void check_end_of_puppet(void)
{
	int64_t offset = map(WHOLE, 0, DATA_FRAMES, RF_GRANT_MAP_WRITE);
	char *data = show(offset, DATA_FRAMES, PROT_READ | PROT_WRITE);
	uint32_t own;
	int file = listen_for(puppet, &own);

	check(puppet_call(puppet, RF_HYPERCALL_event_connect, 0, own) > 0);
	take_event(file);
	memset(data, 'z', DATA_FRAMES * PAGE);
	puppet_end(puppet);
	take_event(file);
	check(send_event(file) == -1 && errno == ENOTCONN);
	check(data[0] == 'z' && data[DATA_FRAMES * PAGE - 1] == 'z');
	check(unmap(offset) == 0 && munmap(data, DATA_FRAMES * PAGE) == 0);
	check(map(WHOLE, 0, 1, 0) == -1 && errno == ESRCH);
	check(close(file) == 0);
}

static void begin(void)
{
	puppet = puppet_new();
	check(puppet_call(puppet, RF_HYPERCALL_grant_register, TABLE, 0) == 0);
	check(puppet_call(puppet, RF_HYPERCALL_event_register_page, EVENTS, 0) == 0);
	grant(WHOLE, DATA, DATA_FRAMES, RF_GRANT_WRITE, 0);
	grant(READ_ONLY, DATA, 1, 0, 0);
	grant(NOT_OURS, DATA, 1, 0, 9);
	for (unsigned i = 0; i < DATA_FRAMES; i++)
		grant(BACKWARDS + i, DATA + DATA_FRAMES - 1 - i, 1, RF_GRANT_WRITE, 0);
}

static uint64_t free_frames(void)
{
	struct rf_control_info request = { .domain = 0 };

	check(control(RF_CONTROL_DOMAIN_INFO, &request) == 0);
	return request.info.machine_frames_free;
}

static void check_all(void)
{
	begin();
	check_mapping();
	check_segments();
	check_rights();
	check_bad_mappings();
	check_limit();
	check_copying();
	check_pinned();
	check_channel();
	check_connecting();
	check_bad_events();
	check_many_ports();
	check_end_of_file();
	check_kill();
	check_end_of_puppet();
}

/*
 * The description of a domain comes back a little later than its number. A table for each 2 MiB in which something
 * was ever mapped stays, and a puppet's memory may be in others than the last one's.
 */
static bool loses_frames(void)
{
	uint64_t free = free_frames();

	check_all();
	for (unsigned i = 0; free_frames() < free && i < 100; i++)
		usleep(50000);
	return free_frames() < free;
}

int main(void)
{
	unsigned rounds = 0;

	puppet_device = open(RF_CONTROL_DEVICE, O_RDWR);
	if (puppet_device < 0 && errno == ENOENT)
		return SKIPPED;
	check(puppet_device >= 0);
	if (free_frames() < 8192)
		return SKIPPED;
	check_all();
	while (loses_frames())
		check(++rounds < 5);
	return 0;
}
