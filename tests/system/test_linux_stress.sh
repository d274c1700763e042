#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 7200
# stress-ng under Linux as the control domain: every class that works on processes, memory, signals and
# time, and processes that eat all memory. After each the kernel must have warned about nothing, and the
# hypervisor recounts everything and compares each shadow entry with the page tables.
set -u
cd "$(dirname "$0")/../.."
linux=${O:-build}/linux
failures=0

disk=$(mktemp)
trap 'rm -f "$disk"' EXIT
guest-pv/initramfs/build --program /usr/bin/stress-ng --add guest-pv/initramfs/stress:/bin/stress "$disk" || exit 1

# stresses CPUS MEGABYTES SECONDS VM-ARGUMENT...
stresses() {
	local cpus=$1 memory=$2 seconds=$3 output status=0
	shift 3
	output=$(tests/vm --timeout 2300 --smp "$cpus" --mem "$memory" --kernel "$linux/vmlinux" --initrd "$disk" \
		--control "vcpus=$cpus" --hv-append 'console=raw' \
		--append "console=hvc0 quiet panic=-1 rf.run=/bin/stress rf.audit rf.seconds=$seconds" \
		"$@" </dev/null 2>&1) || status=$?
	if [ "$status" = 0 ] && grep -qaE 'RESULT: SUCCESS$' <<<"$output" &&
		[ "$(grep -ac ' operations in .*: ok' <<<"$output")" = 22 ]; then
		echo "ok: $cpus processors, $memory MiB, $seconds s a class $*"
		grep -aE ' operations in ' <<<"$output"
	else
		printf '%s processors, %s MiB %s: status %s\n%s\n' "$cpus" "$memory" "$*" "$status" "$output"
		failures=$((failures + 1))
	fi
}

if [ -n "${RF_FULL:-}" ]; then
	stresses 1 256 20
	stresses 2 512 20
	stresses 4 2048 20
else
	stresses 2 512 1
fi
[ "$failures" = 0 ]
