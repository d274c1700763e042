// SPDX-License-Identifier: BSD-2-Clause
/*
 * The domain builder, with a hypervisor of a few lines: what is in the guest's memory afterwards, byte for
 * byte, and that nothing is left when a step is refused.
 */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/memory.h"
#include "abi/start_info.h"
#include "tests/unit/fake_arch/include/fake_bzimage.h"
#include "tests/unit/fake_arch/include/fake_elf.h"
#include "toolstack/lib/builder.h"
#include "toolstack/lib/domain.h"

#define MEMORY	(64UL << 20)
#define FRAMES	(MEMORY >> 12)
#define KHZ	2345678
#define NUMBER	5
#define NOTHING UINT32_MAX

/* --- A hypervisor --- */

struct hypervisor {
	struct access access; /* first: what is passed is this */
	char *memory;
	bool *there; /* by frame */
	uint64_t frames_left, large_left;
	uint32_t refuse;	 /* the call that fails, */
	int64_t error;		 /* with this, */
	unsigned before_refusal; /* after so many that do not */
	bool exists;
	uint64_t serial;
	struct rf_domain_config config;
	struct rf_domain_set set;
	unsigned calls, copies;
};

static int64_t do_populate(struct hypervisor *h, const struct rf_memory_extent *extents,
			   uint64_t count)
{
	uint64_t done = 0, frames = 0;

	assert_true(count <= RF_MEMORY_BATCH_MAX);
	for (; done < count && frames < RF_MEMORY_BATCH_FRAMES; done++) {
		const struct rf_memory_extent *e = &extents[done];
		uint64_t size = 1ULL << e->order;

		assert_true(e->order == 0 || e->order == 9);
		assert_int_equal(e->gfn % size, 0);
		assert_true(e->gfn + size <= h->config.frames_max);
		if (size > h->frames_left || (e->order && !h->large_left))
			return done ? (int64_t)done : -ENOMEM;
		for (uint64_t i = e->gfn; i < e->gfn + size; i++) {
			assert_false(h->there[i]);
			h->there[i] = true;
		}
		h->frames_left -= size;
		h->large_left -= e->order != 0;
		frames += size;
	}
	return (int64_t)done;
}

/* Stops early, as the real one may. */
static int64_t do_copy(struct hypervisor *h, const struct rf_domain_copy *c, uint64_t count)
{
	uint64_t done = 0;

	assert_true(count <= RF_COPY_MAX);
	for (; done < count && done < 3; done++) {
		assert_int_equal(c[done].direction, RF_COPY_TO);
		assert_true(c[done].size <= RF_COPY_SIZE);
		for (uint64_t at = c[done].physical; at < c[done].physical + c[done].size; at++)
			if (at >= MEMORY || !h->there[at >> 12])
				return done ? (int64_t)done : -ENOENT;
		memcpy(h->memory + c[done].physical, (void *)(uintptr_t)c[done].address,
		       c[done].size);
	}
	h->copies++;
	return (int64_t)done;
}

static int64_t do_info(struct hypervisor *h, uint64_t number, struct rf_domain_info *info)
{
	if (number != NUMBER || !h->exists)
		return -ESRCH;
	info->domain = NUMBER;
	info->serial = h->serial;
	info->state = RF_DOMAIN_PAUSED;
	info->machine_tsc_khz = KHZ;
	memcpy(info->name, h->config.name, sizeof(info->name));
	return 0;
}

static int64_t do_create(struct hypervisor *h, const struct rf_domain_config *config)
{
	h->config = *config;
	h->exists = true;
	h->serial++;
	return NUMBER;
}

