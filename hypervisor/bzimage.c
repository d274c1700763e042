// SPDX-License-Identifier: BSD-2-Clause
/*
 * Compressed Linux kernels with our patches: checks the setup header, and finds our entry among the
 * data of kernel_info.
 *
 * The hypervisor holds no decompressor: the kernel unpacks itself, in ring 3. It is put to the end of
 * the memory that it says it needs, where the native boot would move it, so that what it unpacks
 * at the beginning does not catch up with what it reads.
 *
 * Interface: bzimage.h. Locks: none.
 * Odd: addresses in the kernel are counted from the place of its kernel_info, because its linker can
 * only do that.
 */
#include "bzimage.h"

#include "string.h"

#define HEADER_OFFSET	 0x1f1
#define HEADER_MAGIC	 0x53726448 /* HdrS */
#define BOOT_FLAG	 0xaa55
#define VERSION_MIN	 0x020f /* the first with kernel_info */
#define LOADED_HIGH	 0x01
#define HAS_64_BIT_ENTRY 0x0001
#define SECTOR		 512
#define SETUP_SECTORS	 4 /* what zero means */
#define PARAGRAPH	 16
#define INFO_MAGIC	 0x506f544c /* LToP */
#define INFO_SIZE_MAX	 4096
#define ALIGNMENT	 (2UL << 20)
#define PAGE_MASK	 4095ULL
/* As much as Linux's own first tables map at RF_BOOT_MAP: the same code runs on both. */
#define KERNEL_MAP_SIZE	 (512UL << 20)

struct setup_header {
	uint8_t setup_sectors;
	uint16_t root_flags;
	uint32_t paragraphs; /* of what follows the setup sectors */
	uint8_t unused_1f8[6];
	uint16_t boot_flag;
	uint16_t jump;
	uint32_t magic;
	uint16_t version;
	uint8_t unused_208[9];
	uint8_t load_flags;
	uint8_t unused_212[36];
	uint16_t more_load_flags;
	uint8_t unused_238[32];
	uint64_t address;
	uint32_t memory; /* from there: the unpacked kernel, and room to unpack it */
	uint32_t handover_offset;
	uint32_t info_offset;
} __attribute__((packed));

_Static_assert(sizeof(struct setup_header) == 0x26c - HEADER_OFFSET, "as the boot protocol has it");

struct info_header {
	uint32_t magic;
	uint32_t size;
	uint32_t total_size; /* and the parts */
};

struct part_header {
	uint32_t magic;
	uint32_t size;
};

struct reader {
	const char *kernel; /* what follows the setup sectors */
	uint64_t offset;    /* of that in the file */
	uint64_t size;
	struct setup_header header;
	struct rf_kernel_info info;
};

bool bzimage_is(const void *file, size_t size)
{
	struct setup_header h;

	if (size < HEADER_OFFSET + sizeof(h))
		return false;
	memcpy(&h, (const char *)file + HEADER_OFFSET, sizeof(h));
	return h.boot_flag == BOOT_FLAG && h.magic == HEADER_MAGIC;
}

/* --- The setup header --- */

static const char *check_kind(const struct setup_header *h)
{
	if (h->version < VERSION_MIN)
		return guest_image_refuse("bzImage: boot protocol %u.%u, %u.%u or later is needed",
					  h->version >> 8, h->version & 0xff, VERSION_MIN >> 8,
					  VERSION_MIN & 0xff);
	if (!(h->load_flags & LOADED_HIGH) || !(h->more_load_flags & HAS_64_BIT_ENTRY))
		return "bzImage: not a 64-bit kernel";
	return NULL;
}

static const char *check_memory(const struct setup_header *h)
{
	if (h->address % ALIGNMENT)
		return guest_image_refuse("bzImage: pref_address %#llx is not a multiple of %#lx",
					  (unsigned long long)h->address, ALIGNMENT);
	if (h->memory & PAGE_MASK)
		return guest_image_refuse("bzImage: init_size %#x is not a multiple of 0x1000",
					  h->memory);
	if (!guest_image_inside(h->address, h->memory, KERNEL_MAP_SIZE))
		return guest_image_refuse("bzImage: pref_address %#llx + init_size %#x ends beyond "
					  "%#lx",
					  (unsigned long long)h->address, h->memory,
					  KERNEL_MAP_SIZE);
	return NULL;
}

static const char *find_kernel(struct reader *r, const char *file, size_t size)
{
	uint32_t sectors = r->header.setup_sectors ? r->header.setup_sectors : SETUP_SECTORS;

	r->offset = (uint64_t)(sectors + 1) * SECTOR;
	r->size = (uint64_t)r->header.paragraphs * PARAGRAPH;
	if (!guest_image_inside(r->offset, r->size, size))
		return guest_image_refuse("bzImage: setup_sects %u and syssize %#x end beyond the "
					  "file (%#zx)",
					  sectors, r->header.paragraphs, size);
	r->kernel = file + r->offset;
	return NULL;
}

