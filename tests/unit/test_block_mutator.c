// SPDX-License-Identifier: BSD-2-Clause
/* What test_block_race does, under the address sanitizer and that for undefined behaviour. */
#include "test_block_race.c"
