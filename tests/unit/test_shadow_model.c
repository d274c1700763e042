// SPDX-License-Identifier: BSD-2-Clause
/*
 * The shadows against a model of what a CPU with a TLB may do: a guest changes its tables at
 * random, flushes some of it, loads, drops and destroys roots, moves its vCPUs; two CPUs walk the
 * shadows as hardware does, and keep what they found in a TLB.
 *
 * For each root and page the test keeps what the guest's tables have allowed since the last flush
 * that covered the page. No view may ever reach more; what the tables allow now must be reached
 * after few faults; and the guest's tables change only as the model of the walk says (A and D).
 */
#include "unit.h"

#include "cpu.h"
#include "domain.h"
#include "fake_arch.h"
#include "fake_guest.h"
#include "fake_memory.h"
#include "frame.h"
#include "memory.h"
#include "shadow.h"
#include "vcpu.h"
#include "walk.h"
#include "walk_model.h"
#include "abi/errno.h"

#define RAM_FRAMES    8192
#define PHYSICAL_BITS 40
#define STEPS	      150000
#define CPUS	      2
#define ROOTS	      4
#define TABLES	      16 /* the first gfns: 4 roots, 3 of level 3, 4 of level 2, 5 of level 1 */
#define CHUNKS	      3
#define SEEN	      32

static const unsigned table_level[TABLES] = { 4, 4, 4, 4, 3, 3, 3, 2, 2, 2, 2, 1, 1, 1, 1, 1 };
static const unsigned first_of_level[6] = { 0, 11, 7, 4, 0, 0 };
static const unsigned count_of_level[5] = { 0, 5, 4, 3, 4 };

/* The indices in use, and the pages they make. */
static const unsigned index_user[] = { 0, 255 };
static const unsigned index_kernel[] = { 272, 511 };
static const unsigned index_3[] = { 0, 511 };
static const unsigned index_2[] = { 0, 1, 511 };
static const unsigned index_1[] = { 0, 1, 15, 16, 17, 300, 511 };
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define USER_PAGES   (2 * 2 * 3 * 7)
#define PAGES	     (2 * USER_PAGES)

/* What the tables allowed of one page since it was flushed: kinds of access (MODEL_*) by frame. */
struct seen {
	unsigned count;
	struct {
		uint64_t mfn;
		unsigned kinds;
	} way[SEEN];
	uint32_t tables; /* those the way leads through now */
};

struct translation {
	bool valid, write, execute;
	uint64_t mfn;
};

struct fake_cpu {
	struct translation tlb[2][PAGES]; /* kernel view, user view */
	uint32_t flushes;
	bool in_user;
};

static struct domain *domain;
static uint64_t base;
static uint64_t memory_map[CHUNKS * 512];
static uint64_t expected[TABLES][512];
static uint64_t empty_table[512];
static uint64_t addresses[PAGES];
static struct seen seen[ROOTS + 1][PAGES]; /* the last: the kernel half, in the upper pages */
static struct fake_cpu fake_cpus[CPUS];
static uint64_t seed;
static bool crowded;
static unsigned focus; /* the page that most happens to */
static uint64_t faults, reached, refused, dropped;

/* The vCPU whose `dropped` counts, as nothing has happened on another since. */
static struct promise {
	const struct vcpu *v;
	unsigned root, page;
} promise;

static unsigned random_below(unsigned n)
{
	return (unsigned)(unit_random(&seed) >> 33) % n;
}

static bool one_in(unsigned n)
{
	return random_below(n) == 0;
}

static unsigned random_page(void)
{
	return one_in(2) ? focus : random_below(PAGES);
}

/* --- the guest's memory, as the model sees it --- */

static uint64_t model_mfn(uint64_t gfn)
{
	return gfn - base < CHUNKS * 512 ? memory_map[gfn - base] : FRAME_NONE;
}

static uint64_t *model_find_table(uint64_t gfn)
{
	if (gfn - base < TABLES)
		return expected[gfn - base];
	return model_mfn(gfn) == FRAME_NONE ? NULL : empty_table;
}

