// SPDX-License-Identifier: GPL-2.0
/*
 * Programs for the kernel, translated to code of the processor: loaded, run, and removed, so that
 * memory of the kernel becomes code and data again; maps, calls, tail calls, and a packet filter.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/filter.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "check.h"

#define INSTRUCTION(c, d, s, o, i)                                                                 \
	((struct bpf_insn){ .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) })
#define MOVE(d, s)	    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i)	    INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, s)	    INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_X, d, s, 0, 0)
#define ADD_VALUE(d, i)	    INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define MULTIPLY_VALUE(d, i) INSTRUCTION(BPF_ALU64 | BPF_MUL | BPF_K, d, 0, 0, i)
#define STORE(d, o, i)	    INSTRUCTION(BPF_ST | BPF_W | BPF_MEM, d, 0, o, i)
#define ATOMIC_ADD(d, s)    INSTRUCTION(BPF_STX | BPF_DW | BPF_ATOMIC, d, s, 0, BPF_ADD)
#define MAP(d, file)                                                                               \
	INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, d, BPF_PSEUDO_MAP_FD, 0, file),                     \
		INSTRUCTION(0, 0, 0, 0, 0)
#define HELPER(number)	    INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, number)
#define CALL_AHEAD(o)	    INSTRUCTION(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_CALL, 0, o)
#define IF_ZERO(d, o)	    INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, d, 0, o, 0)
#define EXIT()		    INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)

#define LOADERS 4
#define ROUNDS	20

static int bpf(int command, union bpf_attr *attributes)
{
	return (int)syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

static int load(const struct bpf_insn *code, size_t size)
{
	union bpf_attr attributes = { .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
				      .insns = (uintptr_t)code,
				      .insn_cnt = (uint32_t)(size / sizeof(*code)),
				      .license = (uintptr_t)"GPL" };

	return bpf(BPF_PROG_LOAD, &attributes);
}

static uint32_t run(int program, uint32_t times)
{
	char packet[64] = {};
	union bpf_attr attributes = { .test = { .prog_fd = (uint32_t)program,
						.data_in = (uintptr_t)packet,
						.data_size_in = sizeof(packet),
						.repeat = times } };

	check(bpf(BPF_PROG_TEST_RUN, &attributes) == 0);
	return attributes.test.retval;
}

static int make_map(uint32_t type, uint32_t value_size)
{
	union bpf_attr attributes = { .map_type = type,
				      .key_size = 4,
				      .value_size = value_size,
				      .max_entries = 16 };
	int map = bpf(BPF_MAP_CREATE, &attributes);

	check(map >= 0);
	return map;
}

static void update(int map, uint32_t key, const void *value)
{
	union bpf_attr attributes = { .map_fd = (uint32_t)map,
				      .key = (uintptr_t)&key,
				      .value = (uintptr_t)value };

	check(bpf(BPF_MAP_UPDATE_ELEM, &attributes) == 0);
}

static uint64_t look_up(int map, uint32_t key)
{
	uint64_t value = 0;
	union bpf_attr attributes = { .map_fd = (uint32_t)map,
				      .key = (uintptr_t)&key,
				      .value = (uintptr_t)&value };

	check(bpf(BPF_MAP_LOOKUP_ELEM, &attributes) == 0);
	return value;
}

static void test_calls(void)
{
	const struct bpf_insn code[] = {
		SET(BPF_REG_1, 6), CALL_AHEAD(2),      ADD_VALUE(BPF_REG_0, 2), EXIT(),
		SET(BPF_REG_0, 0), ADD(BPF_REG_0, 1), MULTIPLY_VALUE(BPF_REG_0, 7), EXIT(),
	};
	int program = load(code, sizeof(code));

	check(program >= 0 && run(program, 1000) == 44);
	close(program);
}

static void test_map(uint32_t type)
{
	int map = make_map(type, 8);
	const struct bpf_insn code[] = {
		STORE(BPF_REG_10, -4, 3),
		MOVE(BPF_REG_2, BPF_REG_10),
		ADD_VALUE(BPF_REG_2, -4),
		MAP(BPF_REG_1, map),
		HELPER(BPF_FUNC_map_lookup_elem),
		IF_ZERO(BPF_REG_0, 3),
		SET(BPF_REG_1, 1),
		ATOMIC_ADD(BPF_REG_0, BPF_REG_1),
		SET(BPF_REG_0, 5),
		EXIT(),
	};
	uint64_t start = 100;
	int program = load(code, sizeof(code));

	check(program >= 0);
	update(map, 3, &start);
	check(run(program, 500) == 5 && look_up(map, 3) == 600);
	close(program);
	close(map);
}

/* One that ends by going on in another; which one is patched into the code when it changes. */
static void test_tail_calls(void)
{
	int map = make_map(BPF_MAP_TYPE_PROG_ARRAY, 4);
	const struct bpf_insn code[] = {
		MAP(BPF_REG_2, map), SET(BPF_REG_3, 2),	 HELPER(BPF_FUNC_tail_call),
		SET(BPF_REG_0, 1),   EXIT(),
	};
	int program = load(code, sizeof(code));

	check(program >= 0 && run(program, 1) == 1);
	for (int i = 10; i < 40; i++) {
		const struct bpf_insn other[] = { SET(BPF_REG_0, i), EXIT() };
		int target = load(other, sizeof(other));

		check(target >= 0);
		update(map, 2, &target);
		check(run(program, 3) == (uint32_t)i);
		close(target);
	}
	close(program);
	close(map);
}

