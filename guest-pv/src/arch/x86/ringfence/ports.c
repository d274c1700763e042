// SPDX-License-Identifier: GPL-2.0
/*
 * Ports that this domain may not use: the control domain some, others all. The instruction faults;
 * a bus where nobody answers reads as all ones, and that is what the drivers of a PC that probe
 * for their devices have to find.
 *
 * User mode has no ports at all, as the hypervisor's bitmap is not a task's. What a task was given
 * by ioperm() or iopl() is done here, an instruction at a time, save for those of strings.
 */
#include <linux/bitops.h>
#include <linux/kdebug.h>
#include <linux/notifier.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include <asm/insn-eval.h>
#include <asm/io.h>
#include <asm/io_bitmap.h>
#include <asm/processor.h>
#include <asm/ptrace.h>
#include <asm/ringfence/ports.h>

#include "ringfence.h"

#define OPERAND_SIZE_PREFIX	0x66
#define IN_OUT			0xe4	/* with bits: port in DX, output, more than a byte */
#define IN_OUT_MASK		0xf4
#define IN_OUT_DX		0x08
#define IN_OUT_OUTPUT		0x02
#define IN_OUT_WIDE		0x01

struct access {
	unsigned int length;	/* of the instruction */
	unsigned int size;
	u16 port;
	bool output;
};

/* An IN or OUT, not one of a string, at the beginning of three bytes. */
static bool decode(const u8 *bytes, const struct pt_regs *regs, struct access *access)
{
	bool prefix = bytes[0] == OPERAND_SIZE_PREFIX;
	u8 opcode = bytes[prefix];

	if ((opcode & IN_OUT_MASK) != IN_OUT)
		return false;
	access->output = opcode & IN_OUT_OUTPUT;
	access->size = !(opcode & IN_OUT_WIDE) ? 1 : prefix ? 2 : 4;
	access->port = opcode & IN_OUT_DX ? regs->dx : bytes[prefix + 1];
	access->length = prefix + 1 + (opcode & IN_OUT_DX ? 0 : 1);
	return true;
}

static void put_result(struct pt_regs *regs, unsigned int size, u32 value)
{
	if (size == 1)
		regs->ax = (regs->ax & ~0xffUL) | (value & 0xff);
	else if (size == 2)
		regs->ax = (regs->ax & ~0xffffUL) | (value & 0xffff);
	else
		regs->ax = value;
}

static int on_die(struct notifier_block *block, unsigned long event, void *data)
{
	struct pt_regs *regs = ((struct die_args *)data)->regs;
	struct access access;
	u8 bytes[3];

	if (event != DIE_GPF || user_mode(regs))
		return NOTIFY_DONE;
	if (copy_from_kernel_nofault(bytes, (void *)regs->ip, sizeof(bytes)) ||
	    !decode(bytes, regs, &access))
		return NOTIFY_DONE;
	if (!access.output)
		put_result(regs, access.size, ~0);
	regs->ip += access.length;
	return NOTIFY_STOP;
}

#ifdef CONFIG_X86_IOPL_IOPERM
static bool may_use(const struct access *access)
{
	const struct thread_struct *thread = &current->thread;
	unsigned int i;

	if (thread->iopl_emul == 3)
		return true;
	if (!thread->io_bitmap || access->port + access->size > IO_BITMAP_BITS)
		return false;
	for (i = 0; i < access->size; i++)
		if (test_bit(access->port + i, thread->io_bitmap->bitmap))
			return false;
	return true;
}

static void write_port(const struct access *access, u32 value)
{
	if (access->size == 1)
		outb(value, access->port);
	else if (access->size == 2)
		outw(value, access->port);
	else
		outl(value, access->port);
}

static u32 read_port(const struct access *access)
{
	if (access->size == 1)
		return inb(access->port);
	if (access->size == 2)
		return inw(access->port);
	return inl(access->port);
}

bool rf_use_port(struct pt_regs *regs)
{
	struct access access;
	u8 bytes[3] = {};
	unsigned long ip;

	if (!test_thread_flag(TIF_IO_BITMAP) || insn_get_effective_ip(regs, &ip))
		return false;
	/* The third byte may be on a page that is not there. */
	if (copy_from_user(bytes, (void __user *)ip, sizeof(bytes)) == sizeof(bytes) ||
	    !decode(bytes, regs, &access) || !may_use(&access))
		return false;
	if (access.output)
		write_port(&access, regs->ax);
	else
		put_result(regs, access.size, read_port(&access));
	regs->ip += access.length;
	return true;
}
#endif

static struct notifier_block die_block = {
	.notifier_call	= on_die,
	.priority	= INT_MAX,
};

void __init rf_ports_init(void)
{
	register_die_notifier(&die_block);
}
