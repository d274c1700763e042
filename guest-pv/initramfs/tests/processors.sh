#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Every processor runs processes and gets timer interrupts; those that can be are taken down and up again.
# rf.cpus=N on the kernel's command line: there must be so many.
set -eu

fail() {
	echo "processors: $*"
	exit 1
}

wanted=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^rf.cpus=//p')
online=$(grep -c '^processor' /proc/cpuinfo)
[ -z "$wanted" ] || [ "$online" = "$wanted" ] || fail "$online processors are online, not $wanted"

# on PROCESSOR: a process that is bound to it runs, sleeps and wakes there.
on() {
	[ "$(taskset -c "$1" sh -c 'usleep 20000; echo $(($(seq 1 500 | wc -l) + 1))')" = 501 ] ||
		fail "a process on processor $1 went wrong"
}

for cpu in $(sed -n 's/^processor.*: //p' /proc/cpuinfo); do
	on "$cpu"
done

for switch in /sys/devices/system/cpu/cpu[0-9]*/online; do
	[ -w "$switch" ] || continue
	cpu=${switch%/online}
	cpu=${cpu##*cpu}
	[ "$cpu" != 0 ] || continue
	for round in 1 2 3; do
		echo 0 >"$switch" || fail "processor $cpu does not go down"
		[ "$(grep -c '^processor' /proc/cpuinfo)" = $((online - 1)) ] || fail "processor $cpu is still there"
		echo 1 >"$switch" || fail "processor $cpu does not come up again"
		on "$cpu"
	done
done
