// SPDX-License-Identifier: BSD-2-Clause
/*
 * Counts of disks and networks, as their back ends have written them to the store.
 *
 * Interface: metrics_device.h. Locks: none.
 */
#include "toolstack/rfd/metrics_device.h"

#include <string.h>

struct count {
	const char *key; /* in the row's statistics */
	const char *name;
	const char *reason; /* why it was lost, if one name has several */
	const char *help;
};

static const struct count disk_counts[] = {
	{ "reads", "disk_reads_total", NULL, "Requests to read." },
	{ "read-bytes", "disk_read_bytes_total", NULL, "What was read." },
	{ "writes", "disk_writes_total", NULL, "Requests to write." },
	{ "written-bytes", "disk_written_bytes_total", NULL, "What was written." },
	{ "flushes", "disk_flushes_total", NULL, "Requests to make what was written safe." },
	{ "discards", "disk_discards_total", NULL, "Requests to give space back." },
	{ "errors", "disk_errors_total", NULL, "Requests that failed." },
	{ "under-way", "disk_requests_under_way", NULL, "Requests that were not answered yet." },
	{ NULL, NULL, NULL, NULL },
};

static const struct count net_counts[] = {
	{ "sent", "net_sent_packets_total", NULL, "Packets from the guest." },
	{ "sent-bytes", "net_sent_bytes_total", NULL, "What they had in them." },
	{ "received", "net_received_packets_total", NULL, "Packets to the guest." },
	{ "received-bytes", "net_received_bytes_total", NULL, "What they had in them." },
	{ "no-buffer", "net_dropped_packets_total", "no-buffer",
	  "Packets that did not get there." },
	{ "unfit", "net_dropped_packets_total", "unfit", NULL },
	{ "lost", "net_dropped_packets_total", "lost", NULL },
	{ "refused", "net_dropped_packets_total", "refused", NULL },
	{ "invalid", "net_dropped_packets_total", "invalid", NULL },
	{ NULL, NULL, NULL, NULL },
};

static void write_row(FILE *out, const char *device, const struct count *count, const json_t *row)
{
	const json_t *value = json_object_get(json_object_get(row, "statistics"), count->key);
	const char *guest = json_string_value(json_object_get(row, "guest"));

	if (!value || !guest)
		return;
	fprintf(out, "ringfence_%s{domain=\"%s\",id=\"%lld\",%s=\"%lld\"", count->name, guest,
		(long long)json_integer_value(json_object_get(row, "domain")), device,
		(long long)json_integer_value(json_object_get(row, "id")));
	if (count->reason)
		fprintf(out, ",reason=\"%s\"", count->reason);
	fprintf(out, "} %lld\n", (long long)json_integer_value(value));
}

/* What goes down again, too, is no counter. */
static const char *type_of(const char *name)
{
	size_t length = strlen(name);

	return length > 6 && !strcmp(name + length - 6, "_total") ? "counter" : "gauge";
}

static void write_class(FILE *out, const char *device, const struct count *counts,
			const json_t *rows)
{
	const json_t *row;
	size_t i;

	for (; counts->key; counts++) {
		if (counts->help)
			fprintf(out, "# HELP ringfence_%s %s\n# TYPE ringfence_%s %s\n",
				counts->name, counts->help, counts->name, type_of(counts->name));
		json_array_foreach((json_t *)rows, i, row)
			write_row(out, device, counts, row);
	}
}

void metrics_write_devices(FILE *out, const json_t *disks, const json_t *nets)
{
	write_class(out, "disk", disk_counts, disks);
	write_class(out, "net", net_counts, nets);
}