static const struct model model = { .table = model_find_table, .physical_bits = PHYSICAL_BITS };

static void assert_memory(void)
{
	for (unsigned table = 0; table < TABLES; table++) {
		const uint64_t *real = fake_guest_frame(domain, base + table);

		if (memcmp(real, expected[table], FRAME_SIZE) == 0)
			continue;
		for (unsigned i = 0; i < 512; i++)
			if (real[i] != expected[table][i])
				fail_msg("table %u entry %u is %#lx, not %#lx", table, i, real[i],
					 expected[table][i]);
	}
}

/* --- what was seen --- */

static bool page_is_kernel(unsigned page)
{
	return page >= USER_PAGES;
}

static unsigned kernel_root(void)
{
	return (unsigned)(domain->shadow.kernel_half.guest_root - base);
}

static struct seen *seen_of(unsigned root, unsigned page)
{
	return &seen[page_is_kernel(page) ? ROOTS : root][page];
}

static void seen_add(struct seen *s, uint64_t mfn, unsigned kinds)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->way[i].mfn == mfn) {
			s->way[i].kinds |= kinds;
			return;
		}
	assert_true(s->count < SEEN);
	s->way[s->count].mfn = mfn;
	s->way[s->count++].kinds = kinds;
	crowded |= s->count >= SEEN - 2;
}

/* The kinds of access that need no walk to set A or D first. */
static unsigned kinds_without_walk(const struct model_way *way, unsigned page)
{
	unsigned kinds = way->allowed &
			 (page_is_kernel(page)
				  ? MODEL_KERNEL_READ | MODEL_KERNEL_WRITE | MODEL_KERNEL_FETCH
				  : ~MODEL_KERNEL_FETCH);

	for (unsigned i = 0; i < way->slots; i++)
		if (!(*way->slot[i] & PTE_ACCESSED))
			return 0;
	if (!(*way->slot[way->slots - 1] & PTE_DIRTY))
		kinds &= ~(MODEL_KERNEL_WRITE | MODEL_USER_WRITE);
	return kinds;
}

static void see(unsigned root, unsigned page)
{
	struct seen *s = seen_of(root, page);
	struct model_way way = model_find(&model, base + root, addresses[page]);
	unsigned kinds;

	s->tables = 1U << root;
	for (unsigned i = 0; i < way.slots; i++)
		s->tables |= 1U << (((char *)way.slot[i] - (char *)expected) / FRAME_SIZE & 31);
	if (!way.present || model_mfn(way.gfn) == FRAME_NONE || addresses[page] == USER_MAP_END)
		return;
	kinds = kinds_without_walk(&way, page);
	if (kinds)
		seen_add(s, model_mfn(way.gfn), kinds);
}

/* A table has changed. */
static void see_all(unsigned table)
{
	for (unsigned root = 0; root < ROOTS; root++)
		for (unsigned page = 0; page < USER_PAGES; page++)
			if (seen_of(root, page)->tables & (1U << table))
				see(root, page);
	for (unsigned page = USER_PAGES; page < PAGES; page++)
		if (seen_of(0, page)->tables & (1U << table))
			see(kernel_root(), page);
}

/* A flush: what counts is what the tables say now. */
static void forget(unsigned root, uint64_t start, uint64_t last)
{
	for (unsigned page = 0; page < PAGES; page++)
		if (addresses[page] >= start && addresses[page] <= last) {
			seen_of(root, page)->count = 0;
			see(root, page);
		}
}

static void forget_user(unsigned root)
{
	forget(root, 0, USER_HALF_END - 1);
}

static void forget_kernel(void)
{
	forget(kernel_root(), HYPERVISOR_END, ~0ULL);
}

static void assert_seen(unsigned root, unsigned page, uint64_t mfn, unsigned kinds)
{
	const struct seen *s = seen_of(root, page);
	unsigned allowed = 0;

	for (unsigned i = 0; i < s->count; i++)
		if (s->way[i].mfn == mfn)
			allowed = s->way[i].kinds;
	if (kinds & ~allowed)
		fail_msg(
			"root %u address %#lx reaches frame %#lx for %#x, allowed since the last flush: %#x",
			root, addresses[page], mfn, kinds, allowed);
}

