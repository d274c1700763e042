// SPDX-License-Identifier: BSD-2-Clause
/*
 * Checks a guest image in an ELF file: what it says of itself must be true before anything is copied.
 *
 * Interface: elf.h. Locks: none.
 * Odd: headers are copied out of the file before they are looked at, since nothing says that they
 * are aligned in memory.
 */
#include "elf.h"

#include <stdbool.h>

#include "pte.h"
#include "string.h"

#define HEADERS_MAX   64
#define NOTES_MAX     64
#define MACHINE_AMD64 62
#define TYPE_EXEC     2
#define SEGMENT_LOAD  1
#define SEGMENT_NOTE  4
#define PAGE_MASK     4095ULL

struct file_header {
	uint8_t magic[4];
	uint8_t class;
	uint8_t data;
	uint8_t ident_version;
	uint8_t abi[9];
	uint16_t type;
	uint16_t machine;
	uint32_t version;
	uint64_t entry;
	uint64_t program_offset;
	uint64_t section_offset;
	uint32_t flags;
	uint16_t header_size;
	uint16_t program_size;
	uint16_t program_count;
	uint16_t section_size;
	uint16_t section_count;
	uint16_t section_names;
};

struct program_header {
	uint32_t type;
	uint32_t flags;
	uint64_t offset;
	uint64_t address;
	uint64_t physical;
	uint64_t file_size;
	uint64_t memory_size;
	uint64_t alignment;
};

struct note_header {
	uint32_t name_size;
	uint32_t body_size;
	uint32_t type;
};

_Static_assert(sizeof(struct file_header) == 64, "as the ELF64 format has it");
_Static_assert(sizeof(struct program_header) == 56, "as the ELF64 format has it");

struct reader {
	const char *file;
	size_t size;
	struct guest_image *image;
	bool note_found;
	uint32_t notes;
};

/* --- The file header --- */

static const char *check_identity(const struct file_header *h)
{
	if (memcmp(h->magic, "\177ELF", 4))
		return "not an ELF file";
	if (h->class != 2)
		return guest_image_refuse("ELF class %u, only 2 (64 bits) can be loaded", h->class);
	if (h->data != 1)
		return guest_image_refuse(
			"ELF data encoding %u, only 1 (little endian) can be loaded", h->data);
	if (h->ident_version != 1 || h->version != 1)
		return guest_image_refuse("ELF version %u, only 1 is known", h->version);
	if (h->machine != MACHINE_AMD64)
		return guest_image_refuse("ELF machine %u, only %u (x86-64) can be loaded",
					  h->machine, MACHINE_AMD64);
	if (h->type != TYPE_EXEC)
		return guest_image_refuse("ELF type %u, only %u (executable) can be loaded",
					  h->type, TYPE_EXEC);
	return NULL;
}

static const char *check_header(const struct reader *r, const struct file_header *h)
{
	uint64_t bytes = (uint64_t)h->program_count * sizeof(struct program_header);

	if (h->header_size != sizeof(*h))
		return guest_image_refuse("ELF header size %u, should be %zu", h->header_size,
					  sizeof(*h));
	if (h->program_count == 0 || h->program_count > HEADERS_MAX)
		return guest_image_refuse("%u program headers, 1 to %u are allowed",
					  h->program_count, HEADERS_MAX);
	if (h->program_size != sizeof(struct program_header))
		return guest_image_refuse("program header size %u, should be %zu", h->program_size,
					  sizeof(struct program_header));
	if (!guest_image_inside(h->program_offset, bytes, r->size))
		return guest_image_refuse(
			"program headers at %#llx, %llu bytes, end beyond the file (%#zx)",
			(unsigned long long)h->program_offset, (unsigned long long)bytes, r->size);
	return NULL;
}

/* --- Loadable segments --- */

static void insert_segment(struct guest_image *image, const struct program_header *p)
{
	uint32_t at = image->segments++;

	for (; at > 0 && image->segment[at - 1].physical > p->physical; at--)
		image->segment[at] = image->segment[at - 1];
	image->segment[at] = (struct guest_image_segment){
		.offset = p->offset,
		.file_size = p->file_size,
		.physical = p->physical,
		.memory_size = p->memory_size,
	};
}

static const char *add_segment(struct reader *r, uint32_t number, const struct program_header *p)
{
	if (p->memory_size < p->file_size)
		return guest_image_refuse(
			"program header %u: memory size %#llx is less than file size %#llx", number,
			(unsigned long long)p->memory_size, (unsigned long long)p->file_size);
	if (!guest_image_inside(p->physical, p->memory_size, GUEST_IMAGE_LIMIT))
		return guest_image_refuse(
			"program header %u: physical range %#llx + %#llx ends beyond %#llx", number,
			(unsigned long long)p->physical, (unsigned long long)p->memory_size,
			GUEST_IMAGE_LIMIT);
	if (p->memory_size == 0)
		return NULL;
	if (r->image->segments == GUEST_IMAGE_SEGMENTS)
		return guest_image_refuse("more than %u loadable segments", GUEST_IMAGE_SEGMENTS);
	insert_segment(r->image, p);
	return NULL;
}

static const char *check_segments(struct guest_image *image)
{
	const struct guest_image_segment *s = image->segment;
	uint32_t last = image->segments - 1;

	if (image->segments == 0)
		return "no loadable segment";
	for (uint32_t i = 1; i <= last; i++)
		if (s[i - 1].physical + s[i - 1].memory_size > s[i].physical)
			return guest_image_refuse("segments at physical %#llx and %#llx overlap",
						  (unsigned long long)s[i - 1].physical,
						  (unsigned long long)s[i].physical);
	image->lowest = s[0].physical;
	image->highest = s[last].physical + s[last].memory_size;
	return NULL;
}

