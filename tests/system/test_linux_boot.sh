#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 2400
# Linux as the control domain of the hypervisor: up, every check of the RAM disk passes, powers off; and
# a shell that is typed at.
set -u
cd "$(dirname "$0")/../.."
linux=${O:-build}/linux
failures=0

# boots CPUS MEGABYTES [OPTIONS [VM-ARGUMENT...]]: the options are Linux's, of the RAM disk; other CPUs
# than the domain's come with --smp.
boots() {
	local cpus=$1 memory=$2 options=${3:-rf.test ${RF_FULL:+rf.hotplug=60}} output status=0
	shift $(($# < 3 ? 2 : 3))
	output=$(tests/vm --timeout 500 --smp "$cpus" --mem "$memory" --kernel "$linux/vmlinux" \
		--initrd "$linux/initrd.gz" --control "vcpus=$cpus" --hv-append 'console=raw' \
		--append "console=hvc0 panic=-1 rf.cpus=$cpus $options" "$@" </dev/null 2>&1) || status=$?
	if [ "$status" = 0 ] && grep -qa 'RINGFENCE-LINUX-UP' <<<"$output" &&
		grep -qaE 'RESULT: SUCCESS$' <<<"$output"; then
		echo "ok: $cpus processors, $memory MiB, $options $*"
		grep -aE '^(ok|skipped) |RINGFENCE-LINUX-UP' <<<"$output"
	else
		printf '%s processors, %s MiB %s: status %s\n%s\n' "$cpus" "$memory" "$*" "$status" "$output"
		failures=$((failures + 1))
	fi
}

# Slowly: what comes before the shell listens is kept, but echoed twice.
type_at_shell() {
	sleep 10
	printf 'echo seen-$((6*7))\n'
	sleep 2
	printf 'exit\n'
	sleep 2
}

shell() {
	local output status
	output=$(type_at_shell | tests/vm --timeout 120 --kernel "$linux/vmlinux" --initrd "$linux/initrd.gz" \
		--append "console=hvc0 quiet" --hv-append 'console=raw' 2>&1)
	status=$?
	if [ "$status" != 0 ] || ! grep -qa '^seen-42' <<<"$output"; then
		printf 'shell: status %s:\n%s\n' "$status" "$output"
		failures=$((failures + 1))
	fi
}

boots 1 256
boots 2 512 '' --machine q35
boots 4 2048
boots 2 512 'rf.test=processes,steal rf.steal' --smp 1
shell
[ "$failures" = 0 ]
