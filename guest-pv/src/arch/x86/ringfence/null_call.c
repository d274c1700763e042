// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/null_call, for the benchmark: a write of N bytes makes N hypercalls that do nothing. One of
 * whatever hypervisor there is, so that they can be compared; without one there is no device.
 */
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/kvm_para.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include <xen/xen.h>
#include <asm/xen/hypercall.h>
#include <xen/interface/version.h>

#include "ringfence.h"

#define CALLS_MAX 65536

static void call_ringfence(void)
{
	rf_call0(RF_HYPERCALL_version);
}

static void call_xen(void)
{
	HYPERVISOR_xen_version(XENVER_version, NULL);
}

/* KVM knows this call, and nothing is done for it. */
static void call_kvm(void)
{
	kvm_hypercall0(KVM_HC_VAPIC_POLL_IRQ);
}

static void (*null_call)(void);

static ssize_t null_call_write(struct file *file, const char __user *buffer, size_t size,
			       loff_t *position)
{
	size_t i;

	if (size > CALLS_MAX)
		return -EINVAL;
	for (i = 0; i < size; i++)
		null_call();
	return size;
}

static const struct file_operations null_call_operations = {
	.owner = THIS_MODULE,
	.write = null_call_write,
	.llseek = noop_llseek,
};

static struct miscdevice null_call_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "null_call",
	.fops = &null_call_operations,
	.mode = 0200,
};

static int __init null_call_init(void)
{
	if (rf_domain())
		null_call = call_ringfence;
	else if (xen_pv_domain())
		null_call = call_xen;
	else if (kvm_para_available())
		null_call = call_kvm;
	else
		return 0;
	return misc_register(&null_call_device);
}
device_initcall(null_call_init);