/* --- the CPU --- */

/* Ring 3 on the shadow tables: every level must say U. */
static struct translation hardware_walk(uint64_t table_mfn, uint64_t address)
{
	struct translation t = { .valid = true, .write = true, .execute = true };
	uint64_t mfn = table_mfn;

	for (unsigned level = 4; level > 0; level--) {
		uint64_t entry = ((uint64_t *)arch_frame_pointer(mfn))[pte_index(address, level)];

		assert_int_equal(frame_of(mfn)->state, FRAME_SHADOW);
		if (!(entry & PTE_PRESENT) || !(entry & PTE_USER))
			return (struct translation){ 0 };
		t.write &= !!(entry & PTE_WRITE);
		t.execute &= !(entry & PTE_NO_EXECUTE);
		mfn = (entry & PTE_ADDRESS) >> 12;
		if (level == 2 && (entry & PTE_LARGE)) {
			assert_int_equal(mfn & 511, 0);
			mfn += pte_index(address, 1);
			break;
		}
		assert_true(level == 1 || !(entry & PTE_LARGE));
	}
	t.mfn = mfn;
	return t;
}

static void tlb_clear(struct fake_cpu *cpu)
{
	memset(cpu->tlb, 0, sizeof(cpu->tlb));
}

/* What tlb.c asked for happens before the CPU's next access. */
static void tlb_obey(unsigned id)
{
	struct fake_cpu *cpu = &fake_cpus[id];

	if (cpus[id].flush_request || cpu->flushes != cpus[id].arch.flushes)
		tlb_clear(cpu);
	cpus[id].flush_request = 0;
	cpu->flushes = cpus[id].arch.flushes;
}

/* An interrupt from another CPU: this one enters the hypervisor, flushes, and leaves it again. */
static void interrupted(uint32_t id)
{
	tlb_obey(id);
	fake_cpus[id].in_user = false;
}

static bool translation_allows(const struct translation *t, uint32_t access)
{
	return t->valid && (t->write || !(access & FAULT_WRITE)) &&
	       (t->execute || !(access & FAULT_FETCH));
}

/* True when the access goes through; else the CPU faults, and forgets the page. */
static bool cpu_access(unsigned id, unsigned page, uint32_t access, uint64_t *mfn)
{
	const struct vcpu *v = cpus[id].current;
	bool user = access & FAULT_USER;
	struct translation *t = &fake_cpus[id].tlb[user][page];

	tlb_obey(id);
	if (!t->valid)
		*t = hardware_walk(user ? v->arch.user_table : v->arch.kernel_table,
				   addresses[page]);
	*mfn = t->mfn;
	if (translation_allows(t, access))
		return true;
	*t = (struct translation){ 0 };
	return false;
}

static void use_cpu(unsigned id)
{
	if (cpus[id].current != promise.v)
		promise.v = NULL;
	fake_set_cpu(id);
	for (unsigned i = 0; i < CPUS; i++)
		cpus[i].in_guest = i != id && cpus[i].current;
}

static uint64_t *view_slot(uint64_t table_mfn, unsigned slot)
{
	return (uint64_t *)arch_frame_pointer(table_mfn) + slot;
}

static void assert_hypervisor_slots(const struct vcpu *v)
{
	uint64_t master[512];

	arch_table_init(master);
	for (unsigned slot = 256; slot < 272; slot++) {
		assert_int_equal(*view_slot(v->arch.user_table, slot), master[slot]);
		assert_int_equal(*view_slot(v->arch.kernel_table, slot), master[slot]);
	}
	for (unsigned slot = 272; slot < 512; slot++)
		assert_int_equal(*view_slot(v->arch.user_table, slot), 0);
}

/* --- accesses --- */

