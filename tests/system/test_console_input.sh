#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What is typed on the serial line reaches the control domain, in order and whole, while it sleeps
# and while it works.
# timeout: 90
set -u
cd "$(dirname "$0")/../.."
build=${O:-build}

# Some at once, some after a pause; it may not listen before it says so.
type_lines() {
	sleep 3
	printf 'hello\nworld'
	sleep 1
	printf ' again\n'
	sleep 1
	printf 'quit\n'
}

output=$(type_lines | tests/vm -O "$build" --kernel "$build/tests/guest/console.elf" --append echo \
	--smp 2 --timeout 60 2>&1)
status=$?
typed=$(sed -n 's/.*(control) typed: //p' <<<"$output" | tr '\n' ',')
if [ "$status" != 0 ] || [ "$typed" != 'hello,world again,quit,' ] ||
	! grep -q 'RESULT: SUCCESS' <<<"$output"; then
	printf "status %s, typed '%s':\n%s\n" "$status" "$typed" "$output"
	exit 1
fi
