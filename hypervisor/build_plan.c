// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the boot modules ask for: their roles, keys and headers, all checked before anything is
 * built.
 *
 * Interface: build_plan.h. Locks: none, one CPU at boot.
 */
#include "build_plan.h"

#include "boot.h"
#include "boot_info.h"
#include "cpu.h"
#include "printf.h"
#include "sched.h"
#include "string.h"
#include "abi/start_info.h"

#define MEMORY_DEFAULT (64ULL << 20)
#define MEMORY_MIN     (1ULL << 20)
#define MEMORY_MAX     (1ULL << 42)
#define VCPU_FRAMES    24 /* more than one vCPU takes: its structure, page, and vector registers */

struct build_plan build_plans[BOOT_MODULES_MAX];
uint32_t build_plan_count;
struct build_module build_modules[BOOT_MODULES_MAX];
uint32_t build_module_count;

uint64_t build_module_frames(const struct build_module *module)
{
	return (module->boot->size + FRAME_SIZE - 1) >> FRAME_SHIFT;
}

void build_module_move(struct build_module *module)
{
	unsigned order = 0;
	uint64_t mfn;

	while (1ULL << order < build_module_frames(module))
		order++;
	mfn = order <= FRAME_ORDER_MAX ? frame_alloc(order) : FRAME_NONE;
	if (mfn == FRAME_NONE)
		boot_refuse("%s: too little memory to move it (%lu KiB) out of the way",
			    module->boot->file_name, module->boot->size >> 10);
	memcpy(arch_frame_pointer(mfn), module->data, module->boot->size);
	module->data = arch_frame_pointer(mfn);
	module->moved = mfn;
	module->order = order;
}

uint64_t build_plan_overhead(const struct build_plan *plan)
{
	const struct domain_config *c = &plan->config;
	uint64_t shadow = c->shadow_frames, slots = c->frames / 512 * sizeof(uint64_t);

	if (!shadow)
		shadow = domain_shadow_default(c->frames);
	return shadow + SHADOW_POOL_MINIMUM + c->vcpus * VCPU_FRAMES +
	       frame_pointer_frames(sizeof(struct domain)) +
	       frame_pointer_frames(EVENT_TABLE_SIZE) +
	       (c->control ? 0 : frame_pointer_frames(slots + 1) + c->frames / 512);
}

/* --- Keys --- */

static _Noreturn void refuse_value(const struct build_plan *plan, const char *key,
				   const struct parse_word *value, const char *allowed)
{
	boot_refuse("%s: %s=%.*s: should be %s", plan->image->boot->file_name, key,
		    (int)value->length, value->text, allowed);
}

static uint64_t number(const struct build_plan *plan, const char *key,
		       const struct parse_word *value, uint64_t min, uint64_t max)
{
	char allowed[64];
	uint64_t result;

	snprintf(allowed, sizeof(allowed), "a number from %lu to %lu", min, max);
	if (!parse_number(value, max, &result) || result < min)
		refuse_value(plan, key, value, allowed);
	return result;
}

static void set_memory(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	uint64_t bytes;

	if (!parse_size(value, MEMORY_MAX, &bytes) || bytes < MEMORY_MIN || bytes % FRAME_SIZE)
		refuse_value(plan, key, value, "a size from 1M to 4096G, in whole pages of 4K");
	plan->config.frames = bytes >> FRAME_SHIFT;
}

static void set_shadow(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	uint64_t bytes;

	if (!parse_size(value, MEMORY_MAX, &bytes) || bytes < FRAME_SIZE || bytes % FRAME_SIZE)
		refuse_value(plan, key, value, "a size from 4K to 4096G, in whole pages of 4K");
	plan->config.shadow_frames = bytes >> FRAME_SHIFT;
}

static void set_vcpus(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	plan->config.vcpus = (uint32_t)number(plan, key, value, 1, RF_MAX_VCPUS);
}

static void set_weight(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	plan->config.weight =
		(uint32_t)number(plan, key, value, SCHED_WEIGHT_MIN, SCHED_WEIGHT_MAX);
}

static void set_cap(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	plan->config.cap = (uint32_t)number(plan, key, value, 0, 100);
}

static void set_cpus(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	char allowed[64];

	snprintf(allowed, sizeof(allowed), "a list of numbers below 64, one of them below %u",
		 cpu_count);
	if (!parse_list(value, &plan->config.affinity, 64) ||
	    plan->config.affinity << (64 - cpu_count) == 0)
		refuse_value(plan, key, value, allowed);
}

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