static int64_t call(struct access *access, uint32_t number, const uint64_t *a)
{
	struct hypervisor *h = (struct hypervisor *)access;

	h->calls++;
	if (number == h->refuse && !h->before_refusal)
		return h->error;
	h->before_refusal -= number == h->refuse;
	if (number != RF_HYPERCALL_domain_create && a[0] != NUMBER)
		return -ESRCH;
	switch (number) {
	case RF_HYPERCALL_domain_create:
		return do_create(h, (void *)(uintptr_t)a[0]);
	case RF_HYPERCALL_memory_populate:
		return do_populate(h, (void *)(uintptr_t)a[1], a[2]);
	case RF_HYPERCALL_domain_copy:
		return do_copy(h, (void *)(uintptr_t)a[1], a[2]);
	case RF_HYPERCALL_domain_info:
		return do_info(h, a[0], (void *)(uintptr_t)a[1]);
	case RF_HYPERCALL_domain_set:
		h->set = *(struct rf_domain_set *)(uintptr_t)a[1];
		return 0;
	case RF_HYPERCALL_domain_destroy:
		h->exists = false;
		return 0;
	}
	fail_msg("call %u was not expected", number);
	return -ENOSYS;
}

/* --- What is built --- */

struct setup {
	struct hypervisor h;
	struct config config;
	struct image image;
	struct rf_domain_info info;
	struct report report;
	char kernel[64], initrd[64];
	char *initrd_data;
	size_t initrd_size;
};

static void write_file(char *path, const void *data, size_t size)
{
	int file;

	strcpy(path, "/tmp/test_rf_builder.XXXXXX");
	file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, data, size), size);
	close(file);
}

static void start(struct setup *s, const void *kernel, size_t size, size_t initrd_size)
{
	memset(s, 0, sizeof(*s));
	s->h.access.call = call;
	s->h.memory = calloc(1, MEMORY);
	s->h.there = calloc(FRAMES, 1);
	s->h.frames_left = FRAMES;
	s->h.large_left = FRAMES;
	s->h.refuse = NOTHING;
	s->initrd_data = malloc(initrd_size);
	s->initrd_size = initrd_size;
	for (size_t i = 0; i < initrd_size; i++)
		s->initrd_data[i] = (char)(i * 7 + (i >> 12));
	write_file(s->kernel, kernel, size);
	write_file(s->initrd, s->initrd_data, initrd_size);
	config_init(&s->config);
	s->config.name = strdup("test");
	s->config.kernel = strdup(s->kernel);
	s->config.initrd = strdup(s->initrd);
	s->config.command_line = strdup("console=hvc0 a b");
	s->config.memory = MEMORY;
	s->config.memory_max = MEMORY;
	s->config.vcpus = 3;
	s->config.weight = 512;
	s->config.cpus = 0x5;
}

static void finish(struct setup *s)
{
	image_close(&s->image);
	config_free(&s->config);
	unlink(s->kernel);
	unlink(s->initrd);
	free(s->initrd_data);
	free(s->h.memory);
	free(s->h.there);
}

static bool build(struct setup *s)
{
	memset(&s->report, 0, sizeof(s->report));
	return image_open(&s->image, &s->config, &s->report) &&
	       builder_create(&s->h.access, &s->config, &s->image, &s->info, &s->report);
}

static void check_start_info(const struct setup *s)
{
	const struct rf_start_info *info = (void *)(s->h.memory + s->image.layout.start_info);

	assert_int_equal(info->magic, RF_START_MAGIC);
	assert_int_equal(info->abi_version, RF_ABI_VERSION);
	assert_int_equal(info->flags, 0);
	assert_int_equal(info->domain, NUMBER);
	assert_int_equal(info->vcpus, 3);
	assert_int_equal(info->memory_bytes, MEMORY);
	assert_int_equal(info->tsc_khz, KHZ);
	assert_int_equal(info->ranges, 1);
	assert_int_equal(info->range[0].size, MEMORY);
	assert_int_equal(info->range[0].kind, RF_RANGE_RAM);
	assert_int_equal(info->initrd_start, MEMORY - ((s->initrd_size + 4095) & ~4095UL));
	assert_int_equal(info->initrd_size, s->initrd_size);
	assert_string_equal(info->command_line, "console=hvc0 a b");
	assert_memory_equal(s->h.memory + info->initrd_start, s->initrd_data, s->initrd_size);
}

