// SPDX-License-Identifier: BSD-2-Clause
/*
 * Building domains from boot modules: where everything ends up, whatever is in the way, and a
 * refusal with the right words for each mistake.
 */
#include "unit.h"

#include "abi/start_info.h"
#include "audit.h"
#include "boot_info.h"
#include "build.h"
#include "command_line.h"
#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_bzimage.h"
#include "fake_domain.h"
#include "fake_elf.h"
#include "vcpu.h"

#define RAM_FRAMES 16384 /* 64 MiB */
#define MIB	   (1UL << 20)
#define IMAGE_END  (FAKE_ELF_PHYSICAL + 0x13000) /* also where the start information is */

static struct fake_elf elf;
static struct fake_bzimage bzimage;

static void start(void)
{
	fake_arch_init(RAM_FRAMES, 2);
	fake_reserved_first = MIB >> 12;
	fake_reserved_frames = MIB >> 12;
	memset(&boot_info, 0, sizeof(boot_info));
	memset(&command_line, 0, sizeof(command_line));
	boot_info.ranges[0] = (struct boot_range){ 0, 0x9f000, BOOT_RAM };
	boot_info.ranges[1] = (struct boot_range){ 0xf0000, 0x10000, BOOT_RESERVED };
	boot_info.ranges[2] = (struct boot_range){ MIB, 63 * MIB - 0x10000, BOOT_RAM };
	boot_info.ranges[3] = (struct boot_range){ 64 * MIB - 0x10000, 0x10000, BOOT_ACPI };
	boot_info.range_count = 4;
	boot_info.acpi_rsdp = 0xf0120;
	fake_elf_init(&elf);
}

static void add_module(uint64_t at, const void *data, size_t size, const char *text)
{
	struct boot_module *m = &boot_info.modules[boot_info.module_count];

	memcpy(fake_ram + at, data, size);
	*m = (struct boot_module){ .start = at, .size = size, .command_line = text };
	snprintf(m->file_name, sizeof(m->file_name), "file%u", boot_info.module_count++);
}

static void build(void)
{
	frame_init(&boot_info);
	for (uint32_t i = 0; i < cpu_count; i++) {
		sched_init_cpu(&cpus[i]);
		cpus[i].idle = i > 0;
	}
	build_domains(&boot_info);
}

static struct domain *domain(uint64_t id)
{
	struct domain *d = domain_find(id);

	assert_non_null(d);
	domain_put(d);
	return d;
}

static const void *memory_of(struct domain *d, uint64_t address)
{
	uint64_t mfn = memory_lookup(d, address >> 12);

	assert_int_not_equal(mfn, FRAME_NONE);
	return (char *)arch_frame_pointer(mfn) + address % 4096;
}

static void check_image(struct domain *d)
{
	assert_memory_equal(memory_of(d, FAKE_ELF_PHYSICAL), elf.text, 4096);
	assert_memory_equal(memory_of(d, FAKE_ELF_PHYSICAL + 4096), elf.text + 4096, 4096);
	assert_memory_equal(memory_of(d, FAKE_ELF_PHYSICAL + 0x10000), elf.data, 100);
	for (unsigned i = 100; i < 0x3000; i++)
		assert_int_equal(*(const char *)memory_of(d, FAKE_ELF_PHYSICAL + 0x10000 + i), 0);
	assert_int_equal(d->vcpus[0]->arch.context.rip, FAKE_ELF_ENTRY);
	assert_int_equal(d->vcpus[0]->arch.context.rdi, IMAGE_END);
	assert_int_equal(d->vcpus[0]->root_gfn, (FAKE_ELF_PHYSICAL >> 12) + 1);
	assert_int_equal(d->vcpus[0]->sched.state, SCHED_RUNNABLE);
}

static void end(void)
{
	const char *wrong = audit_run();

	if (wrong)
		fail_msg("audit: %s", wrong);
	fake_domain_end_all();
}

static uint64_t owned(struct domain *d)
{
	uint64_t count = 0;

	for (uint64_t mfn = 0; mfn < frame_limit; mfn++)
		count += frame_owned_by(mfn, d->id);
	return count;
}