static void set_name(struct build_plan *plan, const char *key, const struct parse_word *value)
{
	bool good = value->length > 0;

	for (size_t i = 0; i < value->length; i++)
		good &= is_name_character(value->text[i]);
	if (!good || !parse_copy(value, plan->config.name, sizeof(plan->config.name)))
		refuse_value(plan, key, value,
			     "1 to 31 letters, digits, dots, dashes, underscores");
}

static const struct {
	const char *name;
	void (*set)(struct build_plan *plan, const char *key, const struct parse_word *value);
} keys[] = {
	{ "memory", set_memory }, { "vcpus", set_vcpus }, { "name", set_name },
	{ "weight", set_weight }, { "cap", set_cap },	  { "cpus", set_cpus },
	{ "shadow", set_shadow },
};

static void set_key(struct build_plan *plan, const struct parse_word *word)
{
	struct parse_word key, value;
	bool has_value = parse_key(word, &key, &value);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (!parse_equal(&key, keys[i].name))
			continue;
		if (!has_value)
			boot_refuse("%s: key %s has no value", plan->image->boot->file_name,
				    keys[i].name);
		keys[i].set(plan, keys[i].name, &value);
		return;
	}
	boot_refuse("%s: unknown key '%.*s': memory, vcpus, name, weight, cap, cpus, shadow, or -- "
		    "before the domain's own command line",
		    plan->image->boot->file_name, (int)word->length, word->text);
}

/* --- Modules --- */

static void read_text(struct build_plan *plan, const struct parse_words *words)
{
	plan->text = parse_rest(words);
	if (plan->text.length >= RF_COMMAND_LINE_SIZE)
		boot_refuse("%s: the domain's command line has %zu bytes, at most %u are possible",
			    plan->image->boot->file_name, plan->text.length,
			    RF_COMMAND_LINE_SIZE - 1);
}

static void set_defaults(struct build_plan *plan)
{
	struct domain_config *c = &plan->config;

	c->control = build_plan_count == 1;
	c->vcpus = 1;
	if (c->control) {
		string_copy(c->name, "control", sizeof(c->name));
		c->weight = SCHED_WEIGHT_CONTROL;
		return;
	}
	snprintf(c->name, sizeof(c->name), "domain-%u", build_plan_count - 1);
	c->frames = MEMORY_DEFAULT >> FRAME_SHIFT;
}

static void check_image(struct build_plan *plan)
{
	const struct build_module *image = plan->image;
	const char *error = guest_image_parse(image->data, image->boot->size, &plan->content);

	if (error)
		boot_refuse("%s: %s", image->boot->file_name, error);
	guest_layout_place(&plan->layout, &plan->content);
}

static void read_domain(struct build_module *module, struct parse_words *words)
{
	struct build_plan *plan = &build_plans[build_plan_count++];
	struct parse_word word;

	*plan = (struct build_plan){ .image = module };
	set_defaults(plan);
	while (parse_next(words, &word)) {
		if (parse_equal(&word, "--")) {
			read_text(plan, words);
			break;
		}
		set_key(plan, &word);
	}
	check_image(plan);
}

static void read_initrd(struct build_module *module, struct parse_words *words)
{
	const char *file = module->boot->file_name;
	struct build_plan *plan;
	struct parse_word word;

	if (build_plan_count == 0)
		boot_refuse("%s: an initrd before the first domain", file);
	plan = &build_plans[build_plan_count - 1];
	if (plan->initrd)
		boot_refuse("%s: %s has an initrd already, %s", file, plan->image->boot->file_name,
			    plan->initrd->boot->file_name);
	if (parse_next(words, &word))
		boot_refuse("%s: an initrd has no keys: '%.*s'", file, (int)word.length, word.text);
	plan->initrd = module;
}

static void read_module(const struct boot_module *boot)
{
	struct build_module *module = &build_modules[build_module_count++];
	const char *line = boot->command_line;
	struct parse_words words = parse_start(line, strlen(line));
	struct parse_word role = { .length = 0 };

	*module = (struct build_module){
		.boot = boot,
		.data = (const char *)arch_frame_pointer(boot->start >> FRAME_SHIFT) +
			boot->start % FRAME_SIZE,
		.moved = FRAME_NONE,
	};
	parse_next(&words, &role);
	if (parse_equal(&role, "domain"))
		read_domain(module, &words);
	else if (parse_equal(&role, "initrd"))
		read_initrd(module, &words);
	else
		boot_refuse("%s: role '%.*s': should be domain or initrd", boot->file_name,
			    (int)role.length, role.text);
}

void build_plan_read(const struct boot_info *boot)
{
	build_plan_count = 0;
	build_module_count = 0;
	for (uint32_t i = 0; i < boot->module_count; i++)
		read_module(&boot->modules[i]);
	if (build_plan_count == 0)
		boot_refuse("no module: nothing to run as the control domain");
}
