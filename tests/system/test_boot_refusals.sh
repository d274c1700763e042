#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# What the hypervisor does not accept gets one line that names it, as the last one, and status 2.
set -u
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

# refused PATTERN VM-ARGUMENT...
refused() {
	local pattern=$1 output status last
	shift
	output=$(tests/vm --timeout 60 "$@" </dev/null 2>&1)
	status=$?
	last=${output##*$'\n'}
	if [ "$status" != 2 ] || ! grep -qE "^ringfence: cannot start: .*$pattern" <<<"$last" ||
		[ "$(grep -c 'cannot start' <<<"$output")" != 1 ]; then
		printf 'tests/vm %s\n  status %s, expected a refusal with /%s/; output:\n%s\n' \
			"$*" "$status" "$pattern" "$output"
		failures=$((failures + 1))
	else
		printf 'ok: %s\n' "$last"
	fi
}

# A file of the given printf format strings, in the place of a bundle's parts: all little-endian.
bundle_file() {
	printf "$1" >"$scratch/bundle"
	truncate -s "$2" "$scratch/bundle"
}

image="$scratch/image"
echo 'not an image' >"$image"
good=(--kernel "$image")

refused 'no module' --kernel none
refused 'no module' --kernel none --pvh
refused "unknown option 'colour=red'" "${good[@]}" --hv-append 'colour=red'
refused "unknown option 'verbose'" "${good[@]}" --hv-append 'unsafe-cpu verbose' --pvh
refused "option 'log-level=loud'.*error\|warning" "${good[@]}" --hv-append log-level=loud
refused "option 'log-level'.*takes one of" "${good[@]}" --hv-append log-level
refused "option 'cpus=0'.*from 1 to" "${good[@]}" --hv-append cpus=0
refused "option 'cpus=1x'" "${good[@]}" --hv-append cpus=1x
refused "option 'control-memory=12Q'.*size" "${good[@]}" --hv-append control-memory=12Q
refused "option 'unsafe-cpu=yes'.*no value" "${good[@]}" --hv-append unsafe-cpu=yes
refused 'command line is longer' "${good[@]}" --hv-append "$(printf 'cpus=1 %.0s' {1..200})"
refused 'KiB of RAM, at least' "${good[@]}" --mem 24
refused 'no 64-bit mode' "${good[@]}" --cpu qemu32
refused 'no 64-bit mode' "${good[@]}" --cpu 486 --pvh
refused 'no NX' "${good[@]}" --cpu qemu64,-nx
refused 'more than 32 modules' "${good[@]}" $(printf -- "--module $image %.0s" {1..32})
refused 'more than 32 modules' "${good[@]}" $(printf -- "--module $image %.0s" {1..32}) --iso

bundle_file 'RFBUNDLE\2\0\0\0' 64
refused 'bundle has version 2' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\40\0\0\0' 128
refused 'says it has 32 parts' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\377\377\377\377' 4096
refused 'says it has 4294967295 parts' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\1\0\0\0\0\20\0\0\0\0\0\0\1\20\0\0\0\0\0\0' 8192
refused 'bundle part 0 .offset 0x1000, 4097 bytes' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0' 8192
refused 'bundle part 0 .offset 0x1,' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\377\377\377\377\377\377\377\377\2' 8192
refused 'command line of bundle part 0' --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4' 8192
refused "bundle's part has no end" --kernel none --module "$scratch/bundle"
bundle_file 'RFBUNDLE\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\20\0\0\0\0\0\0\60\0\0\0\0\0\0\0\1' 8192
refused 'bundle among its parts' --kernel none --module "$scratch/bundle"

[ "$failures" = 0 ]