static void test_control(void **state)
{
	const struct rf_start_info *info;
	struct domain *d;

	(void)state;
	start();
	add_module(4 * MIB + 123, &elf, sizeof(elf), "domain vcpus=3 name=zero -- root=x  quiet");
	build();
	d = domain(0);
	check_image(d);
	assert_string_equal(d->name, "zero");
	info = memory_of(d, IMAGE_END);
	assert_int_equal(info->magic, RF_START_MAGIC);
	assert_int_equal(info->abi_version, RF_ABI_VERSION);
	assert_int_equal(info->flags, RF_START_CONTROL);
	assert_int_equal(info->vcpus, 3);
	assert_int_equal(info->acpi_rsdp, 0xf0120);
	assert_int_equal(info->initrd_size, 0);
	assert_string_equal(info->command_line, "root=x  quiet");
	assert_int_equal(info->memory_bytes, owned(d) << 12);
	assert_int_equal(d->memory.frames_max, owned(d));
	/* Most of it, the low memory and the module's place too; and something is left. */
	assert_true(info->memory_bytes > 44 * MIB);
	assert_true(frame_free_count() > 2 * MIB >> 12);
	assert_true(frame_owned_by(5, 0));
	end();
}

/* The ranges are sorted, cover all of RAM, and say of each frame whose it is. */
static void test_ranges(void **state)
{
	const struct rf_start_info *info;
	uint64_t at = 0, ram = 0;
	struct domain *d;

	(void)state;
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=20M");
	add_module(5 * MIB, &elf, sizeof(elf), "domain memory=18M");
	build();
	d = domain(0);
	info = memory_of(d, IMAGE_END);
	assert_true(info->ranges > 4 && info->ranges <= RF_START_RANGES);
	for (uint32_t i = 0; i < info->ranges; i++) {
		const struct rf_start_range *r = &info->range[i];

		assert_true(r->start >= at);
		at = r->start + r->size;
		for (uint64_t mfn = r->start >> 12; mfn < at >> 12; mfn++) {
			if (r->kind == RF_RANGE_ACPI)
				assert_int_equal(r->start, 64 * MIB - 0x10000);
			else
				assert_int_equal(frame_owned_by(mfn, 0), r->kind == RF_RANGE_RAM);
			if (r->kind == RF_RANGE_FOREIGN)
				assert_true(frame_of(mfn)->state == FRAME_DOMAIN ||
					    frame_of(mfn)->state == FRAME_FREE);
		}
		ram += r->kind == RF_RANGE_RAM ? r->size : 0;
	}
	assert_int_equal(at, 64 * MIB);
	assert_int_equal(ram, info->memory_bytes);
	assert_int_equal(ram, 20 * MIB);
	end();
}

/* RAM in so many pieces that they do not fit: what is shown is right, and what is not shown small. */
static void test_too_many_ranges(void **state)
{
	const struct rf_start_info *info;
	uint64_t ram = 0;

	(void)state;
	start();
	boot_info.range_count = 2;
	for (unsigned i = 0; i < 62; i++)
		boot_info.ranges[boot_info.range_count++] =
			(struct boot_range){ MIB + i * MIB / 8, MIB / 8 - 4096, BOOT_RAM };
	boot_info.ranges[boot_info.range_count++] =
		(struct boot_range){ 10 * MIB, 53 * MIB, BOOT_RAM };
	add_module(12 * MIB, &elf, sizeof(elf), "domain");
	build();
	info = memory_of(domain(0), IMAGE_END);
	assert_true(info->ranges <= RF_START_RANGES);
	for (uint32_t i = 0; i < info->ranges; i++)
		if (info->range[i].kind == RF_RANGE_RAM) {
			ram += info->range[i].size;
			for (uint64_t at = 0; at < info->range[i].size; at += 4096)
				assert_true(frame_owned_by((info->range[i].start + at) >> 12, 0));
		}
	assert_true(ram > 30 * MIB);
	end();
}

