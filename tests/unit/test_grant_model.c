// SPDX-License-Identifier: BSD-2-Clause
/*
 * Everything that three domains can do with few grants, against a model: every operation in every
 * state that the model can come to. Domains are a control domain, a and b; a has frames 0 and 1, b
 * frame 2, the control domain maps and copies, as they do; there are two grants of a's and one of b's.
 *
 * After each (see states.h), the result, what everybody reaches and how, what the granters see, and how many hold each
 * frame must be as the model says.
 */
#include "grant_unit.h"

#include "states.h"

#include "abi/memory.h"

#define GRANTS	    3
#define SLOTS	    2 /* mappings of a domain, at most; which may have so many is below */
#define PLACES	    3 /* guest frames that the others map at */
#define AUDIT_EVERY 512

/* --- What there is --- */

static const int owner_of[GRANTS] = { A, A, B };
static const unsigned slots_of[DOMAINS] = { [CONTROL] = 2, [A] = 1, [B] = 1 };

/* What a grant may be set to; the first is nothing. */
struct setting {
	int to;
	uint64_t offset, count, flags;
};

#define SETTINGS 3
static const unsigned settings_of[GRANTS] = { 2, 3, 2 };
static const struct setting settings[GRANTS][SETTINGS] = {
	{ { -1, 0, 0, 0 }, { B, DATA, 1, RF_GRANT_WRITE } },
	{ { -1, 0, 0, 0 }, { B, DATA, 2, 0 }, { CONTROL, DATA, 1, RF_GRANT_WRITE } },
	{ { -1, 0, 0, 0 }, { A, DATA, 1, RF_GRANT_WRITE } },
};

/* A mapping: of which grant as it was set then; stale, when its granter has died since. */
struct mapping {
	uint8_t used, grant, setting, write, place, stale;
	uint8_t frame_lost; /* a's frame 1 is not what it was */
};

struct model {
	uint8_t dead[DOMAINS];
	uint8_t set[GRANTS];
	uint8_t frame_absent; /* a's frame 1 */
	struct mapping mapping[DOMAINS][SLOTS];
};

/* What the model does not know: numbers of the machine. */
struct real {
	uint32_t handle;
	uint64_t mfn[2];
};

static struct model now;
static struct real real[DOMAINS][SLOTS];

/* --- Operations --- */

enum kind { SET, MAP, UNMAP, COPY, RELEASE, POPULATE, DESTROY, CREATE };

struct operation {
	enum kind kind;
	int who;
	uint32_t what; /* grant, or mapping */
	unsigned how;  /* setting; writing */
	unsigned place;
};

static struct operation all[STATES_OPERATIONS];
static unsigned operation_count;

static void add(enum kind kind, int who, uint32_t what, unsigned how, unsigned place)
{
	assert_true(operation_count < STATES_OPERATIONS);
	all[operation_count++] = (struct operation){ kind, who, what, how, place };
}

static void list_operations(void)
{
	for (uint32_t g = 0; g < GRANTS; g++)
		for (unsigned s = 0; s < settings_of[g]; s++)
			add(SET, owner_of[g], g, s, 0);
	for (int who = 0; who < DOMAINS; who++) {
		for (uint32_t g = 0; g < GRANTS; g++)
			for (unsigned write = 0; write < 2; write++) {
				add(MAP, who, g, write, 0);
				add(COPY, who, g, write, 0);
				if (who == B)
					add(MAP, who, g, write, 1);
			}
		for (unsigned slot = 0; slot < slots_of[who]; slot++)
			add(UNMAP, who, slot, 0, 0);
	}
	add(RELEASE, A, 0, 0, 0);
	add(POPULATE, A, 0, 0, 0);
	for (int who = A; who <= B; who++) {
		add(DESTROY, who, 0, 0, 0);
		add(CREATE, who, 0, 0, 0);
	}
}

/* --- The model --- */

static const struct setting *setting_of(const struct mapping *m)
{
	return &settings[m->grant][m->setting];
}

static struct mapping *free_mapping(int who)
{
	for (unsigned i = 0; i < slots_of[who]; i++)
		if (!now.mapping[who][i].used)
			return &now.mapping[who][i];
	return NULL;
}

