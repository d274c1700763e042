// SPDX-License-Identifier: BSD-2-Clause
/*
 * The page of metrics, in the text format of Prometheus: counters end in _total, units are seconds and bytes, a domain
 * has the labels `domain`, its name, and `id`, its number.
 *
 * Interface: metrics.h. Locks: its own, held to put the page in place, and to copy it.
 * Odd: what was never counted is left out, or a guest would have some ninety lines.
 */
#include "toolstack/rfd/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi/version.h"
#include "toolstack/lib/counters.h"
#include "toolstack/lib/disk.h"
#include "toolstack/lib/domain.h"
#include "toolstack/lib/net.h"
#include "toolstack/lib/status.h"
#include "toolstack/rfd/daemon.h"
#include "toolstack/rfd/log.h"
#include "toolstack/rfd/metrics_device.h"

#define PAGE 4096

/* A domain as it was when we looked. */
struct sample {
	struct rf_domain_info info;
	struct rf_counters sum;
	struct rf_counters *vcpus; /* so many as it has */
};

struct page {
	FILE *out;
	struct sample *samples;
	size_t count;
};

/* --- Looking --- */

static bool take_sample(struct access *access, const struct rf_domain_info *info,
			struct sample *sample)
{
	*sample = (struct sample){ .info = *info };
	sample->vcpus = calloc(info->vcpus, sizeof(*sample->vcpus));
	for (uint32_t v = 0; sample->vcpus && v < info->vcpus; v++)
		domain_counters(access, info->domain, v, &sample->vcpus[v]);
	if (sample->vcpus && !counters_sum(access, info, &sample->sum))
		return true;
	free(sample->vcpus);
	return false;
}

static void take_samples(struct access *access, struct page *page)
{
	struct rf_domain_info info;

	for (uint32_t n = 0; domain_next(access, n, &info); n = info.domain + 1) {
		struct sample *larger = realloc(page->samples, (page->count + 1) * sizeof(*larger));

		if (!larger)
			return;
		page->samples = larger;
		page->count += take_sample(access, &info, &larger[page->count]);
	}
}

/* --- Writing --- */

static void head(struct page *page, const char *name, const char *type, const char *help)
{
	fprintf(page->out, "# HELP ringfence_%s %s\n# TYPE ringfence_%s %s\n", name, help, name,
		type);
}

static void one(struct page *page, const char *name, const char *help, double value)
{
	head(page, name, "gauge", help);
	fprintf(page->out, "ringfence_%s %.15g\n", name, value);
}

static void labels(struct page *page, const char *name, const struct rf_domain_info *info)
{
	fprintf(page->out, "ringfence_%s{domain=\"%s\",id=\"%u\"", name, info->name, info->domain);
}

static void write_node(struct page *page)
{
	const struct rf_domain_info *info = page->count ? &page->samples[0].info : NULL;

	head(page, "build_info", "gauge", "The versions of rfd and of its ABI.");
	fprintf(page->out, "ringfence_build_info{version=\"" RF_VERSION "\",abi=\"%d\"} 1\n",
		RF_ABI_VERSION);
	one(page, "domains", "Domains that are there.", (double)page->count);
	if (!info)
		return;
	one(page, "node_cpus", "Processors of the machine.", info->machine_cpus);
	one(page, "node_memory_bytes", "Memory of the machine.",
	    (double)info->machine_frames * PAGE);
	one(page, "node_memory_free_bytes", "Memory that no domain has.",
	    (double)info->machine_frames_free * PAGE);
}

/* --- Domains: a number each --- */

static double memory(const struct sample *s)
{
	return (double)s->info.frames * PAGE;
}

static double memory_max(const struct sample *s)
{
	return (double)s->info.frames_max * PAGE;
}

static double shadow(const struct sample *s)
{
	return (double)s->info.shadow_frames * PAGE;
}

static double shadow_used(const struct sample *s)
{
	return (double)s->info.shadow_frames_used * PAGE;
}

static double vcpus(const struct sample *s)
{
	return s->info.vcpus;
}

static double vcpus_up(const struct sample *s)
{
	return s->info.vcpus_up;
}

