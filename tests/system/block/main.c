// SPDX-License-Identifier: BSD-2-Clause
/*
 * What tests have a simulated front end do (front.h):
 *
 *   verify N    N requests (0: until SIGTERM) of random kinds, sizes and places, 32 at once; all that is read is
 *               what was written last
 *   fill        writes all of the disk in order; says what status ended it
 *   hostile     every way to misbehave, one after another; after each the disk is used, and must work
 *   count N     N reads and writes; how often which status came
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "front.h"

#define BLOCK 4096U
#define MOST  (FRONT_PIECE / BLOCK)

static struct front front;
static uint64_t state_of_random = 88172645463325252ULL;
static uint32_t *version; /* of each block */
static bool *busy;
static uint64_t blocks;
static uint64_t finished, statuses[8];
static volatile sig_atomic_t stopping;

static uint64_t dice(uint64_t sides)
{
	state_of_random ^= state_of_random << 13;
	state_of_random ^= state_of_random >> 7;
	state_of_random ^= state_of_random << 17;
	return state_of_random % sides;
}

static void __attribute__((noreturn, format(printf, 1, 2))) fail(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t pattern(uint64_t block, uint32_t number, unsigned word)
{
	return number ? block * 0x9e3779b97f4a7c15ULL + number * 0x2545f4914f6cdd1dULL + word : 0;
}

static uint64_t *block_data(unsigned slot, unsigned index)
{
	return (uint64_t *)(front_data(&front, slot) + (size_t)index * BLOCK);
}

static struct rf_block_request make(uint8_t operation, uint64_t block, uint32_t count,
				    unsigned slot)
{
	struct rf_block_request request = { .operation = operation,
					    .sector = block * (BLOCK / 512),
					    .sectors = count * (BLOCK / 512) };

	if (operation > RF_BLOCK_WRITE)
		return request;
	/* In two pieces if it can be. */
	request.segments = count > 1 ? 2 : 1;
	request.segment[0] = (struct rf_block_segment){ FRONT_POOL, slot * FRONT_PIECE, BLOCK };
	request.segment[1] = (struct rf_block_segment){ FRONT_POOL, slot * FRONT_PIECE + BLOCK,
							(count - 1) * BLOCK };
	return request;
}

static void fill_data(unsigned slot, uint64_t block, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned word = 0; word < BLOCK / 8; word++)
			block_data(slot, i)[word] = pattern(block + i, version[block + i], word);
	}
}

static void check_data(unsigned slot, uint64_t block, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		for (unsigned word = 0; word < BLOCK / 8; word++) {
			uint64_t wanted = pattern(block + i, version[block + i], word);

			if (block_data(slot, i)[word] != wanted)
				fail("block %lu, word %u: %lx, not %lx", block + i, word,
				     block_data(slot, i)[word], wanted);
		}
	}
}

/* --- verify --- */

static void set_busy(const struct rf_block_request *request, bool value)
{
	uint64_t first = request->sector / (BLOCK / 512);

	for (uint64_t i = 0; i < request->sectors / (BLOCK / 512); i++)
		busy[first + i] = value;
}

static void verified(struct front *done, unsigned slot, uint32_t status)
{
	const struct rf_block_request *request = &done->slot[slot].request;

	if (status)
		fail("operation %u at sector %lu: status %u", request->operation, request->sector,
		     status);
	if (request->operation == RF_BLOCK_READ)
		check_data(slot, request->sector / 8, request->sectors / 8);
	set_busy(request, false);
	finished++;
}

static bool is_free(uint64_t block, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (busy[block + i])
			return false;
	}
	return true;
}

static uint8_t any_operation(void)
{
	static const uint8_t operations[] = { RF_BLOCK_READ,	    RF_BLOCK_READ,  RF_BLOCK_READ,
					      RF_BLOCK_READ,	    RF_BLOCK_WRITE, RF_BLOCK_WRITE,
					      RF_BLOCK_WRITE,	    RF_BLOCK_WRITE, RF_BLOCK_FLUSH,
					      RF_BLOCK_WRITE_ZEROES };

	return operations[dice(sizeof(operations))];
}