/* The view lacks a slot of the kernel half that another root's fault made. */
static bool slot_is_behind(const struct vcpu *v, unsigned page)
{
	unsigned slot = pte_index(addresses[page], 4);

	return page_is_kernel(page) && *view_slot(v->arch.kernel_table, slot) !=
					       *view_slot(domain->shadow.kernel_table, slot);
}

/* As the model's tables are now, what a fault must give; changes A and D in them. */
static enum shadow_result expected_fault(const struct vcpu *v, unsigned page, uint32_t access,
					 uint32_t *error)
{
	bool kernel = page_is_kernel(page);
	struct model_way way;

	*error = access;
	if (addresses[page] == USER_MAP_END)
		return SHADOW_GUEST_FAULT;
	if (!model_access(&model, kernel ? base + kernel_root() : v->root_gfn, addresses[page],
			  access, &way, error))
		return SHADOW_GUEST_FAULT;
	*error = access;
	if (kernel && (access & FAULT_USER))
		return SHADOW_GUEST_FAULT;
	*error = access | FAULT_PRESENT;
	if (!kernel && (access & (FAULT_FETCH | FAULT_USER)) == FAULT_FETCH)
		return SHADOW_GUEST_FAULT;
	*error = access | FAULT_PRESENT | FAULT_RESERVED;
	return model_mfn(way.gfn) == FRAME_NONE ? SHADOW_GUEST_FAULT : SHADOW_FILLED;
}

static void see_page(unsigned root, unsigned page)
{
	struct model_way way = model_find(
		&model, base + (page_is_kernel(page) ? kernel_root() : root), addresses[page]);

	for (unsigned i = 0; i < way.slots; i++) {
		unsigned table = (unsigned)(((char *)way.slot[i] - (char *)expected) / FRAME_SIZE);

		if (table < TABLES)
			see_all(table);
	}
}

/* The guest goes by what the hypervisor says, as if it had flushed the page. */
static void use_promise(void)
{
	if (promise.v && promise.v->page->dropped)
		forget(promise.root, addresses[promise.page], addresses[promise.page]);
}

/* True: try again. */
static bool take_fault(struct vcpu *v, unsigned page, uint32_t access)
{
	unsigned root = (unsigned)(v->root_gfn - base);
	bool behind = slot_is_behind(v, page) && !(access & FAULT_USER);
	enum shadow_result result = SHADOW_FILLED, wanted = SHADOW_FILLED;
	uint32_t error, wanted_error;

	faults++;
	if (promise.v != v)
		v->page->dropped = 0;
	if (!behind)
		wanted = expected_fault(v, page, access, &wanted_error);
	result = shadow_fault(v, addresses[page], access, &error);
	assert_int_equal(result, wanted);
	if (result == SHADOW_GUEST_FAULT)
		assert_int_equal(error, wanted_error);
	assert_memory();
	see_page(root, page);
	if (result == SHADOW_FILLED)
		return true;
	refused++;
	if (v->page->dropped && v->page->dropped == addresses[page]) {
		forget(root, addresses[page], addresses[page]);
		promise = (struct promise){ v, root, page };
		dropped++;
	}
	if (one_in(2)) { /* injected as x86/traps.c does */
		v->fault_address = addresses[page];
		v->work |= VCPU_WORK_FILL;
	}
	return false;
}

/* Filling sets A, if users may read. */
static void expect_filled(const struct vcpu *v, unsigned page)
{
	struct model_way way;
	uint32_t error;

	if (!page_is_kernel(page) && addresses[page] != USER_MAP_END)
		model_access(&model, v->root_gfn, addresses[page], FAULT_USER, &way, &error);
	see_page((unsigned)(v->root_gfn - base), page);
}

/* The way out of the hypervisor, which fills where the last fault was, and a new root's stack. */
static void enter_user(struct vcpu *v)
{
	unsigned stack = random_below(USER_PAGES), page = 0;

	v->arch.stack = addresses[stack];
	if (v->work & VCPU_WORK_FILL) {
		while (addresses[page] != v->fault_address)
			page++;
		if (v->root->fresh && v->arch.stack)
			expect_filled(v, stack);
		expect_filled(v, page);
	}
	shadow_before_user(v);
	assert_false(v->work & VCPU_WORK_FILL);
	assert_memory();
}