static double weight(const struct sample *s)
{
	return s->info.weight;
}

static double cap(const struct sample *s)
{
	return s->info.cap / 100.0;
}

static double cpu_seconds(const struct sample *s)
{
	return (double)s->info.run_ns / 1e9;
}

static double console_bytes(const struct sample *s)
{
	return (double)s->info.console_bytes;
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	double (*value)(const struct sample *sample);
} numbers[] = {
	{ "domain_memory_bytes", "gauge", "Memory that it has.", memory },
	{ "domain_memory_max_bytes", "gauge", "Memory that it may have.", memory_max },
	{ "domain_shadow_bytes", "gauge", "Memory set aside for its shadow page tables.", shadow },
	{ "domain_shadow_used_bytes", "gauge", "Of that, what is in use.", shadow_used },
	{ "domain_vcpus", "gauge", "Its virtual processors.", vcpus },
	{ "domain_vcpus_up", "gauge", "Of these, how many it has started.", vcpus_up },
	{ "domain_weight", "gauge", "Its share of the processors, relative to others.", weight },
	{ "domain_cap_ratio", "gauge", "Most that each virtual one may run of a processor; 0: all.",
	  cap },
	{ "domain_cpu_seconds_total", "counter", "Time that it ran.", cpu_seconds },
	{ "domain_console_bytes_total", "counter", "What it has printed.", console_bytes },
};

static void write_numbers(struct page *page)
{
	for (size_t n = 0; n < sizeof(numbers) / sizeof(numbers[0]); n++) {
		head(page, numbers[n].name, numbers[n].type, numbers[n].help);
		for (size_t i = 0; i < page->count; i++) {
			labels(page, numbers[n].name, &page->samples[i].info);
			fprintf(page->out, "} %.15g\n", numbers[n].value(&page->samples[i]));
		}
	}
}

static void write_states(struct page *page)
{
	head(page, "domain_state", "gauge", "1, for the state that it is in.");
	for (size_t i = 0; i < page->count; i++) {
		labels(page, "domain_state", &page->samples[i].info);
		fprintf(page->out, ",state=\"%s\"} 1\n", domain_state(&page->samples[i].info));
	}
}

/* --- Counters with names --- */

static const struct kind {
	const char *kind; /* as counters.h has it */
	const char *name;
	const char *label;
	const char *help;
} kinds[] = {
	{ "entry", "domain_entries_total", "reason", "Entries into the hypervisor." },
	{ "hypercall", "domain_hypercalls_total", "call", "Hypercalls that it made." },
	{ "work", "domain_work_total", "work", "What was done for it in the hypervisor." },
};

struct visit {
	struct page *page;
	const struct kind *kind;
	const struct sample *sample;
};

static void write_counter(void *context, const char *kind, const char *name, uint64_t count)
{
	const struct visit *v = context;

	if (!count || strcmp(kind, v->kind->kind))
		return;
	labels(v->page, v->kind->name, &v->sample->info);
	fprintf(v->page->out, ",%s=\"%s\"} %llu\n", v->kind->label, name,
		(unsigned long long)count);
}

static void write_counters(struct page *page)
{
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		head(page, kinds[k].name, "counter", kinds[k].help);
		for (size_t i = 0; i < page->count; i++) {
			struct visit visit = { page, &kinds[k], &page->samples[i] };

			counters_each(&page->samples[i].sum, write_counter, &visit);
		}
	}
}

/* --- Virtual processors --- */

static void write_vcpus(struct page *page, const char *name, const char *help, bool steal)
{
	head(page, name, "counter", help);
	for (size_t i = 0; i < page->count; i++) {
		const struct sample *s = &page->samples[i];

		for (uint32_t v = 0; v < s->info.vcpus; v++) {
			uint64_t ns = steal ? s->vcpus[v].steal_ns : s->vcpus[v].run_ns;

			labels(page, name, &s->info);
			fprintf(page->out, ",vcpu=\"%u\"} %.15g\n", v, (double)ns / 1e9);
		}
	}
}

/* --- Disks and networks --- */

