// SPDX-License-Identifier: BSD-2-Clause
/* What test_net_race does, under the address sanitizer and that for undefined behaviour. */
#include "test_net_race.c"