static bool make_any(unsigned slot)
{
	uint32_t count = (uint32_t)dice(dice(4) ? 2 : MOST) + 1;
	uint64_t block = dice(blocks - count);
	uint8_t operation = any_operation();

	if (operation == RF_BLOCK_FLUSH)
		block = count = 0;
	if (!is_free(block, count))
		return false;
	front.slot[slot].request = make(operation, block, count, slot);
	for (uint32_t i = 0; i < count && operation == RF_BLOCK_WRITE; i++)
		version[block + i]++;
	for (uint32_t i = 0; i < count && operation == RF_BLOCK_WRITE_ZEROES; i++)
		version[block + i] = 0;
	if (operation == RF_BLOCK_WRITE) {
		fill_data(slot, block, count);
		front.slot[slot].request.flags = dice(8) ? 0 : RF_BLOCK_FUA;
	}
	set_busy(&front.slot[slot].request, true);
	front_put(&front, slot);
	return true;
}

static void all_answered(void)
{
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		while (front.slot[i].active)
			face_turn(&front.face, 1000);
	}
}

static void stop(int number)
{
	(void)number;
	stopping = 1;
}

static void verify(uint64_t wanted)
{
	uint64_t made = 0;

	front.done = verified;
	version = calloc(blocks, sizeof(*version));
	busy = calloc(blocks, sizeof(*busy));
	signal(SIGTERM, stop);
	while (made < wanted && !stopping) {
		for (unsigned i = 0; i < FRONT_SLOTS && made < wanted; i++) {
			if (!front.slot[i].active)
				made += make_any(i);
		}
		front_send(&front);
		face_turn(&front.face, 1000);
	}
	all_answered();
	printf("%lu requests, %u connections\n", finished, front.connects);
}

/* --- fill --- */

static void fill(void)
{
	uint32_t status = 0;
	uint64_t block = 0;

	while (block < blocks && !status) {
		struct rf_block_request request = make(RF_BLOCK_WRITE, block++, 1, 0);

		memset(front_data(&front, 0), 0x5a, BLOCK);
		status = front_do(&front, &request);
	}
	printf("%lu of %lu blocks, status %u\n", block - (status != 0), blocks, status);
}

/* --- count --- */

static void counted(struct front *done, unsigned slot, uint32_t status)
{
	(void)done;
	(void)slot;
	statuses[status < 8 ? status : 7]++;
	finished++;
}

static void count(uint64_t wanted)
{
	front.done = counted;
	for (uint64_t made = 0; made < wanted;) {
		for (unsigned i = 0; i < FRONT_SLOTS && made < wanted; i++) {
			if (front.slot[i].active)
				continue;
			front.slot[i].request = make((uint8_t)dice(2), dice(blocks - 1), 1, i);
			front_put(&front, i);
			made++;
		}
		front_send(&front);
		face_turn(&front.face, 1000);
	}
	all_answered();
	printf("good %lu, failed %lu, no space %lu, others %lu\n", statuses[RF_BLOCK_OK],
	       statuses[RF_BLOCK_ERROR], statuses[RF_BLOCK_NO_SPACE],
	       finished - statuses[RF_BLOCK_OK] - statuses[RF_BLOCK_ERROR] -
		       statuses[RF_BLOCK_NO_SPACE]);
}

/* --- hostile --- */

static void works(const char *after)
{
	struct rf_block_request request = make(RF_BLOCK_WRITE, 1, 1, 0);

	memset(front_data(&front, 0), 7, BLOCK);
	if (front_do(&front, &request))
		fail("after %s: nothing can be written", after);
	request = make(RF_BLOCK_READ, 1, 1, 0);
	memset(front_data(&front, 0), 0, BLOCK);
	if (front_do(&front, &request) || front_data(&front, 0)[99] != 7)
		fail("after %s: nothing can be read", after);
	printf("ok: %s\n", after);
}

static void is_thrown_out(const char *what)
{
	if (!face_is_thrown_out(&front.face))
		fail("%s: no error is told", what);
	works(what);
}

static void bad_producers(void)
{
	static const uint32_t ahead[] = { FRONT_SLOTS + 1, 0x80000000, UINT32_MAX };

	for (unsigned i = 0; i < 3; i++) {
		__atomic_add_fetch(&front.ring.shared->request_producer, ahead[i],
				   __ATOMIC_SEQ_CST);
		face_kick(&front.face);
		is_thrown_out("a producer out of range");
	}
}

