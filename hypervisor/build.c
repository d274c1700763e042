// SPDX-License-Identifier: BSD-2-Clause
/*
 * Builds the domains that the boot modules ask for, and starts them.
 *
 * Interface: build.h. Locks: none, one CPU at boot and no domain runs.
 * Odd: everything that can be wrong with a module is found before a domain is made, save that
 * memory runs out. guest_layout.c has the rules for places; but the control domain's initrd stays where
 * the loader put it.
 */
#include "build.h"

#include "boot.h"
#include "boot_info.h"
#include "build_plan.h"
#include "command_line.h"
#include "guest_access.h"
#include "pte.h"
#include "string.h"
#include "vcpu.h"
#include "abi/start_info.h"

static const char *file_of(const struct build_plan *plan)
{
	return plan->image->boot->file_name;
}

/* --- Static domains: what fits --- */

static uint64_t memory_bytes(const struct build_plan *plan)
{
	return plan->config.frames << FRAME_SHIFT;
}

static void check_static(struct build_plan *plan)
{
	const struct build_module *initrd = plan->initrd;

	if (plan->layout.end > memory_bytes(plan))
		boot_refuse("%s: memory=%luK: the image and what follows it need %luK",
			    file_of(plan), memory_bytes(plan) >> 10, plan->layout.end >> 10);
	if (initrd &&
	    !guest_layout_place_initrd(&plan->layout, memory_bytes(plan), initrd->boot->size))
		boot_refuse("%s: memory=%luK: no room for the image (%luK) and %s (%luK)",
			    file_of(plan), memory_bytes(plan) >> 10, plan->layout.end >> 10,
			    initrd->boot->file_name, initrd->boot->size >> 10);
}

static void create_static(struct build_plan *plan)
{
	const char *error;

	plan->domain = domain_create(&plan->config, &error);
	if (!plan->domain)
		boot_refuse("%s: %s", file_of(plan), error);
	if (memory_fill(plan->domain, 0, plan->config.frames))
		boot_refuse("%s: memory=%luK: only %lu KiB of memory are left", file_of(plan),
			    memory_bytes(plan) >> 10, frame_free_count() << 2);
}

/* --- Loading --- */

static void write_memory(const struct build_plan *plan, uint64_t to, const void *from, size_t size)
{
	if (copy_to_guest_physical(plan->domain, to, from, size))
		boot_refuse("%s: the domain has no memory at %#lx, %zu bytes", file_of(plan), to,
			    size);
}

static void load_image(const struct build_plan *plan)
{
	for (uint32_t i = 0; i < plan->content.segments; i++) {
		const struct guest_image_segment *s = &plan->content.segment[i];

		write_memory(plan, s->physical, plan->image->data + s->offset, s->file_size);
	}
}

static void load_tables(const struct build_plan *plan)
{
	static uint64_t table[PTE_ENTRIES];

	if (!plan->layout.tables)
		return;
	for (unsigned i = 0; i < GUEST_LAYOUT_TABLES; i++) {
		guest_layout_table(&plan->layout, i, table);
		write_memory(plan, plan->layout.tables + i * FRAME_SIZE, table, FRAME_SIZE);
	}
}

static void load_initrd(const struct build_plan *plan)
{
	if (plan->initrd && !plan->config.control)
		write_memory(plan, plan->layout.initrd, plan->initrd->data,
			     plan->initrd->boot->size);
}

static void write_start_info(const struct build_plan *plan, const struct boot_info *boot)
{
	static struct rf_start_info info;
	const struct domain *d = plan->domain;
	struct guest_layout_facts facts = {
		.domain = d->id,
		.vcpus = d->vcpu_count,
		.memory_bytes = d->memory.frames << FRAME_SHIFT,
		.tsc_khz = arch_tsc_khz(),
		.initrd_start = plan->initrd ? plan->layout.initrd : 0,
		.initrd_size = plan->initrd ? plan->initrd->boot->size : 0,
		.command_line = plan->text.text,
		.command_line_length = plan->text.length,
	};

	guest_layout_describe(&info, &facts);
	if (d->control) {
		info.flags = RF_START_CONTROL;
		info.acpi_rsdp = boot->acpi_rsdp;
		build_control_ranges(boot, &info);
	}
	write_memory(plan, plan->layout.start_info, &info, sizeof(info));
}

static void prepare_vcpu(const struct build_plan *plan)
{
	struct rf_vcpu_context context = {
		.rip = plan->content.note.entry,
		.rdi = plan->layout.start_info,
		.root = plan->content.note.root,
		.page = FRAME_NONE,
	};

	if (vcpu_set_context(plan->domain->vcpus[0], &context))
		boot_refuse("%s: the domain cannot start at %#lx with root %#lx", file_of(plan),
			    context.rip, context.root);
	shadow_set_kernel_root(plan->domain, context.root >> FRAME_SHIFT);
}

/* --- All of it --- */

static void announce(const struct build_plan *plan)
{
	const struct domain *d = plan->domain;

	log_info("(%s) domain %u: %s, %lu KiB of memory, %lu KiB of shadows, %u vCPU%s", d->name,
		 d->id, file_of(plan), d->memory.frames << 2, d->shadow.pool.frames << 2,
		 d->vcpu_count, d->vcpu_count == 1 ? "" : "s");
}

static void create_all(void)
{
	for (uint32_t i = 1; i < build_plan_count; i++)
		check_static(&build_plans[i]);
	for (uint32_t i = 0; i < build_plan_count; i++)
		build_plans[i].config.on_serial = true;
	build_control_create(&build_plans[0]);
	build_plans[0].domain->console.raw = command_line.console == CONSOLE_RAW;
	for (uint32_t i = 1; i < build_plan_count; i++)
		create_static(&build_plans[i]);
}

static void free_modules(const struct boot_info *boot)
{
	for (uint32_t i = 0; i < build_module_count; i++)
		if (build_modules[i].moved != FRAME_NONE)
			frame_free(build_modules[i].moved, build_modules[i].order);
	frame_free_modules(boot);
}

void build_domains(const struct boot_info *boot)
{
	build_plan_read(boot);
	create_all();
	for (uint32_t i = 0; i < build_plan_count; i++) {
		load_image(&build_plans[i]);
		load_tables(&build_plans[i]);
		load_initrd(&build_plans[i]);
		prepare_vcpu(&build_plans[i]);
	}
	free_modules(boot);
	build_control_top_up(&build_plans[0]);
	for (uint32_t i = 0; i < build_plan_count; i++) {
		write_start_info(&build_plans[i], boot);
		announce(&build_plans[i]);
	}
	for (uint32_t i = 0; i < build_plan_count; i++)
		domain_start(build_plans[i].domain);
}
