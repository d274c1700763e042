#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A processor that gets stuck in the hypervisor is found by another: a panic with its registers and a
# backtrace with names, and status 3; or a reboot, and status 4. (Debug builds have the option.)
# timeout: 120
set -u
cd "$(dirname "$0")/../.."
build=${O:-build}
failures=0

# stuck STATUS OPTION...: the guest runs long enough on both processors for one to be found.
stuck() {
	local wanted=$1 output status
	shift
	output=$(tests/vm -O "$build" --kernel "$build/tests/guest/races.elf" --append full --smp 2 \
		--control vcpus=2 --hv-append "debug-hang=1 watchdog=2 $*" --timeout 50 </dev/null 2>&1)
	status=$?
	if [ "$status" != "$wanted" ] ||
		! grep -q 'panic: processor 1 is stuck: no timer interrupt for 2 seconds' <<<"$output" ||
		! grep -q 'rip 0010:ffff8000' <<<"$output" ||
		! grep -Eq ' [0-9a-f]{16} timer_interrupt\+0x' <<<"$output"; then
		printf 'options %s: status %s, expected %s:\n%s\n' "$*" "$status" "$wanted" "$output"
		failures=$((failures + 1))
	fi
}

grep -q 'CONFIG_DEBUG 1' "$build/include/config.h" || exit 77
stuck 3
stuck 4 on-panic=reboot
[ "$failures" = 0 ]