/* The loader put the modules where the image has to go. */
static void test_in_the_way(void **state)
{
	static char first[20000], second[30000];
	const struct rf_start_info *info;
	struct domain *d;

	(void)state;
	start();
	memset(first, 0x11, sizeof(first));
	memset(second, 0x22, sizeof(second));
	add_module(FAKE_ELF_PHYSICAL + 0x1000, &elf, sizeof(elf), "domain");
	add_module(FAKE_ELF_PHYSICAL + 0x1000 + sizeof(elf), first, sizeof(first), "initrd");
	add_module(FAKE_ELF_PHYSICAL + 0x9000, &elf, sizeof(elf), "domain memory=20M");
	add_module(FAKE_ELF_PHYSICAL + 0x12345, second, sizeof(second), "initrd");
	build();
	d = domain(0);
	check_image(d);
	info = memory_of(d, IMAGE_END);
	assert_int_equal(info->initrd_size, sizeof(first));
	assert_int_equal(info->initrd_start % 4096, 0);
	for (uint64_t i = 0; i < sizeof(first); i++)
		assert_int_equal(*(const char *)memory_of(d, info->initrd_start + i), 0x11);
	d = domain(1);
	check_image(d);
	info = memory_of(d, IMAGE_END);
	assert_int_equal(info->initrd_start, 20 * MIB - 0x8000);
	for (uint64_t i = 0; i < sizeof(second); i++)
		assert_int_equal(*(const char *)memory_of(d, info->initrd_start + i), 0x22);
	end();
}

static void test_initrd_stays(void **state)
{
	static char initrd[5000];
	const struct rf_start_info *info;

	(void)state;
	start();
	memset(initrd, 0x33, sizeof(initrd));
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	add_module(40 * MIB, initrd, sizeof(initrd), "initrd");
	memset(fake_ram + 40 * MIB + sizeof(initrd), 0x77, 8192 - sizeof(initrd));
	build();
	info = memory_of(domain(0), IMAGE_END);
	assert_int_equal(info->initrd_start, 40 * MIB);
	assert_int_equal(info->initrd_size, sizeof(initrd));
	assert_memory_equal(fake_ram + 40 * MIB, initrd, sizeof(initrd));
	/* What lay after it in its last page is not for the guest. */
	assert_int_equal(fake_ram[40 * MIB + sizeof(initrd)], 0);
	end();
}

static void test_static(void **state)
{
	const struct rf_start_info *info;
	struct domain *d;

	(void)state;
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=24M");
	add_module(5 * MIB, &elf, sizeof(elf),
		   "domain memory=17M vcpus=2 weight=9 cap=30 cpus=1-3 shadow=1M -- a --b=c");
	build();
	assert_int_equal(domain(0)->memory.frames, 24 * MIB >> 12);
	assert_int_equal(domain(0)->vcpus[0]->sched.weight, SCHED_WEIGHT_CONTROL);
	d = domain(1);
	check_image(d);
	assert_string_equal(d->name, "domain-1");
	assert_int_equal(d->memory.frames, 17 * MIB >> 12);
	assert_int_equal(d->shadow.pool.frames, 256);
	assert_int_equal(d->vcpu_count, 2);
	assert_int_equal(d->vcpus[1]->sched.weight, 9);
	assert_int_equal(d->vcpus[1]->sched.cap, 30);
	assert_int_equal(d->vcpus[1]->sched.affinity, 0xe);
	assert_int_equal(d->vcpus[1]->sched.state, SCHED_DOWN);
	info = memory_of(d, IMAGE_END);
	assert_int_equal(info->flags, 0);
	assert_int_equal(info->domain, 1);
	assert_int_equal(info->acpi_rsdp, 0);
	assert_int_equal(info->ranges, 1);
	assert_int_equal(info->range[0].size, 17 * MIB);
	assert_int_equal(info->range[0].kind, RF_RANGE_RAM);
	assert_string_equal(info->command_line, "a --b=c");
	end();
}

