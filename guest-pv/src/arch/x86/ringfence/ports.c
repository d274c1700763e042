// SPDX-License-Identifier: GPL-2.0
/*
 * Ports that this domain may not use: the control domain some, others all. The instruction faults;
 * a bus where nobody answers reads as all ones, and that is what the drivers of a PC that probe
 * for their devices have to find. User mode is not helped so.
 */
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/uaccess.h>

#include <asm/ptrace.h>

#include "ringfence.h"

#define OPERAND_SIZE_PREFIX	0x66
#define IN_OUT			0xe4	/* with bits: port in DX, output, more than a byte */
#define IN_OUT_MASK		0xf4
#define IN_OUT_DX		0x08
#define IN_OUT_OUTPUT		0x02
#define IN_OUT_WIDE		0x01

/* An IN or OUT, not one of a string: its opcode and length, else zero. */
static unsigned int decode(unsigned long ip, u8 *opcode, bool *prefix)
{
	u8 bytes[2];

	if (copy_from_kernel_nofault(bytes, (void *)ip, sizeof(bytes)))
		return 0;
	*prefix = bytes[0] == OPERAND_SIZE_PREFIX;
	*opcode = bytes[*prefix];
	if ((*opcode & IN_OUT_MASK) != IN_OUT)
		return 0;
	return *prefix + 1 + (*opcode & IN_OUT_DX ? 0 : 1);
}

static void read_nothing(struct pt_regs *regs, u8 opcode, bool prefix)
{
	if (!(opcode & IN_OUT_WIDE))
		regs->ax |= 0xff;
	else if (prefix)
		regs->ax |= 0xffff;
	else
		regs->ax = 0xffffffff;
}

static int on_die(struct notifier_block *block, unsigned long event, void *data)
{
	struct pt_regs *regs = ((struct die_args *)data)->regs;
	unsigned int length;
	bool prefix;
	u8 opcode;

	if (event != DIE_GPF || user_mode(regs))
		return NOTIFY_DONE;
	length = decode(regs->ip, &opcode, &prefix);
	if (!length)
		return NOTIFY_DONE;
	if (!(opcode & IN_OUT_OUTPUT))
		read_nothing(regs, opcode, prefix);
	regs->ip += length;
	return NOTIFY_STOP;
}

static struct notifier_block die_block = {
	.notifier_call	= on_die,
	.priority	= INT_MAX,
};

void __init rf_ports_init(void)
{
	register_die_notifier(&die_block);
}
