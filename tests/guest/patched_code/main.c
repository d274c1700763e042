// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that a breakpoint instruction which is no longer in memory is no longer met: one vCPU
 * writes INT3 over an instruction and takes it back, as Linux does when it patches itself, while
 * another executes it. QEMU before 8.1 may keep its translation of the INT3 for ever.
 */
/* covers: vcpu_up */
#include "test.h"

const char test_title[] = "code patched under another vCPU";

#define CODE	 TEST_KERNEL_BASE
#define NOP	 0x90
#define INT3	 0xcc
#define RET	 0xc3
#define PATCHES	 1000
#define ENOUGH	 5000
#define WAIT_MAX 4096

static volatile uint32_t round_asked, round_done;
static volatile bool stop;
static uint32_t met, met_late;

/* Goes on behind it. */
static bool take_breakpoint(struct trap_frame *frame)
{
	met++;
	return frame->rip == CODE + 1;
}

/* Whatever was fetched before is fetched again. */
static void serialize(void)
{
	uint32_t a = 0, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory");
}

static void execute(void *argument)
{
	uint32_t asked, before;

	(void)argument;
	while (!stop) {
		asked = round_asked;
		serialize();
		before = met;
		((void (*)(void))CODE)();
		if (asked == round_done) {
			relax();
			continue;
		}
		met_late += met - before;
		atomic_store(&round_done, asked);
	}
}

static void wait_for_round(void)
{
	atomic_add(&round_asked, 1);
	while (round_done != round_asked)
		relax();
}

static void patch(uint8_t *code)
{
	atomic_store(code, INT3);
	for (uint32_t wait = (uint32_t)random_below(WAIT_MAX); wait; wait--)
		barrier();
	atomic_store(code, NOP);
	wait_for_round();
}

void test_main(void)
{
	uint8_t *code = root_map_new(root_boot(), CODE, PTE_PRESENT | PTE_WRITE | PTE_AD);
	uint32_t patches = test_option("full") ? ENOUGH : PATCHES;

	code[0] = NOP;
	code[1] = RET;
	trap_set_handler(VECTOR_BP, take_breakpoint);
	vcpu_start(1, execute, NULL);
	for (uint32_t i = 0; i < patches && !met_late; i++)
		patch(code);
	stop = true;
	vcpu_wait(1);
	printf("%u patches, breakpoint met %u times\n", patches, met);
	CHECK_EQ(met_late, 0, "met after it was gone");
}