static void access_page(unsigned id, unsigned page, uint32_t access)
{
	struct vcpu *v = cpus[id].current;
	struct fake_cpu *cpu = &fake_cpus[id];
	unsigned attempts = 1;
	uint64_t mfn;

	if (!v)
		return;
	use_cpu(id);
	do {
		if ((access & FAULT_USER) && !cpu->in_user)
			enter_user(v);
		cpu->in_user = access & FAULT_USER;
		assert_hypervisor_slots(v);
		if (cpu_access(id, page, access, &mfn)) {
			reached++;
			assert_seen((unsigned)(v->root_gfn - base), page, mfn, model_kind(access));
			return;
		}
		cpu->in_user = false;
		/* One fault fills; one more may be needed to learn of a slot of the kernel half. */
		attempts += slot_is_behind(v, page);
		assert_true(attempts-- > 0);
	} while (take_fault(v, page, access));
}

static void random_access(void)
{
	static const uint32_t kinds[] = { 0,
					  FAULT_WRITE,
					  FAULT_FETCH,
					  FAULT_USER,
					  FAULT_USER | FAULT_WRITE,
					  FAULT_USER | FAULT_FETCH };
	unsigned id = random_below(CPUS);

	access_page(id, random_page(), kinds[random_below(6)]);
}

/* --- everything that any view can reach, or any TLB still holds --- */

static unsigned translation_kinds(const struct translation *t)
{
	return MODEL_KERNEL_READ | (t->write ? MODEL_KERNEL_WRITE : 0) |
	       (t->execute ? MODEL_KERNEL_FETCH : 0);
}

static void sweep_tlb(unsigned id)
{
	const struct vcpu *v = cpus[id].current;

	tlb_obey(id);
	for (unsigned page = 0; v && page < PAGES; page++) {
		const struct translation *kernel = &fake_cpus[id].tlb[0][page];
		const struct translation *user = &fake_cpus[id].tlb[1][page];
		unsigned root = (unsigned)(v->root_gfn - base);

		if (kernel->valid)
			assert_seen(root, page, kernel->mfn, translation_kinds(kernel));
		if (user->valid)
			assert_seen(root, page, user->mfn, translation_kinds(user) << 3);
	}
}

static void sweep_page(const struct shadow_root *r, unsigned page)
{
	unsigned root = (unsigned)(r->gfn - base);
	struct translation kernel = hardware_walk(r->kernel_table, addresses[page]);
	struct translation user = hardware_walk(r->user_table, addresses[page]);

	if (kernel.valid) {
		if (!page_is_kernel(page))
			assert_false(kernel.execute);
		assert_seen(root, page, kernel.mfn, translation_kinds(&kernel));
	}
	if (user.valid) {
		assert_false(page_is_kernel(page));
		assert_seen(root, page, user.mfn, translation_kinds(&user) << 3);
	}
}

static void sweep(void)
{
	for (unsigned i = 0; i < SHADOW_ROOTS; i++)
		if (domain->shadow.roots[i].gfn != FRAME_NONE)
			for (unsigned page = 0; page < PAGES; page++)
				sweep_page(&domain->shadow.roots[i], page);
}

static void assert_audit(bool strict)
{
	const char *wrong = shadow_audit(domain, strict);

	if (wrong)
		fail_msg("audit: %s", wrong);
}

/* --- what the guest does --- */

static void guest_write(unsigned table, unsigned index, uint64_t entry)
{
	fake_guest_frame(domain, base + table)[index] = entry;
	expected[table][index] = entry;
	see_all(table);
}

