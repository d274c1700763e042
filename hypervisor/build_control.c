// SPDX-License-Identifier: BSD-2-Clause
/*
 * The control domain's memory: it sees the machine as it is, so its image goes to the machine
 * addresses its headers name, and its start information describes all of the machine's memory.
 *
 * Interface: build_plan.h. Locks: none, one CPU at boot.
 * Odd: loaders put modules wherever they like, even where the image has to go: such a module is
 * moved first. Frames are taken before the domain is made, in one stretch from the image upwards,
 * so that what the domain itself takes does not lie in between; they are marked FRAME_TAG_TAKEN.
 */
#include "build_plan.h"

#include "arch.h"
#include "boot.h"
#include "boot_info.h"
#include "command_line.h"
#include "frame.h"
#include "string.h"
#include "abi/start_info.h"

#define LOW_END	     256		       /* the first MiB */
#define RESERVE_MOST (16 << 20 >> FRAME_SHIFT) /* plus 1/32 of what is free */
#define LEFT_OUT_MAX (1ULL << 18)	       /* frames: 1 GiB */

static uint64_t first_frame(const struct build_plan *plan)
{
	return plan->content.lowest >> FRAME_SHIFT;
}

static uint64_t end_frame(const struct build_plan *plan)
{
	return plan->layout.end >> FRAME_SHIFT;
}

/* --- The place of the image --- */

static bool take(uint64_t mfn)
{
	if (!frame_alloc_at(mfn))
		return false;
	frame_of(mfn)->tag = FRAME_TAG_TAKEN;
	return true;
}

/* Those that hold nothing: before anything else is allocated, or it might lie here. */
static void take_free(const struct build_plan *plan)
{
	for (uint64_t mfn = first_frame(plan); mfn < end_frame(plan); mfn++)
		take(mfn);
}

static void move_modules(const struct build_plan *plan)
{
	for (uint32_t i = 0; i < build_module_count; i++) {
		struct build_module *m = &build_modules[i];
		uint64_t first = m->boot->start >> FRAME_SHIFT;
		uint64_t end = (m->boot->start + m->boot->size + FRAME_SIZE - 1) >> FRAME_SHIFT;

		if (first < end_frame(plan) && first_frame(plan) < end)
			build_module_move(m);
	}
}

static _Noreturn void refuse_place(const struct build_plan *plan, uint64_t mfn)
{
	uint64_t end = end_frame(plan) << FRAME_SHIFT;

	boot_refuse("%s: the image and what follows it go to %#lx-%#lx, but %#lx is not free "
		    "memory of this machine",
		    plan->image->boot->file_name, plan->content.lowest, end - 1,
		    mfn << FRAME_SHIFT);
}

static void take_module_frame(const struct build_plan *plan, uint64_t mfn)
{
	struct frame *f = frame_of(mfn);

	if (f->state != FRAME_HYPERVISOR || (f->tag != FRAME_TAG_MODULE && f->tag != FRAME_TAG_LOW))
		refuse_place(plan, mfn);
	memset(arch_frame_pointer(mfn), 0, FRAME_SIZE);
	f->tag = FRAME_TAG_TAKEN;
}

static bool is_taken(uint64_t mfn)
{
	return frame_of(mfn)->state == FRAME_HYPERVISOR && frame_of(mfn)->tag == FRAME_TAG_TAKEN;
}

static void take_image_place(const struct build_plan *plan)
{
	if (end_frame(plan) > frame_limit)
		refuse_place(plan, frame_limit);
	take_free(plan);
	move_modules(plan);
	for (uint64_t mfn = first_frame(plan); mfn < end_frame(plan); mfn++)
		if (!is_taken(mfn))
			take_module_frame(plan, mfn);
}

/* --- The initrd: stays where it is when it has its pages for itself --- */

static bool shares_pages(const struct build_module *module)
{
	uint64_t first = module->boot->start,
		 end = first + build_module_frames(module) * FRAME_SIZE;

	for (uint32_t i = 0; i < build_module_count; i++) {
		const struct boot_module *other = build_modules[i].boot;

		if (other != module->boot && other->start < end &&
		    first < other->start + other->size)
			return true;
	}
	return false;
}