/* Long enough for pages of their own, each another. */
static void *load_and_run(void *number)
{
	enum { LENGTH = 3000 };
	struct bpf_insn *code = calloc(LENGTH + 2, sizeof(*code));

	check(code);
	for (int round = 0; round < ROUNDS; round++) {
		int step = 1 + round * LOADERS + (int)(intptr_t)number, program;

		code[0] = SET(BPF_REG_0, step);
		for (int i = 1; i <= LENGTH; i++)
			code[i] = ADD_VALUE(BPF_REG_0, step);
		code[LENGTH + 1] = EXIT();
		program = load(code, (LENGTH + 2) * sizeof(*code));
		check(program >= 0 && run(program, 5) == (uint32_t)(step * (LENGTH + 1)));
		close(program);
	}
	free(code);
	return NULL;
}

static void test_many(void)
{
	pthread_t threads[LOADERS];

	for (intptr_t i = 0; i < LOADERS; i++)
		check(pthread_create(&threads[i], NULL, load_and_run, (void *)i) == 0);
	for (int i = 0; i < LOADERS; i++)
		check(pthread_join(threads[i], NULL) == 0);
}

/* Of packets that begin with an even byte, eight bytes. */
static void test_packets(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 1, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 8),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };
	char packet[16] = {}, got[16];
	int ends[2];

	check(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, ends) == 0);
	check(setsockopt(ends[1], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0);
	for (int i = 0; i < 200; i++) {
		packet[0] = (char)i;
		send(ends[0], packet, sizeof(packet), 0);
		check(recv(ends[1], got, sizeof(got), 0) == (i & 1 ? -1 : 8));
		check(i & 1 || got[0] == (char)i);
	}
}

static void test_refused(void)
{
	/* It reads what the kernel has behind a map's address; and never ends. */
	const struct bpf_insn wild[] = { INSTRUCTION(BPF_LDX | BPF_DW | BPF_MEM, 0, 1, 4096, 0), EXIT() };
	const struct bpf_insn endless[] = { INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, -1, 0), EXIT() };

	check(load(wild, sizeof(wild)) == -1 && load(endless, sizeof(endless)) == -1);
}

static void turn_translation_on(void)
{
	int file = open("/proc/sys/net/core/bpf_jit_enable", O_WRONLY);

	if (file < 0)
		_exit(SKIPPED);
	check(write(file, "1", 1) == 1);
	close(file);
}

int main(void)
{
	struct rlimit limit = { RLIM_INFINITY, RLIM_INFINITY };
	const struct bpf_insn nothing[] = { SET(BPF_REG_0, 0), EXIT() };

	if (load(nothing, sizeof(nothing)) < 0 && (errno == ENOSYS || errno == EPERM))
		return SKIPPED;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	turn_translation_on();
	test_calls();
	test_map(BPF_MAP_TYPE_ARRAY);
	test_map(BPF_MAP_TYPE_HASH);
	test_tail_calls();
	test_many();
	test_packets();
	test_refused();
	return 0;
}
