// SPDX-License-Identifier: BSD-2-Clause
/* Proves that a guest of this ABI version starts and is told that version. */
/* covers: version, shutdown */
#include "test.h"

const char test_title[] = "version";

void test_main(void)
{
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "version");
	/* A call with no arguments does not care what is in the registers. */
	CHECK_EQ(hv_call(RF_HYPERCALL_version, ~0UL, 1, 2, 3, 4, 5), RF_ABI_VERSION,
		 "version with arguments");
}
