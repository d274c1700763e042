// SPDX-License-Identifier: BSD-2-Clause
/*
 * Guests from their beginning to their end, with a hypervisor that has nothing but numbers, names and states:
 * finding them, what is kept of them, and what is done when they have ended.
 */
#include "unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "abi/memory.h"
#include "tests/unit/fake_arch/include/fake_elf.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/life.h"

#define NUMBERS 8

struct hypervisor {
	struct access access; /* first: what is passed is this */
	struct rf_domain_info domains[NUMBERS];
	bool there[NUMBERS];
	uint64_t serial;
	uint64_t calls;
	bool no_start;
	uint32_t kept; /* the domain that was kept last; 0: none */
	bool no_keep;
	unsigned dying; /* how often one that is destroyed is still seen */
};

static int64_t create(struct hypervisor *h, const struct rf_domain_config *config)
{
	for (uint32_t i = 1; i < NUMBERS; i++) {
		if (h->there[i])
			continue;
		h->there[i] = true;
		h->domains[i] = (struct rf_domain_info){ .domain = i,
							 .serial = ++h->serial,
							 .state = RF_DOMAIN_PAUSED };
		memcpy(h->domains[i].name, config->name, sizeof(config->name));
		return i;
	}
	return -ENOMEM;
}

static int64_t set(const struct hypervisor *h, struct rf_domain_info *d,
		   const struct rf_domain_set *s)
{
	if ((s->mask & RF_SET_PAUSED) && h->no_start)
		return -EINVAL;
	if (s->mask & RF_SET_PAUSED)
		d->state = s->paused ? RF_DOMAIN_PAUSED : RF_DOMAIN_RUNNING;
	return 0;
}

static int64_t look(struct hypervisor *h, struct rf_domain_info *d, struct rf_domain_info *to)
{
	*to = *d;
	if (d->state == RF_DOMAIN_DYING && !h->dying)
		h->there[d->domain] = false;
	else if (d->state == RF_DOMAIN_DYING)
		h->dying--;
	return 0;
}

static uint64_t next_number(const struct hypervisor *h, uint64_t number)
{
	while (number < NUMBERS && !h->there[number])
		number++;
	return number;
}

static int64_t call(struct access *access, uint32_t number, const uint64_t *a)
{
	struct hypervisor *h = (struct hypervisor *)access;

	uint64_t id;

	h->calls++;
	if (number == RF_HYPERCALL_domain_create)
		return create(h, (void *)(uintptr_t)a[0]);
	id = a[0] < RF_DOMAIN_NEXT ? a[0] : next_number(h, a[0] - RF_DOMAIN_NEXT);
	if (id >= NUMBERS || !h->there[id])
		return -ESRCH;
	switch (number) {
	case RF_HYPERCALL_domain_info:
		return look(h, &h->domains[id], (void *)(uintptr_t)a[1]);
	case RF_HYPERCALL_domain_set:
		return set(h, &h->domains[id], (void *)(uintptr_t)a[1]);
	case RF_HYPERCALL_domain_destroy:
		h->domains[id].state = RF_DOMAIN_DYING;
		return 0;
	default: /* memory and copies: all of it */
		return (int64_t)a[2];
	}
}

static int64_t keep(struct access *access, uint32_t domain)
{
	struct hypervisor *h = (struct hypervisor *)access;

	if (h->no_keep)
		return -ENOENT;
	h->kept = domain;
	return 0;
}

struct setup {
	struct hypervisor h;
	struct config config;
	struct rf_domain_info info;
	struct report report;
	char folder[64];
};

static void write_kernel(const char *path)
{
	struct fake_elf elf;
	FILE *file = fopen(path, "w");

	fake_elf_init(&elf);
	assert_non_null(file);
	assert_int_equal(fwrite(&elf, sizeof(elf), 1, file), 1);
	fclose(file);
}

