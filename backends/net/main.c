// SPDX-License-Identifier: BSD-2-Clause
/* rf-net: the back end of one network interface of one guest. docs/io.md describes the keys that it goes by. */
#include "backends/net/monitor.h"
#include "backends/common/program.h"

int main(int count, char **arguments)
{
	static const struct program program = {
		.name = "rf-net",
		.class = "net",
		.device = "interface",
		.source = "tap",
		.first_user = 500000,
		.run = monitor_run,
	};

	return program_run(&program, count, arguments);
}
