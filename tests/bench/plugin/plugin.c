// SPDX-License-Identifier: BSD-2-Clause
/*
 * A plugin for QEMU 7.2 and later that counts, from outside the machine, the executed instructions
 * that change what runs: IRETQ, SYSRETQ, VMRUN, SWAPGS and MOV to CR3; each within an address range,
 * the hypervisor's, and outside of it. Nothing inside the machine can tell or is slowed down.
 *
 *   -plugin FILE,output=FILE,low=ADDRESS,high=ADDRESS
 *
 * Between the marks of tests/bench/program/marker.h everything is counted, on all processors. At
 * each end a line is written: "phase NUMBER NAME INSIDE OUTSIDE NAME INSIDE OUTSIDE ...". With
 * ",all=on" every instruction is counted too, under that name: slower, and exact only where one thread
 * runs all processors.
 *
 * Debian ships no header for plugins; the few functions that are needed are declared in qemu.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "qemu.h"

#define MARKER_START 0x52464201u
#define MARKER_STOP  0x52464202u

/* An instruction is known by its bytes; a mask leaves out what names a register. */
struct kind {
	const char *name;
	size_t size;
	uint8_t bytes[3];
	uint8_t last_mask;
};

static const struct kind kinds[] = {
	{ "iretq", 2, { 0x48, 0xcf }, 0xff },	      { "sysretq", 3, { 0x48, 0x0f, 0x07 }, 0xff },
	{ "vmrun", 3, { 0x0f, 0x01, 0xd8 }, 0xff },   { "swapgs", 3, { 0x0f, 0x01, 0xf8 }, 0xff },
	{ "mov-cr3", 3, { 0x0f, 0x22, 0xd8 }, 0xf8 },
};

#define KINDS	  (sizeof(kinds) / sizeof(kinds[0]))
#define MARK_SIZE 7

QEMU_PLUGIN_EXPORT int qemu_plugin_version = QEMU_PLUGIN_VERSION;

/* Of each kind: inside the range, then outside. Counted from the start of the machine. */
static uint64_t counts[KINDS][2], at_start[KINDS][2];
static uint64_t low = UINT64_MAX, high;
static uint64_t all[2], all_at_start[2];
static bool count_all;
static unsigned int phases;
static FILE *output;

static void count(unsigned int cpu, void *counter)
{
	(void)cpu;
	__atomic_fetch_add((uint64_t *)counter, 1, __ATOMIC_RELAXED);
}

static void start_phase(unsigned int cpu, void *unused)
{
	(void)cpu;
	(void)unused;
	memcpy(at_start, counts, sizeof(counts));
	memcpy(all_at_start, all, sizeof(all));
}

static void end_phase(unsigned int cpu, void *unused)
{
	size_t i;

	(void)cpu;
	(void)unused;
	fprintf(output, "phase %u", phases++);
	for (i = 0; i < KINDS; i++)
		fprintf(output, " %s %" PRIu64 " %" PRIu64, kinds[i].name,
			counts[i][0] - at_start[i][0], counts[i][1] - at_start[i][1]);
	if (count_all)
		fprintf(output, " all %" PRIu64 " %" PRIu64, all[0] - all_at_start[0],
			all[1] - all_at_start[1]);
	fprintf(output, "\n");
	fflush(output);
}

static bool is_kind(const struct kind *kind, const uint8_t *bytes, size_t size)
{
	size_t last = kind->size - 1;

	return size == kind->size && memcmp(bytes, kind->bytes, last) == 0 &&
	       (bytes[last] & kind->last_mask) == kind->bytes[last];
}

static void watch_mark(struct qemu_plugin_insn *instruction, const uint8_t *bytes)
{
	uint32_t mark;

	memcpy(&mark, bytes + 3, sizeof(mark));
	if (mark == MARKER_START)
		qemu_plugin_register_vcpu_insn_exec_cb(instruction, start_phase,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
	else if (mark == MARKER_STOP)
		qemu_plugin_register_vcpu_insn_exec_cb(instruction, end_phase,
						       QEMU_PLUGIN_CB_NO_REGS, NULL);
}

static void watch_instruction(struct qemu_plugin_insn *instruction)
{
	const uint8_t *bytes = qemu_plugin_insn_data(instruction);
	size_t size = qemu_plugin_insn_size(instruction), i;
	uint64_t address = qemu_plugin_insn_vaddr(instruction);
	bool outside = address < low || address >= high;

	if (size == MARK_SIZE && memcmp(bytes, "\x0f\x1f\x80", 3) == 0)
		watch_mark(instruction, bytes);
	for (i = 0; i < KINDS; i++)
		if (is_kind(&kinds[i], bytes, size))
			qemu_plugin_register_vcpu_insn_exec_cb(
				instruction, count, QEMU_PLUGIN_CB_NO_REGS, &counts[i][outside]);
	if (count_all)
		qemu_plugin_register_vcpu_insn_exec_inline(instruction, QEMU_PLUGIN_INLINE_ADD_U64,
							   &all[outside], 1);
}

static void watch_block(qemu_plugin_id_t id, struct qemu_plugin_tb *block)
{
	size_t i;

	(void)id;
	for (i = 0; i < qemu_plugin_tb_n_insns(block); i++)
		watch_instruction(qemu_plugin_tb_get_insn(block, i));
}

static bool read_argument(const char *argument)
{
	if (strncmp(argument, "output=", 7) == 0)
		output = fopen(argument + 7, "w");
	else if (strncmp(argument, "low=", 4) == 0)
		low = strtoull(argument + 4, NULL, 0);
	else if (strncmp(argument, "high=", 5) == 0)
		high = strtoull(argument + 5, NULL, 0);
	else if (strcmp(argument, "all=on") == 0)
		count_all = true;
	else
		return false;
	return true;
}

QEMU_PLUGIN_EXPORT int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info,
					   int argc, char **argv)
{
	int i;

	(void)info;
	for (i = 0; i < argc; i++)
		if (!read_argument(argv[i])) {
			fprintf(stderr, "plugin: unknown argument %s\n", argv[i]);
			return -1;
		}
	if (!output) {
		fprintf(stderr, "plugin: output=FILE is missing, or cannot be written\n");
		return -1;
	}
	qemu_plugin_register_vcpu_tb_trans_cb(id, watch_block);
	return 0;
}