/* The table that an entry of another names. */
static const uint64_t *next_table(struct domain *d, const uint64_t *table, unsigned slot)
{
	assert_int_equal(table[slot] & 0xfff, 0x63);
	for (unsigned i = 0; i < 512; i++)
		assert_true(i == slot || table[i] == 0);
	return memory_of(d, table[slot] & ~0xfffUL);
}

static void check_compressed(struct domain *d)
{
	const uint64_t info = FAKE_BZIMAGE_ADDRESS + FAKE_BZIMAGE_MEMORY;
	const uint64_t *table;

	assert_int_equal(((const struct rf_start_info *)memory_of(d, info))->magic, RF_START_MAGIC);
	assert_memory_equal(memory_of(d, FAKE_BZIMAGE_PLACE), bzimage.text, 4096);
	for (unsigned i = 0; i < 4096; i++)
		assert_int_equal(*(const char *)memory_of(d, FAKE_BZIMAGE_ADDRESS + i), 0);
	assert_int_equal(d->vcpus[0]->arch.context.rip,
			 RF_BOOT_MAP + FAKE_BZIMAGE_PLACE + FAKE_BZIMAGE_ENTRY);
	assert_int_equal(d->vcpus[0]->arch.context.rdi, info);
	assert_int_equal(d->vcpus[0]->root_gfn, (info >> 12) + 1);
	table = next_table(d, memory_of(d, info + 4096), 511);
	table = next_table(d, table, 510);
	for (uint64_t i = 0; i < 512; i++)
		assert_int_equal(table[i], i << 21 | 0xe3);
}

static void test_compressed(void **state)
{
	(void)state;
	start();
	fake_bzimage_init(&bzimage);
	/* In the way of the tables. */
	add_module(FAKE_BZIMAGE_ADDRESS + FAKE_BZIMAGE_MEMORY + 0x3000, &bzimage, sizeof(bzimage),
		   "domain");
	add_module(5 * MIB, &bzimage, sizeof(bzimage), "domain memory=17M");
	build();
	check_compressed(domain(0));
	check_compressed(domain(1));
	end();
}

/* --- Refusals --- */

static void expect_refusal(const char *words)
{
	fake_serial_clear();
	if (!FAKE_ENDS()) {
		build();
		fake_end_missed();
	}
	assert_string_equal(fake_end_text, "exit 18");
	if (!strstr(fake_serial_output, words))
		fail_msg("\"%s\" instead of \"%s\"", fake_serial_output, words);
	fake_domain_end_all();
}

static void refused(const char *control, const char *words)
{
	start();
	add_module(4 * MIB, &elf, sizeof(elf), control);
	expect_refusal(words);
}

static void refused_second(const char *text, const char *words)
{
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	add_module(5 * MIB, &elf, sizeof(elf), text);
	expect_refusal(words);
}

static void test_bad_keys(void **state)
{
	static char long_text[RF_COMMAND_LINE_SIZE + 20];

	(void)state;
	refused("", "file0: role '': should be domain or initrd");
	refused("guest", "file0: role 'guest': should be");
	refused("initrd", "file0: an initrd before the first domain");
	refused("domain colour=blue", "file0: unknown key 'colour=blue'");
	refused("domain quiet", "file0: unknown key 'quiet'");
	refused("domain memory", "file0: key memory has no value");
	refused("domain memory=x", "file0: memory=x: should be a size from 1M");
	refused("domain memory=1023K", "file0: memory=1023K: should be");
	refused("domain memory=1025", "file0: memory=1025: should be");
	refused("domain memory=999999999999999999999", "file0: memory=9999");
	refused("domain vcpus=0", "file0: vcpus=0: should be a number from 1 to 64");
	refused("domain vcpus=65", "file0: vcpus=65: should be");
	refused("domain vcpus=-1", "file0: vcpus=-1: should be");
	refused("domain weight=0", "file0: weight=0: should be a number from 1 to 65535");
	refused("domain weight=65536", "file0: weight=65536: should be");
	refused("domain cap=101", "file0: cap=101: should be a number from 0 to 100");
	refused("domain cpus=2", "file0: cpus=2: should be a list of numbers below 64, one of "
				 "them below 2");
	refused("domain cpus=0-64", "file0: cpus=0-64: should be");
	refused("domain cpus=", "file0: cpus=: should be");
	refused("domain name=", "file0: name=: should be 1 to 31 letters");
	refused("domain name=a/b", "file0: name=a/b: should be");
	refused("domain name=abcdefghijklmnopqrstuvwxyz012345", "should be 1 to 31 letters");
	refused("domain shadow=0", "file0: shadow=0: should be a size from 4K");
	refused_second("initrd x=1", "file1: an initrd has no keys: 'x=1'");
	memset(long_text, 'a', sizeof(long_text) - 1);
	memcpy(long_text, "domain -- ", 10);
	refused(long_text, "file0: the domain's command line has 2057 bytes, at most 2047");
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	add_module(5 * MIB, &elf, sizeof(elf), "initrd");
	add_module(6 * MIB, &elf, sizeof(elf), "initrd");
	expect_refusal("file2: file0 has an initrd already, file1");
	start();
	expect_refusal("no module");
}

