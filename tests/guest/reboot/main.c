// SPDX-License-Identifier: BSD-2-Clause
/* Proves that a reboot asked for by the control domain is one. */
/* covers: shutdown */
/* status: 4 */
#include "test.h"

const char test_title[] = "reboot";

void test_main(void)
{
	printf("RESULT: SUCCESS\n");
	hv_shutdown(RF_SHUTDOWN_REBOOT);
	CHECK(false, "survived");
}
