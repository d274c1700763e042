#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# needs: linux
# timeout: 1200
# Every configuration that can be built has all the options that its files want: what depends on others is not left out.
set -u
cd "$(dirname "$0")/../.." || exit 1
failures=0

for config in base node bench debug; do
	if guest-pv/build-linux --config "$config" --configure; then
		echo "ok: $config"
	else
		failures=$((failures + 1))
	fi
done
[ "$failures" = 0 ]
