#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1200
# The kernel that runs under the hypervisor still starts on a bare machine, from bzImage and from vmlinux,
# and passes the checks of the RAM disk there: the patches break nothing.
set -u
cd "$(dirname "$0")/../.."
linux=${O:-build}/linux
failures=0

# boots FILE CPUS MEGABYTES QEMU-ARGUMENT...
boots() {
	local file=$1 cpus=$2 memory=$3 output
	shift 3
	output=$(timeout 500 qemu-system-x86_64 -accel tcg -cpu max -smp "$cpus" -m "$memory" -nodefaults \
		-display none -no-reboot -serial stdio -kernel "$linux/$file" -initrd "$linux/initrd.gz" \
		-append "console=ttyS0 panic=-1 rf.test rf.cpus=$cpus" "$@" </dev/null 2>&1 | tr -d '\r')
	if grep -qa '^RINGFENCE-LINUX-UP' <<<"$output" && grep -qaE 'RESULT: SUCCESS$' <<<"$output"; then
		echo "ok: $file, $cpus processors, $memory MiB $*"
		grep -aE '^(ok|skipped) |^RINGFENCE' <<<"$output"
	else
		printf '%s with %s processors, %s MiB %s:\n%s\n' "$file" "$cpus" "$memory" "$*" "$output"
		failures=$((failures + 1))
	fi
}

boots bzImage 1 256 -machine pc
boots vmlinux 2 512 -machine q35
[ "$failures" = 0 ]