static void take_initrd(struct build_plan *plan)
{
	struct build_module *m = plan->initrd;
	uint64_t frames = build_module_frames(m), mfn;
	char *end;

	if (m->moved == FRAME_NONE && (m->boot->start % FRAME_SIZE || shares_pages(m)))
		build_module_move(m);
	mfn = m->moved == FRAME_NONE ? m->boot->start >> FRAME_SHIFT : m->moved;
	for (uint64_t i = 0; i < frames; i++)
		frame_of(mfn + i)->tag = FRAME_TAG_TAKEN;
	for (uint64_t i = frames; m->moved != FRAME_NONE && i < 1ULL << m->order; i++)
		frame_free(mfn + i, 0);
	m->moved = FRAME_NONE;
	end = (char *)arch_frame_pointer(mfn) + m->boot->size;
	memset(end, 0, frames * FRAME_SIZE - m->boot->size);
	plan->layout.initrd = mfn << FRAME_SHIFT;
}

/* --- How much it gets --- */

/* Kept for what the hypervisor needs later: domains that the control domain makes, and their parts. */
static uint64_t reserve;

static void choose_reserve(void)
{
	uint64_t free = frame_free_count();

	reserve = free / 32 + (free / 8 < RESERVE_MOST ? free / 8 : RESERVE_MOST);
}

static uint64_t frames_to_keep(void)
{
	uint64_t keep = reserve;

	for (uint32_t i = 1; i < build_plan_count; i++)
		keep += build_plans[i].config.frames + build_plan_overhead(&build_plans[i]);
	return keep;
}

static uint64_t count_taken(void)
{
	uint64_t count = 0;

	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		count += frame_of(mfn)->state == FRAME_HYPERVISOR &&
			 (frame_of(mfn)->tag == FRAME_TAG_TAKEN ||
			  frame_of(mfn)->tag == FRAME_TAG_LOW);
	return count;
}

static const char *asked_by(const struct build_plan *plan)
{
	return command_line.control_memory ? "option control-memory" : plan->image->boot->file_name;
}

/* An explicit size, or all but what others need. */
static void choose_size(struct build_plan *plan, uint64_t taken)
{
	struct domain_config *c = &plan->config;
	uint64_t available = taken + frame_free_count(), keep = frames_to_keep();
	bool asked;

	if (command_line.control_memory)
		c->frames = command_line.control_memory >> FRAME_SHIFT;
	asked = c->frames != 0;
	plan->gets_all = !asked;
	if (!asked) {
		c->frames = available;
		keep += build_plan_overhead(plan) + 1;
		c->frames = available > keep ? available - keep : 0;
	}
	if (!asked && c->frames < taken)
		boot_refuse("%s: too little memory: %lu KiB are free, the hypervisor and the other "
			    "domains need %lu KiB, its image, initrd and the first MiB %lu KiB",
			    asked_by(plan), available << 2, keep << 2, taken << 2);
	if (c->frames < taken)
		boot_refuse("%s: %lu KiB are too little memory for the control domain: its image, "
			    "initrd and the first MiB take %lu KiB",
			    asked_by(plan), c->frames << 2, taken << 2);
	if (asked && c->frames + build_plan_overhead(plan) > available)
		boot_refuse("%s: too little memory: %lu KiB are asked for the control domain, %lu "
			    "KiB are left for it",
			    asked_by(plan), c->frames << 2, available << 2);
}

/* As it is, not zeroed. */
static bool claim(uint64_t mfn)
{
	if (!frame_claim_at(mfn))
		return false;
	frame_of(mfn)->tag = FRAME_TAG_TAKEN;
	return true;
}

/* In order, from the image up, then what lies below it. */
static uint64_t take_range(uint64_t mfn, uint64_t end, uint64_t wanted)
{
	uint64_t taken = 0;

	for (; mfn < end && taken < wanted; mfn++)
		taken += claim(mfn);
	return taken;
}

static void take_rest(const struct build_plan *plan, uint64_t wanted)
{
	wanted -= take_range(end_frame(plan), frame_limit, wanted);
	take_range(LOW_END, first_frame(plan), wanted);
}

