#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 7200
# The kernel with its own checks on (lockdep, DEBUG_VM, DEBUG_ENTRY, SLUB's), with
# functions traced and probed by the RAM disk, finds nothing wrong. At full length only: it is another build.
set -u
cd "$(dirname "$0")/../.."
build=${O:-build}
linux=$build/linux-debug
failures=0

if [ -z "${RF_FULL:-}" ]; then
	echo 'only at full length: a kernel has to be built for it'
	exit 77
fi
guest-pv/build-linux --config debug --output "$linux" || exit 1
guest-pv/initramfs/build --modules "$linux/modules" "$linux/initrd.gz" || exit 1

# boots CPUS MEGABYTES OPTIONS [ARGUMENT...]
boots() {
	local output status=0
	output=$(tests/vm --timeout 1800 --smp "$1" --mem "$2" --kernel "$linux/vmlinux" \
		--initrd "$linux/initrd.gz" --control "vcpus=$1" --hv-append 'console=raw' \
		--append "console=hvc0 panic=-1 rf.cpus=$1 $3" "${@:4}" </dev/null 2>&1) || status=$?
	if [ "$status" = 0 ] && grep -qaE 'RESULT: SUCCESS$' <<<"$output"; then
		echo "ok: $1 processors, $2 MiB, $3"
		grep -aE '^(ok|skipped) ' <<<"$output"
	else
		printf '%s processors, %s MiB, %s: status %s\n%s\n' "$1" "$2" "$3" "$status" "$output"
		failures=$((failures + 1))
	fi
}

boots 1 1024 rf.test
boots 2 1024 'rf.test rf.hotplug=30'
boots 4 2048 'rf.test rf.hotplug=30'
# Functions are changed while both processors run them; why in one thread says the check.
boots 2 1024 'rf.test=tracing rf.trace=all' --one-thread
[ "$failures" = 0 ]