/* The levels above the leaves mostly allow everything. */
static uint64_t random_bits(unsigned level)
{
	unsigned rarely = level > 1 ? 5 : 1;
	uint64_t entry = one_in(10 * rarely) ? 0 : PTE_PRESENT;

	entry |= one_in(5 * rarely) ? 0 : PTE_WRITE;
	entry |= one_in(6 * rarely) ? 0 : PTE_USER;
	entry |= one_in(8 * rarely) ? PTE_NO_EXECUTE : 0;
	entry |= one_in(3 * rarely) ? 0 : PTE_ACCESSED;
	entry |= one_in(3) ? PTE_DIRTY : 0;
	return entry | (one_in(50 * rarely) ? 1ULL << 45 : 0); /* reserved */
}

static uint64_t random_data(void)
{
	switch (random_below(12)) {
	case 0:
		return base + CHUNKS * 512 + random_below(64); /* not the guest's */
	case 1:
		return random_below(64); /* in an identity domain not the guest's */
	case 2:
		return base + random_below(TABLES);
	case 3:
	case 4:
	case 5:
		return base + 1024 + random_below(8);
	default:
		return base + 64 + random_below(8);
	}
}

static uint64_t random_entry(unsigned level)
{
	uint64_t bits = random_bits(level);

	if (level == 1)
		return bits | random_data() << 12;
	if (level == 2 && one_in(2))
		return bits | PTE_LARGE | (base + 512 * random_below(CHUNKS + 1)) << 12;
	if (level == 3 && one_in(10))
		return bits | PTE_LARGE;
	if (one_in(30))
		return bits | random_data() << 12;
	return bits | (base + first_of_level[level - 1] + random_below(count_of_level[level - 1]))
			      << 12;
}

static unsigned random_index(unsigned level)
{
	switch (level) {
	case 4:
		return one_in(2) ? index_user[random_below(2)] : index_kernel[random_below(2)];
	case 3:
		return index_3[random_below(COUNT(index_3))];
	case 2:
		return index_2[random_below(COUNT(index_2))];
	default:
		return index_1[random_below(COUNT(index_1))];
	}
}

/* An entry on the way to the page in focus, or any. */
static void random_slot(unsigned *table, unsigned *index)
{
	unsigned root = page_is_kernel(focus) ? kernel_root() : random_below(ROOTS);
	struct model_way way = model_find(&model, base + root, addresses[focus]);
	size_t at = way.slot[random_below(way.slots)] - expected[0];

	*table = (unsigned)(at / 512);
	*index = at % 512;
	if (at < TABLES * 512 && one_in(2))
		return;
	*table = TABLES - 1 - random_below(one_in(2) ? TABLES : 5);
	*index = random_index(table_level[*table]);
}

static void random_change(void)
{
	unsigned table, index, level;
	uint64_t entry;

	random_slot(&table, &index);
	level = table_level[table];
	entry = expected[table][index];
	switch (random_below(6)) {
	case 0:
		entry = random_entry(level);
		break;
	case 1: /* as mprotect or the ageing of pages do */
		entry = (entry & (PTE_ADDRESS | PTE_LARGE)) | random_bits(level);
		break;
	case 2: /* as when a page moves */
		if (level == 1)
			entry = (entry & ~PTE_ADDRESS) | random_data() << 12;
		break;
	case 3:
		entry |= PTE_PRESENT | PTE_WRITE | PTE_USER;
		entry &= ~PTE_NO_EXECUTE;
		break;
	case 4:
		entry &= ~(one_in(2) ? PTE_ACCESSED : PTE_DIRTY);
		break;
	default:
		entry &= ~(one_in(2) ? PTE_WRITE : PTE_USER);
		break;
	}
	guest_write(table, index, entry);
}

/* A hypercall can be made on a CPU that runs a vCPU. */
static struct vcpu *hypercall_vcpu(void)
{
	unsigned id = random_below(CPUS);

	if (!cpus[id].current)
		id ^= 1;
	if (!cpus[id].current)
		return NULL;
	use_cpu(id);
	fake_cpus[id].in_user = false;
	return cpus[id].current;
}

static void load_root(struct vcpu *v, unsigned root)
{
	bool other = v->root_gfn != base + root;

	shadow_load_root(v, base + root);
	if (other)
		tlb_clear(&fake_cpus[this_cpu()->id]);
	assert_int_equal(v->root->gfn, base + root);
	assert_int_equal(v->arch.kernel_table, v->root->kernel_table);
}