/* Everything taken becomes its memory. */
static void assign_taken(struct domain *d)
{
	for (uint64_t mfn = 0; mfn < frame_limit; mfn++) {
		struct frame *f = frame_of(mfn);

		if (f->state != FRAME_HYPERVISOR ||
		    (f->tag != FRAME_TAG_TAKEN && f->tag != FRAME_TAG_LOW))
			continue;
		frame_assign(mfn, 0, d->id);
		d->memory.frames++;
	}
}

void build_control_create(struct build_plan *plan)
{
	const char *error;
	uint64_t taken;

	take_image_place(plan);
	if (plan->initrd)
		take_initrd(plan);
	taken = count_taken();
	choose_reserve();
	choose_size(plan, taken);
	take_rest(plan, plan->config.frames - taken);
	plan->domain = domain_create(&plan->config, &error);
	if (!plan->domain)
		boot_refuse("%s: %s", plan->image->boot->file_name, error);
	assign_taken(plan->domain);
}

void build_control_top_up(struct build_plan *plan)
{
	uint64_t free = frame_free_count();

	if (!plan->gets_all)
		return;
	if (free > reserve)
		take_rest(plan, free - reserve);
	assign_taken(plan->domain);
	plan->domain->memory.frames_max = plan->domain->memory.frames;
}

/* --- The map of the machine --- */

static uint32_t kind_of_frame(uint64_t mfn, uint16_t owner)
{
	if (mfn >= frame_limit)
		return RF_RANGE_RESERVED;
	if (frame_owned_by(mfn, owner))
		return RF_RANGE_RAM;
	switch (frame_of(mfn)->state) {
	case FRAME_HYPERVISOR:
	case FRAME_SHADOW:
	case FRAME_INVALID:
		return RF_RANGE_RESERVED;
	default:
		return RF_RANGE_FOREIGN;
	}
}

static uint32_t kind_of_range(uint32_t type)
{
	switch (type) {
	case BOOT_ACPI:
		return RF_RANGE_ACPI;
	case BOOT_NVS:
		return RF_RANGE_NVS;
	case BOOT_UNUSABLE:
		return RF_RANGE_UNUSABLE;
	default:
		return RF_RANGE_RESERVED;
	}
}

/* How many there are, also beyond those that fit. */
static void add_range(struct rf_start_info *info, uint64_t start, uint64_t size, uint32_t kind)
{
	uint32_t last = info->ranges - 1;

	if (info->ranges > 0 && info->ranges <= RF_START_RANGES && info->range[last].kind == kind &&
	    info->range[last].start + info->range[last].size == start) {
		info->range[last].size += size;
		return;
	}
	if (info->ranges < RF_START_RANGES)
		info->range[info->ranges] = (struct rf_start_range){
			.start = start,
			.size = size,
			.kind = kind,
		};
	info->ranges++;
}

/* The frames from mfn on that are of one kind. */
static uint64_t run_end(uint64_t mfn, uint64_t end, uint32_t kind)
{
	while (mfn < end && kind_of_frame(mfn, 0) == kind)
		mfn++;
	return mfn;
}

/* Pieces shorter than that are left out. */
static void add_ram(struct rf_start_info *info, uint64_t mfn, uint64_t end, uint64_t shortest)
{
	while (mfn < end) {
		uint32_t kind = kind_of_frame(mfn, 0);
		uint64_t after = run_end(mfn, end, kind);

		if (after - mfn >= shortest)
			add_range(info, mfn << FRAME_SHIFT, (after - mfn) << FRAME_SHIFT, kind);
		mfn = after;
	}
}

void build_control_ranges(const struct boot_info *boot, struct rf_start_info *info)
{
	for (uint64_t shortest = 1; shortest <= LEFT_OUT_MAX; shortest *= 16) {
		info->ranges = 0;
		for (uint32_t i = 0; i < boot->range_count; i++) {
			const struct boot_range *r = &boot->ranges[i];

			if (r->type == BOOT_RAM)
				add_ram(info, r->start >> FRAME_SHIFT,
					(r->start + r->size) >> FRAME_SHIFT, shortest);
			else
				add_range(info, r->start, r->size, kind_of_range(r->type));
		}
		if (info->ranges <= RF_START_RANGES)
			return;
	}
	boot_refuse("the machine's memory is in more than %u ranges", RF_START_RANGES);
}
