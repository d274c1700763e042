#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# A machine without QEMU's exit device is turned off as its firmware says.
set -u
cd "$(dirname "$0")/../.."
failures=0

# turns_off VM-ARGUMENT...: QEMU must end by itself.
turns_off() {
	local output status=0
	output=$(tests/vm --timeout 120 --reset --kernel "${O:-build}/tests/guest/version.elf" \
		--control 'memory=64M' "$@" </dev/null 2>&1) || status=$?
	if [ "$status" = 0 ] && grep -qa 'domain 0 powered off' <<<"$output"; then
		echo "ok: $*"
	else
		printf 'tests/vm %s: status %s, and\n%s\n' "$*" "$status" "$output"
		failures=$((failures + 1))
	fi
}

turns_off --machine pc
turns_off --machine q35 --smp 2
turns_off --machine q35 --pvh
turns_off --machine q35 --uefi
[ "$failures" = 0 ]
