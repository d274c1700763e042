#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Linux as the control domain, on 1, 2 and 4 CPUs: to init, through the checks of its RAM disk (which
# end with: nothing in the kernel's log that warns), and off. Then a shell that is typed at.
# timeout: 3000
set -u
cd "$(dirname "$0")/../.."
build=${O:-build}
failures=0

# Built once for a state of the sources, then kept: see guest-pv/build-linux --help.
if ! make -s linux O="$build" </dev/null; then
	echo 'make linux failed'
	exit 1
fi
linux=(tests/vm -O "$build" --kernel "$build/linux/vmlinux" --initrd "$build/linux/initrd.gz" --mem 512)

checks() {
	local output status
	output=$("${linux[@]}" --smp "$1" --control "vcpus=$1" --timeout 400 \
		--append "console=hvc0 quiet rf.test rf.cpus=$1" </dev/null 2>&1)
	status=$?
	if [ "$status" != 0 ] || ! grep -q 'RESULT: SUCCESS' <<<"$output"; then
		printf '%s CPUs: status %s:\n%s\n' "$1" "$status" "$output"
		failures=$((failures + 1))
	fi
}

type_at_shell() {
	sleep 8
	printf 'echo seen-$((6*7))\n'
	sleep 2
	printf 'exit\n'
	sleep 5
}

shell() {
	local output status
	output=$(type_at_shell | "${linux[@]}" --append 'console=hvc0 quiet' --hv-append console=raw \
		--timeout 120 2>&1)
	status=$?
	if [ "$status" != 0 ] || ! grep -q 'seen-42' <<<"$output"; then
		printf 'shell: status %s:\n%s\n' "$status" "$output"
		failures=$((failures + 1))
	fi
}

for cpus in 1 2 4; do
	checks "$cpus"
done
shell
[ "$failures" = 0 ]
