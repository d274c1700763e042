// SPDX-License-Identifier: GPL-2.0
/*
 * Unpacks the kernel as a guest of Ringfence: the hypervisor has put the compressed kernel where
 * it does not stand in its own way, and entered it at rf_unpack in ringfence_head.S.
 *
 * The tables it runs on map the first half GiB where the kernel will be linked to, so that all
 * addresses here are good on the kernel's own tables, too. There is no handler for exceptions: one
 * ends the domain, and the hypervisor says where.
 */
#include "misc.h"
#include "error.h"
#include "../voffset.h"

#include <asm/ringfence/abi/console.h>
#include <asm/ringfence/abi/domain.h>
#include <asm/ringfence/abi/hypercall.h>
#include <asm/ringfence/abi/mmu.h>

static long call(enum rf_hypercall number, unsigned long first, unsigned long second)
{
	long result = number;

	asm volatile("syscall"
		     : "+a" (result), "+D" (first), "+S" (second)
		     :
		     : "rcx", "rdx", "r8", "r9", "r10", "r11", "cc", "memory");
	return result;
}

static void say(const char *text)
{
	call(RF_HYPERCALL_console_write, (unsigned long)text, strlen(text));
}

static void fail(char *why)
{
	say("the kernel cannot be unpacked: ");
	say(why);
	say("\n");
	call(RF_HYPERCALL_shutdown, RF_SHUTDOWN_CRASH, 0);
}

/* The tables that the hypervisor made are memory like any other afterwards. */
static void load_kernel_tables(unsigned long info)
{
	unsigned long root = VO_init_top_pgt - __START_KERNEL_map;
	const struct rf_mmu_op ops[] = {
		{ .operation = RF_MMU_SET_KERNEL_ROOT, .root = root },
		{ .operation = RF_MMU_LOAD_ROOT, .root = root },
		{ .operation = RF_MMU_DESTROY_ROOT, .root = info + PAGE_SIZE },
	};
	long done, next = 0;

	while (next < ARRAY_SIZE(ops)) {
		done = call(RF_HYPERCALL_mmu_batch, (unsigned long)&ops[next],
			    ARRAY_SIZE(ops) - next);
		if (done < 0)
			fail("its page tables are not accepted");
		next += done;
	}
}

/* Returns the kernel's entry. */
asmlinkage __visible unsigned long rf_unpack_kernel(unsigned long info)
{
	unsigned char *output = (void *)(__START_KERNEL_map + LOAD_PHYSICAL_ADDR);

	if (decompress_kernel(output, LOAD_PHYSICAL_ADDR, fail) == ULONG_MAX)
		fail("its data are damaged");
	load_kernel_tables(info);
	return VO_rf_startup;
}
