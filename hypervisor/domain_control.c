// SPDX-License-Identifier: BSD-2-Clause
/*
 * The hypercalls about domains: what is known of them, and what the control domain does with others.
 *
 * Interface: domain_control.h, abi/domain.h. The life of domains is in domain.c.
 * Locks: the domain's lock around changes of its start, its name and its requests; what performs takes
 * the others.
 * Odd: who may call is in abi/hypercalls.def. The control domain's own affairs are refused here.
 */
#include "domain_control.h"

#include "bitmap.h"
#include "cpu.h"
#include "domain.h"
#include "guest_access.h"
#include "interrupt.h"
#include "string.h"
#include "vcpu.h"
#include "abi/console.h"
#include "abi/errno.h"

/* A reference to a domain that is not the control domain. */
static int find_other(uint64_t id, struct domain **d)
{
	*d = domain_find(id);
	if (!*d)
		return -ESRCH;
	if (!(*d)->control)
		return 0;
	domain_put(*d);
	return -EINVAL;
}

/* --- Looking --- */

static void describe_vcpus(struct domain *d, struct rf_domain_info *info)
{
	for (uint32_t i = 0; i < d->vcpu_count; i++) {
		struct vcpu *v = d->vcpus[i];
		uint64_t run_ns, steal_ns;

		sched_times(v, &run_ns, &steal_ns);
		info->run_ns += run_ns;
		info->vcpus_up += __atomic_load_n(&v->sched.state, __ATOMIC_RELAXED) != SCHED_DOWN;
	}
	info->weight = d->vcpus[0]->sched.weight;
	info->cap = d->vcpus[0]->sched.cap;
}

static void describe_machine(struct rf_domain_info *info)
{
	info->machine_frames = frame_total;
	info->machine_frames_free = frame_free_count();
	info->machine_cpus = cpu_count;
	info->machine_tsc_khz = arch_tsc_khz();
}

static void describe_locked(struct domain *d, struct rf_domain_info *info)
{
	info->state = d->state;
	info->reason = d->reason;
	info->request = d->request;
	info->requests = d->requests;
	memcpy(info->name, d->name, sizeof(info->name));
}

static void describe(struct domain *d, struct rf_domain_info *info)
{
	const struct shadow_pool *pool = &d->shadow.pool;

	memset(info, 0, sizeof(*info));
	spin_lock(&d->lock);
	describe_locked(d, info);
	spin_unlock(&d->lock);
	info->domain = d->id;
	info->serial = d->serial;
	info->vcpus = d->vcpu_count;
	info->control = d->control;
	info->frames = d->memory.frames;
	info->frames_max = d->memory.frames_max;
	info->shadow_frames = pool->frames;
	info->shadow_frames_used = pool->frames - pool->available;
	info->console_bytes = __atomic_load_n(&d->output.end, __ATOMIC_RELAXED);
	describe_vcpus(d, info);
}

/* Between RF_DOMAIN_NEXT and the highest that it can be with a number. */
static bool is_next(uint64_t id)
{
	return id - RF_DOMAIN_NEXT < DOMAIN_MAX;
}

int64_t do_domain_info(uint64_t id, uint64_t to)
{
	struct domain *self = domain_current();
	struct rf_domain_info info;
	struct domain *d;

	if (!self->control && id != RF_DOMAIN_SELF && id != self->id)
		return -EPERM;
	d = is_next(id) ? domain_find_next(id - RF_DOMAIN_NEXT) : domain_find(id);
	if (!d)
		return -ESRCH;
	describe(d, &info);
	domain_put(d);
	if (self->control)
		describe_machine(&info);
	return copy_to_guest(to, &info, sizeof(info));
}

/* --- Making and ending --- */

static bool is_name_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_' || c == '.';
}

/* And nothing after it. */
static bool is_name(const char *name)
{
	size_t length = 0;

	while (length < RF_DOMAIN_NAME_SIZE && is_name_character(name[length]))
		length++;
	if (length == 0 || length == RF_DOMAIN_NAME_SIZE)
		return false;
	for (size_t i = length; i < RF_DOMAIN_NAME_SIZE; i++)
		if (name[i])
			return false;
	return true;
}

static bool config_is_valid(const struct rf_domain_config *config)
{
	for (unsigned i = 0; i < sizeof(config->reserved) / sizeof(config->reserved[0]); i++)
		if (config->reserved[i])
			return false;
	return is_name(config->name) && config->vcpus > 0 && config->vcpus <= RF_MAX_VCPUS &&
	       !(config->flags & ~(uint32_t)RF_CREATE_SERIAL) && config->frames_max > 0 &&
	       config->frames_max <= RF_CREATE_FRAMES_MAX &&
	       config->shadow_frames <= RF_CREATE_SHADOW_FRAMES;
}