static void flush_range(unsigned root)
{
	uint64_t start = addresses[random_page() % USER_PAGES];
	uint64_t last = addresses[one_in(2) ? random_below(USER_PAGES) : 0];

	if (last < start)
		last = start;
	last |= FRAME_SIZE - 1;
	shadow_flush_range(domain, base + root, start, last + 1);
	forget(root, start, last);
}

static void flush_kernel(void)
{
	uint64_t start = addresses[USER_PAGES + random_page() % USER_PAGES];
	uint64_t last = one_in(2) ? ~0ULL : start | (FRAME_SIZE - 1);

	shadow_flush_kernel(domain, start, last);
	forget(kernel_root(), start, last);
}

static void flush_all(void)
{
	shadow_flush_all(domain);
	for (unsigned root = 0; root < ROOTS; root++)
		forget_user(root);
	forget_kernel();
}

static bool root_is_loaded(unsigned root)
{
	for (unsigned id = 0; id < CPUS; id++)
		if (cpus[id].current && cpus[id].current->root_gfn == base + root)
			return true;
	return false;
}

static void destroy_root(unsigned root)
{
	int result = shadow_destroy_root(domain, base + root);

	assert_int_equal(result, root_is_loaded(root) ? -EBUSY : 0);
	if (!result)
		forget_user(root);
}

static void set_kernel_root(unsigned root)
{
	shadow_set_kernel_root(domain, base + root);
	forget_kernel();
}

static void prefill(unsigned root)
{
	uint64_t start = addresses[random_below(USER_PAGES)];
	uint64_t end = start + ((uint64_t)random_below(2000) + 1) * FRAME_SIZE;

	shadow_prefill(domain, base + root, start, end <= USER_HALF_END ? end : USER_HALF_END);
}

/* Resyncs everything: then not even a strict audit finds anything. */
static void flush_by_range(void)
{
	for (unsigned root = 0; root < ROOTS; root++) {
		shadow_flush_range(domain, base + root, 0, USER_HALF_END);
		forget_user(root);
	}
	shadow_flush_kernel(domain, HYPERVISOR_END, ~0ULL);
	forget_kernel();
	assert_audit(true);
	sweep();
}

static void random_operation(void)
{
	struct vcpu *v = hypercall_vcpu();
	unsigned root = random_below(one_in(2) ? ROOTS : 2);

	if (!v)
		return;
	switch (random_below(24)) {
	case 0:
		flush_all();
		break;
	case 1:
		shadow_drop_user(domain, base + root);
		forget_user(root);
		break;
	case 2:
		destroy_root(root);
		break;
	case 3:
		set_kernel_root(root);
		break;
	case 4:
		flush_by_range();
		break;
	case 5 ... 8:
		flush_kernel();
		break;
	case 9 ... 12:
		prefill(root);
		break;
	case 13 ... 17:
		load_root(v, root);
		break;
	default:
		flush_range(root);
		break;
	}
	assert_memory();
}

/* A CPU gets a vCPU that runs nowhere, or none. */
static void random_switch(void)
{
	unsigned id = random_below(CPUS);
	struct vcpu *next = domain->vcpus[random_below(2)];

	use_cpu(id);
	if (one_in(8) || next->arch.loaded)
		next = NULL;
	if (!next && !this_cpu()->current)
		return;
	fake_guest_switch(next);
	tlb_clear(&fake_cpus[id]);
	fake_cpus[id].in_user = false;
}

static void step(unsigned number)
{
	unsigned what = random_below(100);

	if (number % 64 == 0)
		focus = random_below(one_in(4) ? PAGES : USER_PAGES);
	if (crowded) {
		if (!hypercall_vcpu())
			random_switch();
		else
			flush_by_range();
		crowded = !this_cpu()->current;
	} else if (what < 25) {
		random_change();
		use_promise();
	} else if (what < 80) {
		random_access();
	} else if (what < 97) {
		random_operation();
	} else {
		random_switch();
	}
	for (unsigned id = 0; id < CPUS; id++)
		sweep_tlb(id);
	if (number % 32 == 0) {
		sweep();
		assert_audit(false);
	}
}