/* All that is not zero in the guest's memory is accounted for: what it should have is taken away. */
static void check_rest(struct setup *s)
{
	const struct rf_start_info *info = (void *)(s->h.memory + s->image.layout.start_info);
	uint64_t initrd = info->initrd_start;

	memset(s->h.memory + initrd, 0, s->initrd_size);
	memset(s->h.memory + s->image.layout.start_info, 0, sizeof(*info));
	for (uint32_t i = 0; i < s->image.content.segments; i++)
		memset(s->h.memory + s->image.content.segment[i].physical, 0,
		       s->image.content.segment[i].file_size);
	if (s->image.layout.tables)
		memset(s->h.memory + s->image.layout.tables, 0, GUEST_LAYOUT_TABLES * 4096);
	for (uint64_t i = 0; i < MEMORY; i += 8)
		assert_int_equal(*(uint64_t *)(s->h.memory + i), 0);
}

static void check_made(const struct setup *s)
{
	assert_string_equal(s->h.config.name, "test");
	assert_int_equal(s->h.config.vcpus, 3);
	assert_int_equal(s->h.config.frames_max, FRAMES);
	assert_int_equal(s->h.set.mask,
			 RF_SET_START | RF_SET_CAP | RF_SET_WEIGHT | RF_SET_AFFINITY);
	assert_int_equal(s->h.set.weight, 512);
	assert_int_equal(s->h.set.affinity, 5);
	assert_int_equal(s->h.set.vcpu, RF_SET_EVERY_VCPU);
	assert_int_equal(s->h.set.argument, s->image.layout.start_info);
	for (uint64_t i = 0; i < FRAMES; i++)
		assert_true(s->h.there[i]);
}

static void test_elf(void **state)
{
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	start(&s, &elf, sizeof(elf), (34 << 20) + 5);
	assert_true(build(&s));
	check_made(&s);
	assert_int_equal(s.h.set.entry, FAKE_ELF_ENTRY);
	assert_int_equal(s.h.set.root, FAKE_ELF_PHYSICAL + 4096);
	assert_memory_equal(s.h.memory + FAKE_ELF_PHYSICAL, elf.text, sizeof(elf.text));
	assert_memory_equal(s.h.memory + FAKE_ELF_PHYSICAL + 0x10000, elf.data, sizeof(elf.data));
	assert_int_equal(s.image.layout.start_info, FAKE_ELF_PHYSICAL + 0x13000);
	check_start_info(&s);
	check_rest(&s);
	finish(&s);
}

/* The address that is mapped: a walk as the processor does it, down to a page of 2 MiB. */
static uint64_t translate(const struct setup *s, uint64_t address)
{
	uint64_t table = s->h.set.root, entry = 0;

	for (unsigned shift = 39; shift >= 21; shift -= 9) {
		entry = ((uint64_t *)(s->h.memory + table))[address >> shift & 511];
		assert_int_equal(entry & 3, 3);
		table = entry & 0xffffffffff000;
	}
	assert_int_equal(entry & 0x80, 0x80);
	return (table & ~0x1fffffUL) + (address & 0x1fffff);
}

static void test_bzimage(void **state)
{
	struct fake_bzimage file;
	struct setup s;

	(void)state;
	fake_bzimage_init(&file);
	start(&s, &file, sizeof(file), 100);
	assert_true(build(&s));
	check_made(&s);
	assert_int_equal(s.h.set.root, s.image.layout.tables);
	assert_int_equal(translate(&s, s.h.set.entry), FAKE_BZIMAGE_PLACE + FAKE_BZIMAGE_ENTRY);
	assert_int_equal(translate(&s, RF_BOOT_MAP), 0);
	assert_int_equal(translate(&s, RF_BOOT_MAP + (1 << 30) - 1), (1 << 30) - 1);
	assert_memory_equal(s.h.memory + FAKE_BZIMAGE_PLACE, file.text, 4096);
	check_start_info(&s);
	check_rest(&s);
	finish(&s);
}

/* Few pages of 2 MiB: the rest in small ones. Not a multiple of 2 MiB: the same. */
static void test_small_pages(void **state)
{
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	start(&s, &elf, sizeof(elf), 100);
	s.h.large_left = 5;
	assert_true(build(&s));
	check_made(&s);
	finish(&s);
	start(&s, &elf, sizeof(elf), 100);
	s.config.memory = MEMORY - 4096 * 3;
	assert_true(build(&s));
	for (uint64_t i = 0; i < FRAMES; i++)
		assert_int_equal(s.h.there[i], i < FRAMES - 3);
	finish(&s);
}

