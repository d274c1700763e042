#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The debug keys on the serial line, while a guest waits for what it will not get: what each shows, and the power off.
# timeout: 120
set -u
cd "$(dirname "$0")/../.."
build=${O:-build}

# Pressed until the machine ends: on a busy host it takes long until somebody listens. What is pressed
# first, while nobody does, gets lost when the serial line is set up.
press() {
	for _ in {1..60}; do
		sleep 1
		printf ' hdrqmce'
		sleep 1
		printf 'x'
	done
}

output=$(press 2>/dev/null | tests/vm -O "$build" --kernel "$build/tests/guest/console.elf" --append echo \
	--smp 2 --control vcpus=2 --hv-append 'serial-input=debug log-level=warning' --timeout 90 2>&1)
status=$?
failures=0
for wanted in '^x  power off' "^domain 0 'control' \(control\): running" 'vCPU 1: .* affinity' \
	'^CPU 1: ' '^frames: [0-9]+ free' "^domain 0 'control': [0-9]+ frames of" \
	'^0\.1: [0-9]+ entries' '^  port 1: to vCPU 0, listens, masked' '^power off by debug key'; do
	if ! grep -Eq "$wanted" <<<"$output"; then
		echo "no line with /$wanted/"
		failures=$((failures + 1))
	fi
done
if [ "$status" != 0 ] || [ "$failures" != 0 ]; then
	printf 'status %s:\n%s\n' "$status" "$output"
	exit 1
fi