static uint64_t shadow_frames(const struct rf_domain_config *config)
{
	uint64_t frames = domain_shadow_default(config->frames_max);

	if (config->shadow_frames)
		return config->shadow_frames;
	return frames < RF_CREATE_SHADOW_FRAMES ? frames : RF_CREATE_SHADOW_FRAMES;
}

static int64_t create(const struct rf_domain_config *config)
{
	struct domain_config plan = {
		.paused = true,
		.on_serial = config->flags & RF_CREATE_SERIAL,
		.vcpus = config->vcpus,
		.frames = config->frames_max,
		.shadow_frames = shadow_frames(config),
	};
	const struct domain *d;
	const char *error;

	memcpy(plan.name, config->name, sizeof(plan.name));
	d = domain_create(&plan, &error);
	if (!d) {
		log_info("(%s) domain not created: %s", plan.name, error);
		return -ENOMEM;
	}
	/* The only domain that could destroy it does so on another vCPU: the structure stays. */
	return d->id;
}

int64_t do_domain_create(uint64_t config)
{
	struct rf_domain_config copy;

	if (copy_from_guest(&copy, config, sizeof(copy)))
		return -EFAULT;
	return config_is_valid(&copy) ? create(&copy) : -EINVAL;
}

int64_t do_domain_destroy(uint64_t id)
{
	struct domain *d;
	int error = find_other(id, &d);

	if (error)
		return error;
	error = domain_destroy(d);
	domain_put(d);
	return error;
}

/* --- Setting --- */

static bool share_is_valid(const struct rf_domain_set *set)
{
	if ((set->mask & RF_SET_WEIGHT) &&
	    (set->weight < SCHED_WEIGHT_MIN || set->weight > SCHED_WEIGHT_MAX))
		return false;
	return !(set->mask & RF_SET_CAP) || set->cap <= 100;
}

static bool affinity_is_valid(const struct domain *d, const struct rf_domain_set *set)
{
	uint64_t online = cpu_count < 64 ? bitmap_mask(cpu_count) - 1 : ~0ULL;

	if (!(set->mask & RF_SET_AFFINITY))
		return true;
	return (set->affinity & online) &&
	       (set->vcpu == RF_SET_EVERY_VCPU || set->vcpu < d->vcpu_count);
}

static bool memory_is_valid(const struct domain *d, const struct rf_domain_set *set)
{
	return !(set->mask & RF_SET_FRAMES_MAX) || memory_limit_is_valid(d, set->frames_max);
}

static bool set_is_valid(const struct domain *d, const struct rf_domain_set *set)
{
	if (set->mask & ~(uint32_t)RF_SET_ALL || set->reserved0)
		return false;
	for (unsigned i = 0; i < sizeof(set->reserved1) / sizeof(set->reserved1[0]); i++)
		if (set->reserved1[i])
			return false;
	if ((set->mask & RF_SET_NAME) && !is_name(set->name))
		return false;
	if ((set->mask & RF_SET_PAUSED) && set->paused > 1)
		return false;
	return share_is_valid(set) && affinity_is_valid(d, set) && memory_is_valid(d, set);
}

/* With the domain's lock. */
static int set_start(struct domain *d, const struct rf_domain_set *set)
{
	const struct rf_vcpu_context context = {
		.rip = set->entry,
		.rdi = set->argument,
		.root = set->root,
		.page = FRAME_NONE,
	};
	int error;

	if (d->started || d->state != RF_DOMAIN_PAUSED)
		return -EBUSY;
	error = vcpu_set_context(d->vcpus[0], &context);
	if (!error)
		shadow_set_kernel_root(d, set->root >> FRAME_SHIFT);
	return error;
}

static int may_set_paused(const struct domain *d, bool paused)
{
	if (d->state != RF_DOMAIN_PAUSED && d->state != RF_DOMAIN_RUNNING)
		return -EBUSY;
	return paused || d->vcpus[0]->initialized ? 0 : -EINVAL;
}

static int set_locked(struct domain *d, const struct rf_domain_set *set)
{
	int error = 0;

	if (d->state == RF_DOMAIN_DYING)
		return -ESRCH;
	if (set->mask & RF_SET_START)
		error = set_start(d, set);
	if (!error && (set->mask & RF_SET_PAUSED))
		error = may_set_paused(d, set->paused);
	if (!error && (set->mask & RF_SET_NAME))
		memcpy(d->name, set->name, sizeof(d->name));
	return error;
}

