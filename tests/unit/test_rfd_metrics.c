// SPDX-License-Identifier: BSD-2-Clause
/* Metrics of disks and networks: a line for each count of each device, and for none what is not known. */
#include "unit.h"

#include "toolstack/rfd/metrics_device.h"

static char *written(const char *disks, const char *nets)
{
	json_t *first = json_loads(disks, 0, NULL), *second = json_loads(nets, 0, NULL);
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	metrics_write_devices(out, first, second);
	fclose(out);
	json_decref(first);
	json_decref(second);
	return text;
}

static void test_lines(void **state)
{
	static const char *const lines[] = {
		"# TYPE ringfence_disk_reads_total counter\n"
		"ringfence_disk_reads_total{domain=\"web\",id=\"3\",disk=\"1\"} 7\n",
		"# TYPE ringfence_disk_requests_under_way gauge\n"
		"ringfence_disk_requests_under_way{domain=\"web\",id=\"3\",disk=\"1\"} 2\n",
		"# TYPE ringfence_net_dropped_packets_total counter\n"
		"ringfence_net_dropped_packets_total{domain=\"web\",id=\"3\",net=\"0\",reason=\"no-buffer\"} 4\n"
		"ringfence_net_dropped_packets_total{domain=\"web\",id=\"3\",net=\"0\",reason=\"lost\"} 5\n",
		"ringfence_net_sent_bytes_total{domain=\"web\",id=\"3\",net=\"0\"} 9000000000\n",
	};
	char *text = written("[ { \"guest\": \"web\", \"domain\": 3, \"id\": 1,"
			     "\"statistics\": { \"reads\": 7, \"under-way\": 2 } } ]",
			     "[ { \"guest\": \"web\", \"domain\": 3, \"id\": 0, \"statistics\":"
			     "{ \"no-buffer\": 4, \"lost\": 5, \"sent-bytes\": 9000000000 } } ]");

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (!strstr(text, lines[i]))
			fail_msg("no %s in %s", lines[i], text);
	assert_null(strstr(text, "writes_total{"));
	free(text);
}

/* A guest that is gone meanwhile has no name; no store, no lists. */
static void test_nothing(void **state)
{
	char *text = written("[ { \"domain\": 3, \"id\": 1, \"statistics\": { \"reads\": 7 } } ]",
			     "null");

	(void)state;
	assert_null(strstr(text, "{"));
	assert_non_null(strstr(text, "# HELP ringfence_disk_reads_total "));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
