// SPDX-License-Identifier: BSD-2-Clause
/*
 * Builds a domain: makes it, gives it memory, copies kernel, initrd, page tables and start information
 * there by the rules of guest_layout.c, and says where it starts.
 *
 * Interface: builder.h. Locks: none.
 * Odd: kernel and initrd are copied from where their files are mapped; nothing reads them before.
 */
#include "toolstack/lib/builder.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi/memory.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/introduce.h"

#define PAGE	     4096ULL
#define LARGE_ORDER  9
#define LARGE_FRAMES 512ULL
#define DESTROY_MS   10000

struct builder {
	struct access *access;
	const struct config *config;
	const struct image *image;
	struct report *report;
	uint32_t domain;
	uint32_t store_port;
	uint64_t tsc_khz;
};

static bool refused(struct builder *b, const char *what, int64_t error)
{
	return report_fail(b->report, "%s: %s: %s", b->config->name, what, strerror((int)-error));
}

/* --- The domain, and its memory --- */

static bool create(struct builder *b)
{
	struct rf_domain_config c = {
		.vcpus = (uint32_t)b->config->vcpus,
		.flags = b->config->console == CONSOLE_SERIAL ? RF_CREATE_SERIAL : 0,
		.frames_max = b->config->memory_max / PAGE,
		.shadow_frames = b->config->shadow / PAGE,
	};
	int64_t result;

	memcpy(c.name, b->config->name, strlen(b->config->name));
	result = access_call(b->access, RF_HYPERCALL_domain_create, access_pointer(&c));
	if (result == -ENOMEM)
		return report_fail(b->report,
				   "%s: the hypervisor has no memory to manage it, or too many "
				   "domains (rf dmesg has more)",
				   b->config->name);
	if (result < 0)
		return refused(b, "the hypervisor does not make it", result);
	b->domain = (uint32_t)result;
	return true;
}

/* As many extents of one size as a call takes. */
static unsigned list_extents(struct rf_memory_extent *extents, uint64_t gfn, uint64_t end,
			     unsigned order)
{
	unsigned count = 0;

	for (; count < RF_MEMORY_BATCH_MAX && gfn + (1ULL << order) <= end; gfn += 1ULL << order)
		extents[count++] = (struct rf_memory_extent){ .gfn = gfn, .order = order };
	return count;
}

/* From `gfn` on, in extents of one size, as far as there is such memory; a negative error: not even one. */
static int64_t populate_some(struct builder *b, uint64_t gfn, uint64_t end, unsigned order)
{
	struct rf_memory_extent extents[RF_MEMORY_BATCH_MAX];
	unsigned count = list_extents(extents, gfn, end, order);

	return access_call(b->access, RF_HYPERCALL_memory_populate, b->domain,
			   access_pointer(extents), count);
}

static bool no_memory(struct builder *b, uint64_t done)
{
	return report_fail(b->report, "%s: memory: %lluK are asked for, only %lluK are left",
			   b->config->name, (unsigned long long)b->config->memory >> 10,
			   (unsigned long long)done * PAGE >> 10);
}

/* In pages of 2 MiB; where the machine has no more of them, and at the end, of 4 KiB. */
static bool populate(struct builder *b)
{
	uint64_t gfn = 0, end = b->config->memory / PAGE;
	unsigned order = LARGE_ORDER;
	int64_t result;

	while (gfn < end) {
		if (order && (gfn % LARGE_FRAMES || end - gfn < LARGE_FRAMES))
			order = 0;
		result = populate_some(b, gfn, end, order);
		if (result == -ENOMEM && order)
			order = 0;
		else if (result == -ENOMEM)
			return no_memory(b, gfn);
		else if (result <= 0)
			return refused(b, "the hypervisor gives it no memory", result);
		else
			gfn += (uint64_t)result << order;
	}
	return true;
}

/* --- Its content --- */

/* The next pieces, as many as a call takes; how many bytes they have. */
static uint64_t list_pieces(struct rf_domain_copy *pieces, unsigned *count, uint64_t to,
			    const char *from, uint64_t size)
{
	uint64_t at = 0;

	for (*count = 0; *count < RF_COPY_MAX && at < size; (*count)++) {
		uint64_t part = size - at < RF_COPY_SIZE ? size - at : RF_COPY_SIZE;

		pieces[*count] = (struct rf_domain_copy){
			.direction = RF_COPY_TO,
			.size = (uint32_t)part,
			.physical = to + at,
			.address = access_pointer(from + at),
		};
		at += part;
	}
	return at;
}

