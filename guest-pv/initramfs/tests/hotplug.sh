#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Processors are taken down and up while processes are started, memory is changed and files are copied on
# all of them. rf.hotplug=N on the kernel's command line: for so many seconds (default: 4).
set -eu
seconds=$(tr ' ' '\n' </proc/cmdline | sed -n 's/^rf.hotplug=//p')
switches=$(ls -d /sys/devices/system/cpu/cpu[1-9]*/online 2>/dev/null) || exit 77
all=$(grep -c '^processor' /proc/cpuinfo)
directory=$(mktemp -d /tmp/hotplug.XXXXXX)

fail() {
	echo "hotplug: $*"
	exit 1
}

# Processes end with a status that says whether all was as it should be.
load() {
	while [ ! -e "$directory/end" ]; do
		[ "$(seq 1 300 | cat | wc -l)" = 300 ] || exit 1
		(exit 7) && exit 1
		dd if=/dev/zero bs=64k count=8 2>/dev/null | tr '\0' "$1" | md5sum >"$directory/sum$1"
		[ ! -e "$directory/first$1" ] || cmp "$directory/sum$1" "$directory/first$1" || exit 1
		cp "$directory/sum$1" "$directory/first$1"
	done
}

loads=
for letter in a b c; do
	load $letter &
	loads="$loads $!"
done

rounds=0
end=$(($(cut -d . -f 1 /proc/uptime) + ${seconds:-4}))
while [ "$(cut -d . -f 1 /proc/uptime)" -lt $end ]; do
	for state in 0 1; do
		for switch in $switches; do
			echo $state >"$switch" || fail "$switch: $state is refused"
		done
	done
	rounds=$((rounds + 1))
done
touch "$directory/end"
for load in $loads; do
	wait "$load" || fail 'a process went wrong'
done
[ "$(grep -c '^processor' /proc/cpuinfo)" = "$all" ] || fail 'a processor is missing'
[ $rounds -gt 0 ] || fail 'not a single round'
echo "hotplug: $rounds rounds of $((all - 1)) processors"
rm -rf "$directory"
