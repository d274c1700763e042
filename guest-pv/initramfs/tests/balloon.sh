#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# A guest gives memory back and takes it again, in large pieces and in small ones; what is used meanwhile stays as it is.
set -eu
cd /sys/kernel/ringfence 2>/dev/null && [ -e target ] || exit 77

frames() {
	awk '$1 == "frames" { print $2 }' memory
}

# reach KIB: that is the target, and so much the domain has within ten seconds.
reach() {
	echo "$1" >target
	for attempt in $(seq 100); do
		[ "$(frames)" != $(($1 / 4)) ] || return 0
		sleep 0.1
	done
	echo "balloon: $(frames) frames, not the $(($1 / 4)) that are wanted"
	exit 1
}

begin=$(($(frames) * 4))
total=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
head -c 4000000 /dev/urandom >/tmp/balloon
sum=$(md5sum </tmp/balloon)
# 16 MiB; 2 MiB and a few pages more; and up again in other steps.
reach $((begin - 16384))
reach $((begin - 16384 - 2100))
less=$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)
[ $((total - less)) = $((16384 + 2100)) ] || {
	echo "balloon: MemTotal went from $total to $less"
	exit 1
}
reach $((begin - 4100))
reach "$begin"
[ "$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)" = "$total" ]
[ "$(md5sum </tmp/balloon)" = "$sum" ]
rm /tmp/balloon
# More than there can be is all that there can be; so little cannot be, and nobody is killed for it.
echo $((begin * 2)) >target
echo 4 >target
sleep 2
[ "$(frames)" -gt 4096 ] || {
	echo "balloon: $(frames) frames are left"
	exit 1
}
reach "$begin"