static void name_guests(const struct page *page, json_t *rows)
{
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row) {
		json_int_t domain = json_integer_value(json_object_get(row, "domain"));

		for (size_t s = 0; s < page->count; s++)
			if (page->samples[s].info.domain == domain)
				json_object_set_new(row, "guest",
						    json_string(page->samples[s].info.name));
	}
}

/* Without a store there are none. */
static void write_devices(struct page *page)
{
	struct report ignored = { .warnings = 0 };
	json_t *disks = device_list_all(&disk_class, &ignored);
	json_t *nets = device_list_all(&net_class, &ignored);

	name_guests(page, disks);
	name_guests(page, nets);
	metrics_write_devices(page->out, disks, nets);
	json_decref(disks);
	json_decref(nets);
}

/* --- The daemon itself --- */

static void write_daemon(struct page *page, struct daemon *daemon)
{
	uint64_t counts[EVENT_KINDS];

	event_count(&daemon->events, counts);
	head(page, "events_total", "counter", "What has happened since rfd has started.");
	for (enum event_kind kind = 0; kind < EVENT_KINDS; kind++)
		fprintf(page->out, "ringfence_events_total{event=\"%s\"} %llu\n", event_name(kind),
			(unsigned long long)counts[kind]);
}

/* The first thread has the helpers, and collects. */
static void write_helpers(struct page *page, const struct helper_table *table)
{
	head(page, "helper_up", "gauge", "1 if the helper runs.");
	for (size_t i = 0; i < table->count; i++)
		fprintf(page->out, "ringfence_helper_up{helper=\"%s\"} %d\n",
			table->helpers[i].name, table->helpers[i].file >= 0);
	head(page, "helper_starts_total", "counter", "How often rfd has started the helper.");
	for (size_t i = 0; i < table->count; i++)
		fprintf(page->out, "ringfence_helper_starts_total{helper=\"%s\"} %llu\n",
			table->helpers[i].name, (unsigned long long)table->helpers[i].starts);
}

/* --- The page --- */

static void write_page(struct page *page, struct daemon *daemon)
{
	write_node(page);
	write_states(page);
	write_numbers(page);
	write_counters(page);
	write_vcpus(page, "vcpu_cpu_seconds_total", "Time that a virtual processor ran.", false);
	write_vcpus(page, "vcpu_steal_seconds_total", "Time that it was ready and did not run.",
		    true);
	write_devices(page);
	write_daemon(page, daemon);
	write_helpers(page, &daemon->helpers);
}

static void put(struct metrics *metrics, char *text, size_t size)
{
	pthread_mutex_lock(&metrics->lock);
	free(metrics->text);
	metrics->text = text;
	metrics->size = size;
	pthread_mutex_unlock(&metrics->lock);
}

void metrics_collect(struct daemon *daemon)
{
	struct report report = { .warnings = 0 };
	struct page page = { .count = 0 };
	struct access access;
	char *text = NULL;
	size_t size;

	if (!daemon->open(&access, &report)) {
		log_line("%s", report.error);
		return;
	}
	take_samples(&access, &page);
	access_close(&access);
	page.out = open_memstream(&text, &size);
	if (page.out) {
		write_page(&page, daemon);
		fclose(page.out);
		put(&daemon->metrics, text, size);
	}
	for (size_t i = 0; i < page.count; i++)
		free(page.samples[i].vcpus);
	free(page.samples);
}

char *metrics_copy(struct metrics *metrics, size_t *size)
{
	char *copy;

	pthread_mutex_lock(&metrics->lock);
	*size = metrics->size;
	copy = malloc(metrics->size + 1);
	if (copy && metrics->size)
		memcpy(copy, metrics->text, metrics->size);
	pthread_mutex_unlock(&metrics->lock);
	return copy;
}

void metrics_open(struct metrics *metrics)
{
	memset(metrics, 0, sizeof(*metrics));
	pthread_mutex_init(&metrics->lock, NULL);
}

void metrics_close(struct metrics *metrics)
{
	free(metrics->text);
	pthread_mutex_destroy(&metrics->lock);
}
