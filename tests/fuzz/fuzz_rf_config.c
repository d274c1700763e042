// SPDX-License-Identifier: BSD-2-Clause
/*
 * Any bytes as a guest's configuration, JSON or xl.cfg: either an error that names the file, or something that
 * reads as the same when it is written as JSON.
 *
 * options: -runs=20000 -max_len=400 -only_ascii=0
 * full-options: -max_total_time=600 -max_len=4000
 */
#include <stdlib.h>
#include <string.h>

#include "toolstack/lib/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct config *config)
{
	struct report report = { .warnings = 0 };
	json_t *first = config_to_json(config), *second;
	char *text = json_dumps(first, 0);
	struct config again;

	config_init(&again);
	if (!text || !config_parse("again", text, strlen(text), &again, &report))
		abort();
	second = config_to_json(&again);
	if (!json_equal(first, second))
		abort();
	json_decref(first);
	json_decref(second);
	free(text);
	config_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report report = { .warnings = 0 };
	struct config config;

	config_init(&config);
	if (config_parse("fuzz", (const char *)data, size, &config, &report))
		check_again(&config);
	else if (strncmp(report.error, "fuzz:", 5) || strchr(report.error, '\n'))
		abort();
	config_free(&config);
	return 0;
}
