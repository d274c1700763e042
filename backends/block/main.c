// SPDX-License-Identifier: BSD-2-Clause
/* rf-block: the back end of one disk of one guest. docs/io.md describes the keys that it goes by. */
#include "backends/block/monitor.h"
#include "backends/common/program.h"

int main(int count, char **arguments)
{
	static const struct program program = {
		.name = "rf-block",
		.class = "block",
		.device = "disk",
		.source = "image",
		.first_user = 200000,
		.run = monitor_run,
	};

	return program_run(&program, count, arguments);
}