static void test_bad_images(void **state)
{
	(void)state;
	start();
	elf.note.abi_version = 9;
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	expect_refusal("file0: built for ABI version 9, this hypervisor has version 1");
	start();
	add_module(4 * MIB, "#!/bin/sh", 9, "domain");
	expect_refusal("file0: 9 bytes are too few for an ELF file");
	start();
	fake_bzimage_init(&bzimage);
	bzimage.header.init_size++;
	add_module(4 * MIB, &bzimage, sizeof(bzimage), "domain");
	expect_refusal("file0: bzImage: init_size 0x20001");
	/* Where the hypervisor is, where there is no RAM, and beyond all RAM. */
	start();
	elf.program[0].p_paddr = MIB;
	elf.note.root = MIB;
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	expect_refusal("but 0x100000 is not free memory of this machine");
	start();
	elf.program[1].p_memsz = 48 * MIB - 0x20000;
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	expect_refusal("file0: the image and what follows it go to 0x1000000-0x3ff0fff, but");
	start();
	elf.program[1].p_memsz = 1UL << 40;
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	expect_refusal("but 0x3ff0000 is not free memory of this machine");
}

static void test_too_little(void **state)
{
	static char initrd[2 * MIB];

	(void)state;
	refused("domain memory=64M", "file0: too little memory: 65536 KiB are asked");
	start();
	elf.program[1].p_memsz = 2 * MIB;
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=1M");
	expect_refusal("file0: 1024 KiB are too little memory for the control domain: its image");
	start();
	command_line.control_memory = MIB;
	elf.program[1].p_memsz = 2 * MIB;
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=32M");
	expect_refusal("option control-memory: 1024 KiB are too little");
	refused_second("domain memory=16M",
		       "file1: memory=16384K: the image and what follows it need "
		       "16464K");
	start();
	fake_bzimage_init(&bzimage);
	add_module(4 * MIB, &elf, sizeof(elf), "domain");
	add_module(5 * MIB, &bzimage, sizeof(bzimage), "domain memory=16524K");
	expect_refusal("memory=16524K: the image and what follows it need 16528K");
	refused_second("domain memory=63M", "file0: too little memory: ");
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=40M");
	add_module(5 * MIB, &elf, sizeof(elf), "domain memory=20M");
	expect_refusal("file1: memory=20480K: only ");
	start();
	add_module(4 * MIB, &elf, sizeof(elf), "domain memory=20M");
	add_module(5 * MIB, &elf, sizeof(elf), "domain memory=17M");
	add_module(30 * MIB, initrd, sizeof(initrd), "initrd");
	expect_refusal("file1: memory=17408K: no room for the image (16464K) and file2 (2048K)");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_control),	     cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_in_the_way),   cmocka_unit_test(test_too_many_ranges),
		cmocka_unit_test(test_initrd_stays), cmocka_unit_test(test_static),
		cmocka_unit_test(test_compressed),   cmocka_unit_test(test_bad_keys),
		cmocka_unit_test(test_bad_images),   cmocka_unit_test(test_too_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
