# SPDX-License-Identifier: BSD-2-Clause
# The library borrows hypervisor/lib/string.c, whose memcpy() must not become a call of memcpy().
GUEST_CFLAGS_lib := -fno-tree-loop-distribute-patterns
