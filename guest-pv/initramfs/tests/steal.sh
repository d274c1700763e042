#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# With rf.steal on the kernel's command line: there are fewer processors than this kernel has, and it knows
# that a part of the time is not its own.
set -eu
grep -qw rf.steal /proc/cmdline || exit 77

# stolen: hundredths of a second, of all processors.
stolen() {
	awk '$1 == "cpu" { print $9 }' /proc/stat
}

before=$(stolen)
for cpu in $(sed -n 's/^processor.*: //p' /proc/cpuinfo); do
	timeout 3 taskset -c "$cpu" sh -c 'while :; do :; done' &
done
wait
took=$(($(stolen) - before))
[ $took -ge 50 ] || {
	echo "steal: only $took hundredths of a second were stolen"
	exit 1
}
