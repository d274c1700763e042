#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kernel has nothing to complain about. run-tests runs this one last.
found=$(dmesg | grep -E 'WARNING:|BUG:|BUG at|Oops|general protection fault[,:]|unchecked MSR|[Ss]purious|possible recursive|possible circular|inconsistent lock|soft lockup|hung task|rcu:.*stall|Call Trace|Unable to handle|unable to handle')
if [ -n "$found" ]; then
	echo "$found"
	exit 1
fi