static void test_refusals(void **state)
{
	static const struct {
		uint32_t call;
		int64_t error;
		const char *message;
	} refusals[] = {
		{ RF_HYPERCALL_domain_create, -ENOMEM, "test: the hypervisor has no memory to" },
		{ RF_HYPERCALL_domain_create, -EPERM,
		  "test: the hypervisor does not make it: Oper" },
		{ RF_HYPERCALL_memory_populate, -ENOMEM,
		  "test: memory: 65536K are asked for, only 0K" },
		{ RF_HYPERCALL_memory_populate, -ESRCH,
		  "test: the hypervisor gives it no memory: No" },
		{ RF_HYPERCALL_domain_copy, -ENOENT,
		  "test: its memory cannot be written: No such" },
		{ RF_HYPERCALL_domain_set, -EINVAL, "test: cpus: none of them is there" },
		{ RF_HYPERCALL_domain_set, -ESRCH, "test: it cannot start: No such process" },
	};
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		start(&s, &elf, sizeof(elf), 100);
		s.h.refuse = refusals[i].call;
		s.h.error = refusals[i].error;
		assert_false(build(&s));
		assert_non_null(strstr(s.report.error, refusals[i].message));
		assert_false(s.h.exists);
		finish(&s);
	}
	start(&s, &elf, sizeof(elf), 100);
	s.h.frames_left = 1000;
	assert_false(build(&s));
	assert_string_equal(s.report.error,
			    "test: memory: 65536K are asked for, only 4000K are left");
	assert_false(s.h.exists);
	finish(&s);
}

/* Nor is it left, or another one removed, when it cannot be looked at: before it is built, or after. */
static void test_not_seen(void **state)
{
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	for (unsigned looks = 0; looks < 2; looks++) {
		start(&s, &elf, sizeof(elf), 100);
		s.h.refuse = RF_HYPERCALL_domain_info;
		s.h.error = -ENOTTY;
		s.h.before_refusal = looks;
		assert_false(build(&s));
		assert_non_null(strstr(s.report.error, "test: it cannot be looked at: Inapprop"));
		assert_false(s.h.exists);
		finish(&s);
	}
}

/* What cannot fit is told before anything is made. */
static void test_no_room(void **state)
{
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	start(&s, &elf, sizeof(elf), 3 << 20);
	s.config.memory = FAKE_ELF_PHYSICAL;
	assert_false(build(&s));
	assert_non_null(strstr(s.report.error, "the image and what follows it need"));
	image_close(&s.image);
	s.config.memory = FAKE_ELF_PHYSICAL + 0x14000 + (3 << 20) - 4096;
	assert_false(build(&s));
	assert_non_null(strstr(s.report.error, "no room for the image ("));
	assert_int_equal(s.h.calls, 0);
	image_close(&s.image);
	s.config.memory += 4096;
	assert_true(build(&s));
	finish(&s);
}

static void test_bad_files(void **state)
{
	struct fake_elf elf;
	struct setup s;

	(void)state;
	fake_elf_init(&elf);
	elf.note.abi_version = 77;
	start(&s, &elf, sizeof(elf), 100);
	assert_false(build(&s));
	assert_non_null(strstr(s.report.error, s.kernel));
	assert_non_null(strstr(s.report.error, "built for ABI version 77, this hypervisor has"));
	image_close(&s.image);
	free(s.config.initrd);
	s.config.initrd = strdup("/nowhere/initrd");
	assert_false(build(&s));
	assert_string_equal(s.report.error, "/nowhere/initrd: No such file or directory");
	image_close(&s.image);
	free(s.config.kernel);
	s.config.kernel = strdup("/tmp");
	assert_false(build(&s));
	assert_string_equal(s.report.error, "/tmp: is not a regular file");
	image_close(&s.image);
	free(s.config.kernel);
	s.config.kernel = strdup(s.kernel);
	assert_int_equal(unlink(s.kernel), 0);
	assert_int_equal(mkfifo(s.kernel, 0600), 0);
	assert_false(build(&s));
	assert_non_null(strstr(s.report.error, ": is not a regular file"));
	assert_int_equal(s.h.calls, 0);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_elf),	    cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_small_pages), cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_no_room),	    cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
