// SPDX-License-Identifier: GPL-2.0
/*
 * /sys/kernel/ringfence: what the hypervisor tells about itself and this domain, for tests and
 * measurements.
 *
 *   counters  what it counted for this domain's vCPUs, together: a line "name number" each
 *   memory    frames of this domain, and of its shadows: a line "name number" each
 *   grants    what other domains may use of its memory: a line "name number" each
 *   audit     reading it has the hypervisor recount everything, and compare every shadow entry with
 *             the page tables: "ok", or the read fails, and the hypervisor's log says why. Only in
 *             the control domain.
 *
 * Each takes a hypercall or more, so only root may read them.
 */
#include <linux/delay.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>

#include <asm/ringfence/abi/counters.h>
#include <asm/ringfence/abi/domain.h>
#include <asm/ringfence/grant.h>

#include "ringfence.h"

#define AUDIT_ATTEMPTS	5
#define AUDIT_PAUSE_MS	20

struct kobject *rf_sysfs_folder;

#define HYPERCALL(number, name, arguments, who) [number] = #name,
static const char *const hypercall_names[RF_HYPERCALL_SLOTS] = {
#include <asm/ringfence/abi/hypercalls.def>
};
#undef HYPERCALL

#define ENTRY_REASON(constant, name) [RF_ENTRY_##constant] = #name,
static const char *const entry_names[] = {
#include <asm/ringfence/abi/entry_reasons.def>
};
#undef ENTRY_REASON

#define COUNTER(name) { #name, offsetof(struct rf_counters, name) }
static const struct {
	const char *name;
	size_t offset;
} plain_counters[] = {
	COUNTER(fills),		COUNTER(window_fills),	COUNTER(prefills),
	COUNTER(flushes),	COUNTER(resynced),	COUNTER(shootdowns),
	COUNTER(faults),	COUNTER(exceptions),	COUNTER(vectors),
	COUNTER(root_loads),	COUNTER(root_misses),	COUNTER(evictions),
	COUNTER(switches),
};

/* The counters are all numbers of 64 bits. */
static int sum_counters(struct rf_counters *sum)
{
	struct rf_counters *one = kmalloc(sizeof(*one), GFP_KERNEL);
	unsigned int vcpu, i;
	long error = 0;

	if (!one)
		return -ENOMEM;
	for (vcpu = 0; vcpu < rf_start_info.vcpus && !error; vcpu++) {
		error = rf_call(RF_HYPERCALL_counters, RF_DOMAIN_SELF, vcpu, (unsigned long)one);
		for (i = 0; i < sizeof(*one) / sizeof(u64) && !error; i++)
			((u64 *)sum)[i] += ((u64 *)one)[i];
	}
	kfree(one);
	return error;
}

static ssize_t print_counters(char *text, const struct rf_counters *counters)
{
	ssize_t size = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(entry_names); i++)
		size += sysfs_emit_at(text, size, "entry_%s %llu\n", entry_names[i],
				      counters->entries[i]);
	for (i = 0; i < ARRAY_SIZE(plain_counters); i++)
		size += sysfs_emit_at(text, size, "%s %llu\n", plain_counters[i].name,
				      *(u64 *)((void *)counters + plain_counters[i].offset));
	for (i = 0; i < ARRAY_SIZE(hypercall_names); i++)
		if (hypercall_names[i])
			size += sysfs_emit_at(text, size, "hypercall_%s %llu\n",
					      hypercall_names[i], counters->hypercalls[i]);
	return size;
}

static ssize_t counters_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	struct rf_counters *sum = kzalloc(sizeof(*sum), GFP_KERNEL);
	ssize_t result;

	if (!sum)
		return -ENOMEM;
	result = sum_counters(sum);
	if (!result)
		result = print_counters(text, sum);
	kfree(sum);
	return result;
}

static struct kobj_attribute counters_attribute = __ATTR_RO_MODE(counters, 0400);

static ssize_t memory_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	struct rf_domain_info *info = kzalloc(sizeof(*info), GFP_KERNEL);
	ssize_t result;

	if (!info)
		return -ENOMEM;
	result = rf_call2(RF_HYPERCALL_domain_info, RF_DOMAIN_SELF, (unsigned long)info);
	if (!result)
		result = sysfs_emit(text,
				    "frames %llu\nframes_max %llu\n"
				    "shadow_frames %llu\nshadow_frames_used %llu\n",
				    info->frames, info->frames_max, info->shadow_frames,
				    info->shadow_frames_used);
	kfree(info);
	return result;
}

static struct kobj_attribute memory_attribute = __ATTR_RO_MODE(memory, 0400);

static ssize_t grants_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	struct rf_grant_counts counts;

	rf_grant_count(&counts);
	return sysfs_emit(text, "granted %u\nwaiting %u\n", counts.granted, counts.waiting);
}

static struct kobj_attribute grants_attribute = __ATTR_RO_MODE(grants, 0400);

static int audit_stopped(void *unused)
{
	return rf_call1(RF_HYPERCALL_audit, RF_AUDIT_FLUSHED);
}

/*
 * While all CPUs are stopped none is between writing an entry and flushing it; but a task that
 * sleeps may be; the kernel's own unmappings, and what ended address spaces leave, are flushed late,
 * unless asked for. So what does not agree must be found several times before it counts.
 */
static ssize_t audit_show(struct kobject *object, struct kobj_attribute *attribute, char *text)
{
	unsigned int attempt;
	int error = 0;

	for (attempt = 0; attempt < AUDIT_ATTEMPTS; attempt++) {
		if (attempt)
			msleep(AUDIT_PAUSE_MS);
		vm_unmap_aliases();
		on_each_cpu(rf_mmu_perform_deferred, NULL, 1);
		error = stop_machine(audit_stopped, NULL, NULL);
		if (error != -ENODATA)
			break;
	}
	return error ? error : sysfs_emit(text, "ok\n");
}

static struct kobj_attribute audit_attribute = __ATTR_RO_MODE(audit, 0400);

static int __init rf_sysfs_init(void)
{
	struct kobject *folder;
	int error;

	if (!rf_domain())
		return 0;
	folder = kobject_create_and_add("ringfence", kernel_kobj);
	if (!folder)
		return -ENOMEM;
	rf_sysfs_folder = folder;
	error = sysfs_create_file(folder, &counters_attribute.attr);
	if (!error)
		error = sysfs_create_file(folder, &memory_attribute.attr);
	if (!error)
		error = sysfs_create_file(folder, &grants_attribute.attr);
	if (!error && (rf_start_info.flags & RF_START_CONTROL))
		error = sysfs_create_file(folder, &audit_attribute.attr);
	return error;
}
device_initcall(rf_sysfs_init);