/* They are as good in one order as in another. */
static void sort_mappings(void)
{
	struct mapping *m = now.mapping[CONTROL], saved = m[0];
	struct real saved_real = real[CONTROL][0];

	if (memcmp(&m[0], &m[1], sizeof(*m)) <= 0)
		return;
	m[0] = m[1];
	m[1] = saved;
	real[CONTROL][0] = real[CONTROL][1];
	real[CONTROL][1] = saved_real;
}

/* Others than the control domain have one thing at a place. */
static bool is_taken(int who, unsigned place, uint64_t count)
{
	for (unsigned i = 0; i < slots_of[who]; i++) {
		const struct mapping *m = &now.mapping[who][i];

		if (m->used && m->place < place + count && place < m->place + setting_of(m)->count)
			return true;
	}
	return false;
}

/* What an entry says to who asks for it. */
static int64_t model_pin(int who, uint32_t g, bool write)
{
	const struct setting *s = &settings[g][now.set[g]];

	if (who == owner_of[g])
		return -EINVAL;
	if (now.dead[owner_of[g]])
		return -ESRCH;
	if (s->to != who)
		return -ENOENT;
	return write && !(s->flags & RF_GRANT_WRITE) ? -EPERM : 0;
}

static int64_t model_map_error(const struct operation *op)
{
	const struct setting *s = &settings[op->what][now.set[op->what]];
	int64_t error = model_pin(op->who, op->what, op->how);

	if (error)
		return error;
	if (op->who != CONTROL && is_taken(op->who, op->place, 1))
		return -EEXIST;
	if (s->count > 1 && now.frame_absent)
		return -ENODATA;
	if (op->who != CONTROL && is_taken(op->who, op->place, s->count))
		return -EEXIST;
	return 0;
}

static int64_t model_map(const struct operation *op)
{
	int64_t error = model_map_error(op);

	if (error)
		return error;
	*free_mapping(op->who) = (struct mapping){
		.used = 1,
		.grant = (uint8_t)op->what,
		.setting = now.set[op->what],
		.write = (uint8_t)op->how,
		.place = (uint8_t)op->place,
	};
	return 1;
}

static void each_mapping(void (*change)(struct mapping *m, int who), int who)
{
	for (int user = 0; user < DOMAINS; user++)
		for (unsigned i = 0; i < slots_of[user]; i++)
			if (now.mapping[user][i].used)
				change(&now.mapping[user][i], who);
}

static void lose_frame(struct mapping *m, int who)
{
	(void)who;
	if (owner_of[m->grant] == A && setting_of(m)->count > 1)
		m->frame_lost = 1;
}

static void make_stale(struct mapping *m, int who)
{
	if (owner_of[m->grant] == who)
		m->stale = 1;
}

static void model_destroy(int who)
{
	each_mapping(make_stale, who);
	now.dead[who] = 1;
	memset(now.mapping[who], 0, sizeof(now.mapping[who]));
	for (uint32_t g = 0; g < GRANTS; g++)
		if (owner_of[g] == who)
			now.set[g] = 0;
	if (who == A)
		now.frame_absent = 0;
}

static int64_t model_step(const struct operation *op)
{
	int64_t error;

	switch (op->kind) {
	case SET:
		now.set[op->what] = (uint8_t)op->how;
		return 0;
	case MAP:
		return model_map(op);
	case UNMAP:
		if (!now.mapping[op->who][op->what].used)
			return -ENOENT;
		memset(&now.mapping[op->who][op->what], 0, sizeof(struct mapping));
		return 1;
	case COPY:
		error = model_pin(op->who, op->what, op->how);
		return error ? error : 1;
	case RELEASE:
		each_mapping(lose_frame, A);
		now.frame_absent = 1;
		return 1;
	case POPULATE:
		now.frame_absent = 0;
		return 1;
	case DESTROY:
		model_destroy(op->who);
		return 0;
	default:
		now.dead[op->who] = 0;
		return 0;
	}
}

/* Of those that would succeed: others than the control domain map at one place, all that they may. */
static bool is_tried(const struct operation *op)
{
	const struct setting *s = &settings[op->what][now.set[op->what]];

	return op->who == CONTROL || (op->place == 0 && op->how == (s->flags & RF_GRANT_WRITE) / 2);
}

