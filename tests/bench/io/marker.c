// SPDX-License-Identifier: BSD-2-Clause
/*
 * marker begin|end: marks for the plugin, and the counters before and after (init's function `snapshot`). What this
 * program does itself lies outside of what is measured, but for its start and its end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/program/marker.h"

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "begin") == 0) {
		if (system("/bin/snapshot >/tmp/before") != 0)
			return 1;
		marker_emit(MARKER_START);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "end") == 0) {
		marker_emit(MARKER_STOP);
		return system("/bin/snapshot >/tmp/after") != 0;
	}
	fprintf(stderr, "usage: marker begin|end\n");
	return 64;
}