/* --- kernel_info --- */

static const char *read_part(struct reader *r, uint64_t at, uint32_t size)
{
	const struct rf_kernel_info *info = &r->info;
	const char *error;

	if (size < sizeof(*info))
		return guest_image_refuse("bzImage: kernel_info's part for Ringfence has %u bytes, "
					  "should have %zu",
					  size, sizeof(*info));
	memcpy(&r->info, r->kernel + at, sizeof(*info));
	error = guest_image_check_version(info->abi_version);
	if (!error && size != sizeof(*info))
		error = guest_image_refuse("bzImage: kernel_info's part for Ringfence has %u "
					   "bytes, should have %zu",
					   size, sizeof(*info));
	return error;
}

/* The parts lie between the two; each has 8 bytes at least, so there are few. */
static const char *find_part(struct reader *r, uint64_t at, uint64_t end)
{
	struct part_header part;

	while (at < end) {
		if (!guest_image_inside(at, sizeof(part), end))
			return "bzImage: kernel_info: the header of a part ends beyond size_total";
		memcpy(&part, r->kernel + at, sizeof(part));
		if (part.size < sizeof(part) || !guest_image_inside(at, part.size, end))
			return guest_image_refuse("bzImage: kernel_info: a part's size %#x: should "
						  "be from 8 to size_total",
						  part.size);
		if (part.magic == RF_KERNEL_INFO_MAGIC)
			return read_part(r, at, part.size);
		at += part.size;
	}
	return "bzImage: no part of kernel_info for Ringfence: not built for this hypervisor";
}

static const char *find_info(struct reader *r)
{
	uint64_t at = r->header.info_offset;
	struct info_header h;

	if (!guest_image_inside(at, sizeof(h), r->size))
		return guest_image_refuse("bzImage: kernel_info_offset %#llx ends beyond the "
					  "kernel (%#llx)",
					  (unsigned long long)at, (unsigned long long)r->size);
	memcpy(&h, r->kernel + at, sizeof(h));
	if (h.magic != INFO_MAGIC)
		return guest_image_refuse("bzImage: kernel_info begins with %#x, should be %#x",
					  h.magic, INFO_MAGIC);
	if (h.total_size > INFO_SIZE_MAX || !guest_image_inside(at, h.total_size, r->size))
		return guest_image_refuse("bzImage: kernel_info: size_total %#x: at most %#x, and "
					  "inside the kernel",
					  h.total_size, INFO_SIZE_MAX);
	if (h.size < sizeof(h) || h.size > h.total_size)
		return guest_image_refuse("bzImage: kernel_info: size %#x: should be from %zu to "
					  "size_total (%#x)",
					  h.size, sizeof(h), h.total_size);
	return find_part(r, at + h.size, at + h.total_size);
}

/* --- What it says of itself --- */

static const char *place(const struct reader *r, struct guest_image *image)
{
	int64_t entry = (int64_t)r->header.info_offset + r->info.entry;
	int64_t memory = (int64_t)r->header.info_offset + r->info.end;
	uint64_t end = r->header.address + r->header.memory;

	if (r->info.flags != 0)
		return guest_image_refuse("bzImage: kernel_info: flags %#x, should be 0",
					  r->info.flags);
	if (entry < 0 || entry >= (int64_t)r->size)
		return guest_image_refuse("bzImage: kernel_info: entry at %lld is not inside the "
					  "kernel (%#llx)",
					  (long long)entry, (unsigned long long)r->size);
	if (memory < (int64_t)r->size || memory > (int64_t)r->header.memory || memory & PAGE_MASK)
		return guest_image_refuse("bzImage: kernel_info: end at %lld: should be whole "
					  "pages, from the kernel's %lld bytes to init_size (%#x)",
					  (long long)memory, (long long)r->size, r->header.memory);
	image->segment[0] = (struct guest_image_segment){
		.offset = r->offset,
		.file_size = r->size,
		.physical = end - (uint64_t)memory,
		.memory_size = (uint64_t)memory,
	};
	image->segments = 1;
	image->lowest = r->header.address;
	image->highest = end;
	image->note.abi_version = r->info.abi_version;
	image->note.entry = RF_BOOT_MAP + image->segment[0].physical + (uint64_t)entry;
	image->needs_tables = true;
	return NULL;
}

const char *bzimage_parse(const void *file, size_t size, struct guest_image *image)
{
	struct reader r;
	const char *error;

	memcpy(&r.header, (const char *)file + HEADER_OFFSET, sizeof(r.header));
	error = check_kind(&r.header);
	if (!error)
		error = check_memory(&r.header);
	if (!error)
		error = find_kernel(&r, file, size);
	if (!error)
		error = find_info(&r);
	if (!error)
		error = place(&r, image);
	return error;
}