static bool copy(struct builder *b, uint64_t to, const void *from, uint64_t size)
{
	struct rf_domain_copy pieces[RF_COPY_MAX];
	unsigned count, done;
	int64_t result;

	for (uint64_t at = 0; at < size;) {
		at += list_pieces(pieces, &count, to + at, (const char *)from + at, size - at);
		for (done = 0; done < count; done += (unsigned)result) {
			result = access_call(b->access, RF_HYPERCALL_domain_copy, b->domain,
					     access_pointer(&pieces[done]), count - done);
			if (result <= 0)
				return refused(b, "its memory cannot be written", result);
		}
	}
	return true;
}

static bool copy_kernel(struct builder *b)
{
	const struct guest_image *content = &b->image->content;

	for (uint32_t i = 0; i < content->segments; i++) {
		const struct guest_image_segment *s = &content->segment[i];

		if (!copy(b, s->physical, b->image->kernel.data + s->offset, s->file_size))
			return false;
	}
	return true;
}

static bool copy_tables(struct builder *b)
{
	const struct guest_layout *layout = &b->image->layout;
	uint64_t table[512];

	for (unsigned i = 0; layout->tables && i < GUEST_LAYOUT_TABLES; i++) {
		guest_layout_table(layout, i, table);
		if (!copy(b, layout->tables + i * PAGE, table, sizeof(table)))
			return false;
	}
	return true;
}

static bool copy_start_info(struct builder *b)
{
	const struct image *image = b->image;
	const char *text = b->config->command_line;
	struct guest_layout_facts facts = {
		.domain = b->domain,
		.vcpus = (uint32_t)b->config->vcpus,
		.store_port = b->store_port,
		.memory_bytes = b->config->memory,
		.tsc_khz = b->tsc_khz,
		.initrd_start = image->layout.initrd,
		.initrd_size = image->initrd.size,
		.command_line = text,
		.command_line_length = text ? strlen(text) : 0,
	};
	struct rf_start_info info;

	guest_layout_describe(&info, &facts);
	return copy(b, image->layout.start_info, &info, sizeof(info));
}

/* --- How it starts and runs --- */

static bool set(struct builder *b)
{
	const struct rf_note *note = &b->image->content.note;
	struct rf_domain_set s = {
		.mask = RF_SET_START | RF_SET_CAP,
		.entry = note->entry,
		.root = note->root,
		.argument = b->image->layout.start_info,
		.cap = (uint32_t)b->config->cap,
		.weight = (uint32_t)b->config->weight,
		.vcpu = RF_SET_EVERY_VCPU,
		.affinity = b->config->cpus,
	};
	int result;

	s.mask |= s.weight ? RF_SET_WEIGHT : 0;
	s.mask |= s.affinity ? RF_SET_AFFINITY : 0;
	result = domain_set(b->access, b->domain, &s);
	if (result == -EINVAL && s.affinity)
		return report_fail(b->report,
				   "%s: cpus: none of them is there, or the kernel cannot start at "
				   "%#llx",
				   b->config->name, (unsigned long long)s.entry);
	return result ? refused(b, "it cannot start", result) : true;
}

/* --- All of it --- */

static bool build(struct builder *b)
{
	return populate(b) && copy_kernel(b) && copy_tables(b) &&
	       (!b->image->initrd.size ||
		copy(b, b->image->layout.initrd, b->image->initrd.data, b->image->initrd.size)) &&
	       copy_start_info(b) && set(b);
}

/* One that cannot be looked at is removed by its number, which domain_get has not left in info then. */
static bool look(struct builder *b, struct rf_domain_info *info)
{
	int error = domain_get(b->access, b->domain, info);

	info->domain = b->domain;
	b->tsc_khz = info->machine_tsc_khz;
	return error ? refused(b, "it cannot be looked at", error) : true;
}

static bool create_and_build(struct builder *b, struct rf_domain_info *info)
{
	if (!create(b))
		return false;
	b->store_port = introduce_domain(b->domain, b->config, b->report);
	if (look(b, info) && build(b) && look(b, info))
		return true;
	introduce_release(b->domain);
	domain_destroy(b->access, info, DESTROY_MS);
	return false;
}

bool builder_create(struct access *access, const struct config *config, const struct image *image,
		    struct rf_domain_info *info, struct report *report)
{
	struct builder b = {
		.access = access,
		.config = config,
		.image = image,
		.report = report,
	};

	return create_and_build(&b, info);
}