static void set_vcpu(struct vcpu *v, const struct rf_domain_set *set)
{
	if (set->mask & (RF_SET_WEIGHT | RF_SET_CAP))
		sched_set_share(v, set->mask & RF_SET_WEIGHT ? set->weight : v->sched.weight,
				set->mask & RF_SET_CAP ? set->cap : v->sched.cap);
	if ((set->mask & RF_SET_AFFINITY) && (set->vcpu == RF_SET_EVERY_VCPU || set->vcpu == v->id))
		sched_set_affinity(v, set->affinity);
}

static int64_t set(struct domain *d, const struct rf_domain_set *set)
{
	int error;

	if (!set_is_valid(d, set))
		return -EINVAL;
	spin_lock(&d->lock);
	error = set_locked(d, set);
	spin_unlock(&d->lock);
	if (error)
		return error;
	for (uint32_t i = 0; i < d->vcpu_count; i++)
		set_vcpu(d->vcpus[i], set);
	if (set->mask & RF_SET_FRAMES_MAX)
		memory_set_limit(d, set->frames_max);
	/* If it ends meanwhile, there is nothing to pause. */
	if (set->mask & RF_SET_PAUSED)
		(set->paused ? domain_pause : domain_unpause)(d);
	return 0;
}

int64_t do_domain_set(uint64_t id, uint64_t address)
{
	struct rf_domain_set copy;
	struct domain *d;
	int64_t result;

	if (copy_from_guest(&copy, address, sizeof(copy)))
		return -EFAULT;
	result = find_other(id, &d);
	if (result)
		return result;
	result = set(d, &copy);
	domain_put(d);
	return result;
}

/* --- Triggering --- */

static void request(struct domain *d, uint32_t what)
{
	spin_lock(&d->lock);
	d->request = what;
	d->requests++;
	spin_unlock(&d->lock);
	interrupt_post(d->vcpus[0], RF_VECTOR_CONSOLE);
}

/* Both, or neither: what is left over would be taken for a key of its own. */
static int64_t send_sysrq(struct domain *d, uint64_t key)
{
	const char keys[] = { RF_CONSOLE_BREAK, (char)key };

	if (key == 0 || key > 127)
		return -EINVAL;
	return console_input_put(d, keys, sizeof(keys), true) ? 0 : -EAGAIN;
}

static int64_t send_nmi(struct domain *d, uint64_t vcpu)
{
	struct vcpu *v;

	if (vcpu >= d->vcpu_count)
		return -EINVAL;
	v = d->vcpus[index_clamp(vcpu, d->vcpu_count)];
	if (__atomic_load_n(&v->sched.state, __ATOMIC_RELAXED) == SCHED_DOWN)
		return -EINVAL;
	interrupt_post(v, INTERRUPT_NMI);
	return 0;
}

/* Fewer when it has not read what came before. */
static int64_t send_input(struct domain *d, uint64_t text, uint64_t length)
{
	char bytes[RF_TRIGGER_INPUT_MAX];

	if (length > sizeof(bytes))
		return -E2BIG;
	if (copy_from_guest(bytes, text, length))
		return -EFAULT;
	return (int64_t)console_input_put(d, bytes, length, false);
}

static int64_t trigger(struct domain *d, uint64_t what, uint64_t argument, uint64_t length)
{
	uint32_t state = __atomic_load_n(&d->state, __ATOMIC_RELAXED);

	if (what >= RF_TRIGGERS || (length && what != RF_TRIGGER_INPUT))
		return -EINVAL;
	if (state != RF_DOMAIN_RUNNING && state != RF_DOMAIN_PAUSED)
		return -EBUSY;
	switch (what) {
	case RF_TRIGGER_SYSRQ:
		return send_sysrq(d, argument);
	case RF_TRIGGER_INPUT:
		return send_input(d, argument, length);
	case RF_TRIGGER_NMI:
		return send_nmi(d, argument);
	default:
		if (argument)
			return -EINVAL;
		request(d, (uint32_t)what);
		return 0;
	}
}

int64_t do_domain_trigger(uint64_t id, uint64_t what, uint64_t argument, uint64_t length)
{
	struct domain *d;
	int64_t result = find_other(id, &d);

	if (result)
		return result;
	result = trigger(d, what, argument, length);
	domain_put(d);
	return result;
}
