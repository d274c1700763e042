// SPDX-License-Identifier: BSD-2-Clause
/* Proves that every number that is no hypercall gives -ENOSYS, whatever the arguments. */
/* covers: version */
#include "test.h"

const char test_title[] = "bad numbers";

static void number(uint64_t n)
{
	if (n < RF_HYPERCALLS)
		return;
	CHECK_EQ(hv_call(n, 0, 0, 0, 0, 0, 0), -ENOSYS, "%#lx", n);
	CHECK_EQ(hv_call(n, random_u64(), random_u64(), random_u64(), random_u64(), random_u64(),
			 random_u64()),
		 -ENOSYS, "%#lx", n);
}

void test_main(void)
{
	uint64_t i;

	for (i = RF_HYPERCALLS; i < 4096; i++)
		number(i);
	for (i = 0; i < 64; i++) {
		uint64_t j;

		/* Also numbers that are good ones in their low bits. */
		for (j = 0; j < RF_HYPERCALLS; j++)
			number((1UL << i) + j);
		number((1UL << i) - 1);
		number(-(1UL << i));
	}
	for (i = 0; i < 20000; i++)
		number(random_u64());
	CHECK_EQ(hv_version(), RF_ABI_VERSION, "still there");
}