/* Not what nobody could do, nor a mapping more than the model has room for. */
static bool is_possible(unsigned number)
{
	const struct operation *op = &all[number];

	/* In the order of their numbers. */
	if (op->kind == CREATE)
		return now.dead[op->who] && !(op->who == B && now.dead[A]);
	if (now.dead[op->who])
		return false;
	if (op->kind == MAP)
		return model_map_error(op) || (free_mapping(op->who) && is_tried(op));
	if (op->kind == RELEASE)
		return !now.frame_absent;
	return op->kind != POPULATE || now.frame_absent;
}

/* --- The real thing --- */

static int64_t real_map(const struct operation *op)
{
	const struct setting *s = &settings[op->what][now.set[op->what]];
	struct domain *granter = domains[owner_of[op->what]];
	struct rf_grant_map request = {
		.domain = granter ? granter->id : 900,
		.grant = op->what,
		.count = s->count ? (uint32_t)s->count : 1,
		.gfn = op->who == CONTROL ? 0 : FOREIGN + op->place,
		.flags = op->how,
	};
	int64_t result = map_op(&request);
	struct real *r;

	if (result == 1) {
		r = &real[op->who][free_mapping(op->who) - now.mapping[op->who]];
		r->handle = request.handle;
		for (uint64_t i = 0; i < request.count; i++)
			r->mfn[i] = memory_lookup(granter, DATA + i);
	}
	return result;
}

static int64_t real_copy(const struct operation *op)
{
	const struct domain *granter = domains[owner_of[op->what]];
	struct rf_grant_place theirs = { .domain = granter ? granter->id : 900,
					 .grant = op->what,
					 .address = 1000 };
	struct rf_grant_place mine = {
		.domain = RF_DOMAIN_SELF,
		.address = ADDRESS(base_of(domains[op->who]) + DATA + 4),
	};

	return op->how ? copy(mine, theirs, 96) : copy(theirs, mine, 96);
}

static int64_t real_extent(const struct operation *op)
{
	struct rf_memory_extent extent = { .gfn = DATA + 1 };

	memcpy(operations(domains[A]), &extent, sizeof(extent));
	return op->kind == RELEASE ? do_memory_release(RF_DOMAIN_SELF, operations_address(), 1)
				   : do_memory_populate(RF_DOMAIN_SELF, operations_address(), 1);
}

static int64_t real_set(const struct operation *op)
{
	const struct setting *s = &settings[op->what][op->how];
	const struct domain to = { .id = (uint16_t)s->to }; /* alive or not */

	if (s->to < 0)
		revoke(domains[op->who], op->what);
	else
		grant(domains[op->who], op->what, &to, s->offset, s->count, s->flags);
	return 0;
}

static int64_t real_create(int who)
{
	domain_last_number = (size_t)who - 1;
	domains[who] = make_domain(who == A ? "a" : "b", false);
	assert_int_equal(domains[who]->id, who);
	add_grant_page(domains[who]);
	return 0;
}

static int64_t real_step(const struct operation *op)
{
	if (op->kind == CREATE)
		return real_create(op->who);
	run(domains[op->who]);
	switch (op->kind) {
	case SET:
		return real_set(op);
	case MAP:
		return real_map(op);
	case UNMAP:
		return unmap(now.mapping[op->who][op->what].used ? real[op->who][op->what].handle
								 : 1000);
	case COPY:
		return real_copy(op);
	case DESTROY:
		destroy(op->who);
		return 0;
	default:
		return real_extent(op);
	}
}

/* --- Comparing --- */

/* What a domain reaches of a machine frame at a page: nothing, reading, writing. */
static unsigned rights_at(int who, unsigned place, uint64_t mfn)
{
	unsigned rights = 0;

	for (unsigned i = 0; i < slots_of[who]; i++) {
		const struct mapping *m = &now.mapping[who][i];

		for (uint64_t j = 0; m->used && j < setting_of(m)->count; j++) {
			bool here = who == CONTROL ? real[who][i].mfn[j] == mfn
						   : m->place + j == place;

			if (here && rights < 1U + m->write)
				rights = 1U + m->write;
		}
	}
	return rights;
}

/* Through the shadow as it is, and as it becomes by a fault. */
static void compare_access(uint64_t address, unsigned rights)
{
	uint64_t leaf = leaf_at(address);

	assert_true(!leaf || rights > 0);
	assert_true(!(leaf & PTE_WRITE) || rights > 1);
	assert_int_equal(touch(address, FAULT_USER) == SHADOW_FILLED, rights > 0);
	assert_int_equal(touch(address, FAULT_USER | FAULT_WRITE) == SHADOW_FILLED, rights > 1);
	if (rights > 1)
		assert_true(leaf_at(address) & PTE_WRITE);
	/* A fault has dropped it: it shall be there when the next operation comes. */
	touch(address, FAULT_USER);
}

