#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Time goes on, and not backwards, on every processor; sleeping takes about as long as was asked for.
set -eu

fail() {
	echo "clock: $*"
	exit 1
}

# Hundredths of a second since the start.
now() {
	awk '{ print int($1 * 100 + 0.5) }' /proc/uptime
}

start=$(now)
sleep 1
took=$(($(now) - start))
[ $took -ge 99 ] || fail "sleeping for 1 second took $took hundredths"
[ $took -le 1000 ] || fail "sleeping for 1 second took $took hundredths"

last=$(now)
processors=$(sed -n 's/^processor.*: //p' /proc/cpuinfo)
for round in 1 2 3 4 5; do
	for cpu in $processors; do
		this=$(taskset -c "$cpu" awk '{ print int($1 * 100 + 0.5) }' /proc/uptime)
		[ "$this" -ge "$last" ] || fail "on processor $cpu it is $this after $last"
		last=$this
	done
done

start=$(now)
got=0
timeout 1 sleep 60 || got=$?
[ $got != 0 ] || fail 'timeout did not end a process'
[ $(($(now) - start)) -lt 3000 ] || fail 'timeout took half a minute'