static void start(struct setup *s, const char *name)
{
	char path[96];

	memset(s, 0, sizeof(*s));
	s->h.access = (struct access){ .call = call, .keep = keep, .device = -1 };
	s->h.there[0] = true;
	strcpy(s->h.domains[0].name, "control");
	s->h.domains[0].control = 1;
	s->h.domains[0].state = RF_DOMAIN_RUNNING;
	strcpy(s->folder, "/tmp/test_rf_life.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	setenv("RINGFENCE_STATE", s->folder, 1);
	setenv("XENSTORED_RUNDIR", s->folder, 1);
	snprintf(path, sizeof(path), "%s/kernel", s->folder);
	write_kernel(path);
	config_init(&s->config);
	s->config.name = strdup(name);
	s->config.kernel = strdup(path);
	assert_true(config_check("test", &s->config, &s->report));
}

static void finish(struct setup *s)
{
	char command[128];

	config_free(&s->config);
	snprintf(command, sizeof(command), "rm -r %s", s->folder);
	assert_int_equal(system(command), 0);
}

/* The guest itself ends. */
static void end(struct setup *s, uint32_t state, uint32_t reason)
{
	s->h.domains[s->info.domain].state = state;
	s->h.domains[s->info.domain].reason = reason;
}

static void test_find(void **state)
{
	struct rf_domain_info info;
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_int_equal(domain_find(&s.h.access, "web", &info), 0);
	assert_int_equal(info.domain, 1);
	assert_int_equal(domain_find(&s.h.access, "1", &info), 0);
	assert_string_equal(info.name, "web");
	assert_int_equal(domain_find(&s.h.access, "we", &info), -ESRCH);
	assert_int_equal(domain_find(&s.h.access, "", &info), -ESRCH);
	assert_int_equal(domain_find(&s.h.access, "2", &info), -ESRCH);
	assert_int_equal(domain_find(&s.h.access, "99999999999999999999", &info), -ESRCH);
	/* One call for each of the two that are there, and one that finds no more. */
	s.h.calls = 0;
	assert_int_equal(domain_find(&s.h.access, "web", &info), 0);
	assert_int_equal(s.h.calls, 3);
	/* Two of one name, which rf itself does not make. */
	strcpy(s.h.domains[0].name, "web");
	assert_int_equal(domain_find(&s.h.access, "web", &info), -EEXIST);
	assert_int_equal(domain_find(&s.h.access, "0", &info), 0);
	finish(&s);
}

static void test_one_name(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_int_equal(s.info.state, RF_DOMAIN_PAUSED);
	assert_false(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_string_equal(s.report.error, "web: there is a domain of this name");
	assert_false(s.h.there[2]);
	finish(&s);
}

static void test_start(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_int_equal(s.h.domains[1].state, RF_DOMAIN_RUNNING);
	assert_int_equal(life_destroy(&s.h.access, &s.info), 0);
	s.h.no_start = true;
	assert_false(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_string_equal(s.report.error, "web: does not start: Invalid argument");
	assert_false(s.h.there[1]);
	finish(&s);
}

/* What cannot be kept is not made: here its place is taken. */
static void test_not_kept(void **state)
{
	char path[96];
	struct setup s;

	(void)state;
	start(&s, "web");
	snprintf(path, sizeof(path), "%s/1.json", s.folder);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_false(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_non_null(strstr(s.report.error, "/1.json: Is a directory"));
	assert_false(s.h.there[1]);
	strcat(path, ".new");
	assert_int_equal(access(path, F_OK), -1);
	finish(&s);
}

static void test_recall(void **state)
{
	struct config config;
	struct setup s;

	(void)state;
	start(&s, "web");
	s.config.memory = 80 << 20;
	s.config.memory_max = 96 << 20;
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_true(life_recall(&s.info, &config, &s.report));
	assert_string_equal(config.uuid, s.config.uuid);
	assert_int_equal(config.memory_max, 96 << 20);
	config_free(&config);
	assert_true(life_rename(&s.info, "other", &s.report));
	assert_true(life_recall(&s.info, &config, &s.report));
	assert_string_equal(config.name, "other");
	config_free(&config);
	/* Another domain that has its number now. */
	s.info.serial++;
	assert_false(life_recall(&s.info, &config, &s.report));
	assert_string_equal(s.report.error, "web: its configuration is not known");
	config_free(&config);
	s.info.serial--;
	assert_int_equal(life_destroy(&s.h.access, &s.info), 0);
	assert_false(life_recall(&s.info, &config, &s.report));
	config_free(&config);
	finish(&s);
}

static void test_ends(void **state)
{
	static const struct {
		uint32_t state, reason;
		enum life_result result;
	} ends[] = {
		{ RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_POWEROFF, LIFE_REMOVED },
		{ RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_REBOOT, LIFE_RESTARTED },
		{ RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_CRASH, LIFE_PRESERVED },
		{ RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH, LIFE_PRESERVED },
		{ RF_DOMAIN_RUNNING, 0, LIFE_OTHERS },
		{ RF_DOMAIN_DYING, 0, LIFE_OTHERS },
	};
	struct setup s;

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		uint64_t serial;

		start(&s, "web");
		s.config.on_crash = ACTION_PRESERVE;
		assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
		serial = s.info.serial;
		end(&s, ends[i].state, ends[i].reason);
		s.h.dying = 2;
		assert_int_equal(life_end(&s.h.access, &s.info, &s.report), ends[i].result);
		assert_int_equal(s.h.there[1], ends[i].result != LIFE_REMOVED);
		if (ends[i].result == LIFE_RESTARTED) {
			assert_true(s.info.serial > serial);
			assert_int_equal(s.h.domains[s.info.domain].state, RF_DOMAIN_RUNNING);
			assert_string_equal(s.h.domains[s.info.domain].name, "web");
		}
		finish(&s);
	}
}

/* Somebody else was faster, and has made it again. */
static void test_others(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	s.h.domains[1].serial++;
	end(&s, RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_REBOOT);
	assert_int_equal(life_end(&s.h.access, &s.info, &s.report), LIFE_OTHERS);
	assert_int_equal(s.h.domains[1].state, RF_DOMAIN_SHUTDOWN);
	finish(&s);
}

/* It cannot be made again: the old one is gone, and nothing half-made is there. */
static void test_restart_fails(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	end(&s, RF_DOMAIN_SHUTDOWN, RF_SHUTDOWN_REBOOT);
	assert_int_equal(unlink(s.config.kernel), 0);
	assert_int_equal(life_end(&s.h.access, &s.info, &s.report), LIFE_FAILED);
	assert_non_null(strstr(s.report.error, "/kernel: No such file"));
	assert_false(s.h.there[1]);
	finish(&s);
}

/* It is its maker's until all of it is there; what cannot be kept is not left. */
static void test_kept_last(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	s.h.no_start = true;
	assert_false(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_int_equal(s.h.kept, 0);
	s.h.no_start = false;
	s.h.no_keep = true;
	memset(&s.report, 0, sizeof(s.report));
	assert_false(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_non_null(strstr(s.report.error, "web: cannot be kept: "));
	assert_false(s.h.there[1]);
	s.h.no_keep = false;
	assert_true(life_create(&s.h.access, &s.config, false, &s.info, &s.report));
	assert_int_equal(s.h.kept, s.info.domain);
	finish(&s);
}

static bool has_file(const struct setup *s, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	return !access(path, F_OK);
}

static void write_file(const struct setup *s, const char *name, const char *text)
{
	char path[96];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", s->folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Of domains that are gone, or others now; and nothing else. */
static void test_sweep(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_int_equal(life_sweep(&s.h.access), 0);
	write_file(&s, "5.json", "{ \"serial\": 77, \"config\": { \"uuid\": \"x\" } }");
	write_file(&s, "6.json", "half of somethi");
	write_file(&s, "6.json.new", "");
	write_file(&s, "block-5-0.log", "");
	assert_int_equal(life_sweep(&s.h.access), 2);
	assert_true(has_file(&s, "1.json") && has_file(&s, "6.json.new"));
	assert_false(has_file(&s, "5.json") || has_file(&s, "6.json"));
	/* The same number, another domain. */
	s.h.domains[1].serial += 5;
	assert_int_equal(life_sweep(&s.h.access), 1);
	assert_false(has_file(&s, "1.json"));
	/* Making one does it as well. */
	write_file(&s, "7.json", "{}");
	s.h.there[1] = false;
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_false(has_file(&s, "7.json"));
	finish(&s);
}

static void test_wait(void **state)
{
	struct setup s;

	(void)state;
	start(&s, "web");
	assert_true(life_create(&s.h.access, &s.config, true, &s.info, &s.report));
	assert_int_equal(domain_wait(&s.h.access, &s.info, 0), -ETIMEDOUT);
	end(&s, RF_DOMAIN_CRASHED, RF_SHUTDOWN_CRASH);
	assert_int_equal(domain_wait(&s.h.access, &s.info, 0), 0);
	assert_string_equal(domain_state(&s.info), "crashed");
	s.h.dying = 1000;
	assert_int_equal(domain_destroy(&s.h.access, &s.info, 0), -ETIMEDOUT);
	s.h.there[1] = false;
	assert_int_equal(domain_destroy(&s.h.access, &s.info, 0), 0);
	assert_int_equal(domain_wait(&s.h.access, &s.info, 0), 0);
	finish(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),	 cmocka_unit_test(test_one_name),
		cmocka_unit_test(test_recall),	 cmocka_unit_test(test_ends),
		cmocka_unit_test(test_others),	 cmocka_unit_test(test_restart_fails),
		cmocka_unit_test(test_wait),	 cmocka_unit_test(test_start),
		cmocka_unit_test(test_not_kept), cmocka_unit_test(test_kept_last),
		cmocka_unit_test(test_sweep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