/* --- tests --- */

static void make_addresses(void)
{
	unsigned page = 0;

	for (unsigned half = 0; half < 2; half++)
		for (unsigned i4 = 0; i4 < 2; i4++)
			for (unsigned i3 = 0; i3 < COUNT(index_3); i3++)
				for (unsigned i2 = 0; i2 < COUNT(index_2); i2++)
					for (unsigned i1 = 0; i1 < COUNT(index_1); i1++)
						addresses[page++] =
							(half ? 0xffffULL << 48 : 0) |
							(uint64_t)(half ? index_kernel
									: index_user)[i4]
								<< 39 |
							(uint64_t)index_3[i3] << 30 |
							(uint64_t)index_2[i2] << 21 |
							(uint64_t)index_1[i1] << 12;
	assert_int_equal(page, PAGES);
}

static void start(const struct fake_guest_config *config)
{
	fake_interrupt_hook = interrupted;
	domain = fake_guest_create(config);
	base = fake_guest_base(domain);
	for (uint64_t i = 0; i < CHUNKS * 512; i++)
		memory_map[i] = memory_lookup(domain, base + i);
	memset(expected, 0, sizeof(expected));
	memset(seen, 0, sizeof(seen));
	memset(fake_cpus, 0, sizeof(fake_cpus));
	make_addresses();
	faults = reached = refused = dropped = 0;
	promise.v = NULL;
	crowded = false;
	domain->shadow.kernel_half.guest_root = base;
	for (unsigned table = 0; table < TABLES; table++)
		for (unsigned i = 0; i < 40; i++)
			guest_write(table, random_index(table_level[table]),
				    random_entry(table_level[table]));
	for (unsigned root = 0; root < ROOTS; root++)
		forget_user(root);
	forget_kernel();
}

static void run(const struct fake_guest_config *config, unsigned cpu_number)
{
	uint64_t before;

	fake_memory_init(RAM_FRAMES, CPUS);
	walk_init(PHYSICAL_BITS);
	seed = 88172645463325252UL + config->identity + config->pool_frames;
	before = frame_free_count();
	start(config);
	for (unsigned i = 0; i < cpu_number; i++) {
		use_cpu(i);
		fake_guest_switch(domain->vcpus[i]);
	}
	for (unsigned i = 0; i < STEPS; i++)
		step(i);
	for (unsigned i = 0; i < CPUS; i++) {
		use_cpu(i);
		if (cpus[i].current)
			fake_guest_switch(NULL);
	}
	fake_guest_destroy(domain);
	assert_int_equal(frame_free_count(), before);
	print_message("%lu accesses went through, %lu faults, %lu for the guest\n", reached, faults,
		      refused);
	/* The random guest does get somewhere. */
	assert_true(dropped > STEPS / 500 && reached > STEPS / 20 && refused > STEPS / 20 &&
		    faults > STEPS / 10);
}

static void test_mapped(void **state)
{
	(void)state;
	run(&(struct fake_guest_config){ .chunks = CHUNKS, .vcpus = 2, .pool_frames = 2000 }, 2);
}

static void test_mapped_least_pool(void **state)
{
	(void)state;
	run(&(struct fake_guest_config){ .chunks = CHUNKS, .vcpus = 2 }, 2);
}

static void test_identity(void **state)
{
	(void)state;
	run(&(struct fake_guest_config){ .chunks = CHUNKS,
					 .vcpus = 2,
					 .identity = true,
					 .pool_frames = 2000 },
	    2);
}

static void test_identity_least_pool(void **state)
{
	(void)state;
	run(&(struct fake_guest_config){ .chunks = CHUNKS, .vcpus = 2, .identity = true }, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mapped),
		cmocka_unit_test(test_mapped_least_pool),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_identity_least_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