/* --- Notes --- */

static uint64_t padded(uint64_t size)
{
	return (size + 3) & ~3ULL;
}

static bool is_ours(const struct note_header *h, const char *name)
{
	return h->type == RF_NOTE_TYPE && h->name_size == sizeof(RF_NOTE_NAME) &&
	       !memcmp(name, RF_NOTE_NAME, sizeof(RF_NOTE_NAME));
}

static const char *take_note(struct reader *r, const struct note_header *h, const char *body)
{
	struct rf_note *note = &r->image->note;
	const char *error;

	if (r->note_found)
		return "more than one " RF_NOTE_NAME " note";
	/* The version first: another one may have another size. */
	if (h->body_size < sizeof(note->abi_version))
		return guest_image_refuse("the " RF_NOTE_NAME " note has %u bytes, should have %zu",
					  h->body_size, sizeof(*note));
	memcpy(&note->abi_version, body, sizeof(note->abi_version));
	error = guest_image_check_version(note->abi_version);
	if (error)
		return error;
	if (h->body_size != sizeof(*note))
		return guest_image_refuse("the " RF_NOTE_NAME " note has %u bytes, should have %zu",
					  h->body_size, sizeof(*note));
	memcpy(note, body, sizeof(*note));
	r->note_found = true;
	return NULL;
}

/* One note at `at`; moves on to the next. */
static const char *read_note(struct reader *r, uint32_t number, uint64_t *at, uint64_t end)
{
	struct note_header h;
	uint64_t name, body;

	if (++r->notes > NOTES_MAX)
		return guest_image_refuse("more than %u notes", NOTES_MAX);
	if (!guest_image_inside(*at, sizeof(h), end))
		return guest_image_refuse(
			"program header %u: a note's header ends beyond the segment", number);
	memcpy(&h, r->file + *at, sizeof(h));
	name = *at + sizeof(h);
	body = name + padded(h.name_size);
	if (!guest_image_inside(name, padded(h.name_size), end) ||
	    !guest_image_inside(body, h.body_size, end))
		return guest_image_refuse(
			"program header %u: a note (%u + %u bytes) ends beyond the segment", number,
			h.name_size, h.body_size);
	*at = body + padded(h.body_size);
	if (!is_ours(&h, r->file + name))
		return NULL;
	return take_note(r, &h, r->file + body);
}

static const char *read_notes(struct reader *r, uint32_t number, const struct program_header *p)
{
	uint64_t at = p->offset, end = p->offset + p->file_size;
	const char *error = NULL;

	while (at < end && !error)
		error = read_note(r, number, &at, end);
	return error;
}

static bool in_a_segment(const struct guest_image *image, uint64_t start, uint64_t size)
{
	for (uint32_t i = 0; i < image->segments; i++) {
		const struct guest_image_segment *s = &image->segment[i];

		if (start >= s->physical &&
		    guest_image_inside(start - s->physical, size, s->memory_size))
			return true;
	}
	return false;
}

static const char *check_note(const struct reader *r)
{
	const struct rf_note *note = &r->image->note;

	if (!r->note_found)
		return "no " RF_NOTE_NAME " note: not built for this hypervisor";
	if (note->flags != 0)
		return guest_image_refuse("note: flags %#x, should be 0", note->flags);
	if (!address_is_canonical(note->entry) || address_is_hypervisor(note->entry))
		return guest_image_refuse("note: entry %#llx is not canonical, or the hypervisor's",
					  (unsigned long long)note->entry);
	if (note->root & PAGE_MASK)
		return guest_image_refuse("note: root %#llx is not page aligned",
					  (unsigned long long)note->root);
	if (!in_a_segment(r->image, note->root, PAGE_MASK + 1))
		return guest_image_refuse("note: root %#llx is in no loadable segment",
					  (unsigned long long)note->root);
	return NULL;
}

/* --- All of it --- */

static const char *read_program(struct reader *r, uint32_t number, const struct program_header *p)
{
	if (p->type != SEGMENT_LOAD && p->type != SEGMENT_NOTE)
		return NULL;
	if (!guest_image_inside(p->offset, p->file_size, r->size))
		return guest_image_refuse(
			"program header %u: file range %#llx + %#llx ends beyond the file "
			"(%#zx)",
			number, (unsigned long long)p->offset, (unsigned long long)p->file_size,
			r->size);
	return p->type == SEGMENT_LOAD ? add_segment(r, number, p) : read_notes(r, number, p);
}

const char *elf_parse(const void *file, size_t size, struct guest_image *image)
{
	struct reader r = { .file = file, .size = size, .image = image };
	struct program_header p;
	struct file_header h;
	const char *error;

	if (size < sizeof(h))
		return guest_image_refuse("%zu bytes are too few for an ELF file", size);
	memcpy(&h, file, sizeof(h));
	error = check_identity(&h);
	if (!error)
		error = check_header(&r, &h);
	for (uint32_t i = 0; !error && i < h.program_count; i++) {
		memcpy(&p, r.file + h.program_offset + i * sizeof(p), sizeof(p));
		error = read_program(&r, i, &p);
	}
	if (!error)
		error = check_segments(image);
	if (!error)
		error = check_note(&r);
	return error;
}
