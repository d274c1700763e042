// SPDX-License-Identifier: BSD-2-Clause
/* rf-block: the back end of one disk of one guest. docs/io.md describes the keys that it goes by. */
#include <string.h>

#include "backends/block/monitor.h"
#include "backends/block/server.h"
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

	if (count > 1 && strcmp(arguments[1], SERVER_WORD) == 0)
		return server_run(arguments + 2);
	return program_run(&program, count, arguments);
}