/* The frames that the control domain looks at have a page each. */
static void compare_control(void)
{
	uint64_t *level1 = frame_at(domains[CONTROL], 3);

	for (uint64_t i = 0; i < 3; i++) {
		struct domain *d = domains[i < 2 ? A : B];
		uint64_t mfn = d ? memory_lookup(d, DATA + i % 2) : FRAME_NONE;

		if (mfn == FRAME_NONE)
			continue;
		level1[256 + i] = mfn << FRAME_SHIFT | PTE_PRESENT | PTE_WRITE | PTE_USER |
				  PTE_ACCESSED | PTE_DIRTY;
		shadow_flush_range(domains[CONTROL], CONTROL_BASE, ADDRESS(256 + i),
				   ADDRESS(257 + i));
		compare_access(ADDRESS(256 + i), rights_at(CONTROL, 0, mfn));
	}
}

static void compare_user(int who)
{
	bool write;

	if (!domains[who])
		return;
	run(domains[who]);
	if (who == CONTROL) {
		compare_control();
		return;
	}
	for (unsigned place = 0; place < PLACES; place++) {
		unsigned rights = rights_at(who, place, 0);
		uint64_t mfn = grant_lookup(domains[who], FOREIGN + place, &write);

		assert_int_equal(mfn != FRAME_NONE, rights > 0);
		compare_access(ADDRESS(256 + place), rights);
		if (rights > 0)
			assert_int_equal(
				(leaf_at(ADDRESS(256 + place)) & PTE_ADDRESS) >> FRAME_SHIFT, mfn);
	}
}

static void compare_entry(uint32_t g)
{
	uint64_t uses = 0;

	if (!domains[owner_of[g]])
		return;
	for (int who = 0; who < DOMAINS; who++)
		for (unsigned i = 0; i < slots_of[who]; i++)
			uses += now.mapping[who][i].used && now.mapping[who][i].grant == g &&
				!now.mapping[who][i].stale;
	assert_int_equal(in_use(domains[owner_of[g]], g), uses);
}

/* A frame has its owner, if that still has it, and every mapping. */
static void compare_holders(int user, unsigned slot)
{
	const struct mapping *mine = &now.mapping[user][slot];

	for (uint64_t j = 0; mine->used && j < setting_of(mine)->count; j++) {
		uint64_t mfn = real[user][slot].mfn[j], holders = 0;
		bool lost = mine->stale || (mine->frame_lost && j == 1);

		for (int who = 0; who < DOMAINS; who++)
			for (unsigned i = 0; i < slots_of[who]; i++) {
				const struct mapping *m = &now.mapping[who][i];

				for (uint64_t k = 0; m->used && k < setting_of(m)->count; k++)
					holders += real[who][i].mfn[k] == mfn;
			}
		assert_int_equal(frame_of(mfn)->references, holders + !lost);
		assert_int_equal(frame_of(mfn)->state, lost ? FRAME_LIMBO : FRAME_DOMAIN);
	}
}

static void compare(void)
{
	for (int who = 0; who < DOMAINS; who++) {
		compare_user(who);
		for (unsigned i = 0; i < slots_of[who]; i++)
			compare_holders(who, i);
	}
	for (uint32_t g = 0; g < GRANTS; g++)
		compare_entry(g);
}

/* --- The walk --- */

static void perform(unsigned number)
{
	const struct operation *op = &all[number];
	int64_t result = real_step(op), expected = model_step(op);

	if (result != expected)
		fail_msg("operation %u (kind %d by %d): %ld, not %ld", number, op->kind, op->who,
			 result, expected);
	sort_mappings();
	compare();
}

static void test_everything(void **state)
{
	struct states_test test = {
		.model = &now,
		.size = sizeof(now),
		.is_possible = is_possible,
		.perform = perform,
		.audit = assert_audit,
		.audit_every = AUDIT_EVERY,
	};

	(void)state;
	list_operations();
	test.operations = operation_count;
	states_try_all(&test);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_everything, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