static void bad_keys(void)
{
	static const struct {
		const char *name, *value;
	} keys[] = { { "queues", "0" },
		     { "queues", "17" },
		     { "queues", "4294967297" },
		     { "queues", "two" },
		     { "queues", "-1" },
		     { "version", "2" },
		     { "queue-0/slots", "33" },
		     { "queue-0/slots", "2048" },
		     { "queue-0/slots", "4" },
		     { "queue-0/slots", "64" },
		     { "queue-0/port", "0" },
		     { "queue-0/port", "4096" },
		     { "queue-0/port", "6" },
		     { "queue-0/ring-grant", "9" },
		     { "queue-0/ring-grant", "" },
		     { "queue-0/pool-grant", "7" },
		     { "queue-0/pool-frames", "0" },
		     { "queue-0/pool-frames", "1025" },
		     { "queue-0/pool-frames", "18446744073709551616" } };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		face_say(&front.face, STATE_INITIALISING);
		front.face.state = STATE_NONE; /* by hand */
		face_until(&front.face, STATE_WAITING);
		keys_write_text(front.face.store, front.face.folder, keys[i].name, keys[i].value);
		keys_write(front.face.store, front.face.folder, "state", STATE_INITIALISED);
		is_thrown_out(keys[i].name);
	}
}

/* All that the decoder refuses is in test_block_request; here that the rest of the way survives it. */
static void bad_requests(void)
{
	struct rf_block_request request;

	for (unsigned i = 0; i < 20000; i++) {
		uint8_t *byte = (uint8_t *)&request;

		request = make((uint8_t)dice(6), dice(blocks), 1, 0);
		for (uint64_t changes = dice(4); changes; changes--)
			byte[dice(sizeof(request))] = (uint8_t)dice(256);
		front_do(&front, &request);
	}
	works("requests with anything in them");
}

static void many_events(void)
{
	for (unsigned i = 0; i < 100000; i++)
		face_kick(&front.face);
	works("events without requests");
}

static void many_states(void)
{
	for (unsigned i = 0; i < 2000; i++)
		keys_write(front.face.store, front.face.folder, "state", dice(8));
	face_say(&front.face, STATE_CLOSED);
	sleep(1);
	face_say(&front.face, STATE_INITIALISING);
	face_until(&front.face, STATE_CONNECTED);
	works("states that come and go");
}

/* As many requests as there are slots, and nothing of it taken: then no more can be made. */
static void never_takes(void)
{
	for (unsigned i = 0; i < FRONT_SLOTS; i++) {
		front.slot[i].request = make(RF_BLOCK_READ, i, 1, i);
		front_put(&front, i);
	}
	front_send(&front);
	sleep(1);
	for (unsigned i = 0; i < FRONT_SLOTS; i++)
		front.slot[i].active = false;
	front.face.state = STATE_NONE; /* by hand */
	__atomic_add_fetch(&front.ring.shared->request_producer, 1 + FRONT_SLOTS, __ATOMIC_SEQ_CST);
	face_kick(&front.face);
	is_thrown_out("responses that are not taken");
}

static void hostile(void)
{
	works("nothing");
	bad_producers();
	bad_keys();
	bad_requests();
	many_events();
	many_states();
	never_takes();
}

int main(int arguments, char **argument)
{
	uint64_t wanted = arguments > 6 ? strtoull(argument[6], NULL, 10) : 0;
	const char *what = arguments > 5 ? argument[5] : "";

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (arguments < 6)
		fail("usage: block_front STORE DOMAIN ID SOCKET verify|fill|hostile|count [N]");
	if (!front_open(&front, argument[1], argument[2], argument[3], argument[4]))
		return 1;
	face_say(&front.face, STATE_INITIALISING);
	face_until(&front.face, STATE_CONNECTED);
	blocks = front.sectors / (BLOCK / 512);
	if (strcmp(what, "verify") == 0)
		verify(wanted ? wanted : UINT64_MAX);
	else if (strcmp(what, "fill") == 0)
		fill();
	else if (strcmp(what, "hostile") == 0)
		hostile();
	else if (strcmp(what, "count") == 0)
		count(wanted);
	face_say(&front.face, STATE_CLOSED);
	return 0;
}
