# SPDX-License-Identifier: BSD-2-Clause
# The rows. Each prints "io: result NAME COUNT RATE" (the rate by the machine's own clock) and "io: counter NAME COUNTER
# DIFFERENCE" for what changed; in between are the plugin's marks.
export io_server=10.7.0.1

# counters NAME COUNT: summed by name, as two interrupts may have the same one. What has changed by less than one for a
# thousand requests is left out.
counters() {
	awk -v row="$1" -v count="$2" 'FNR == 1 { file++ }
		NF == 2 && file == 1 { sum[$1] -= $2 }
		NF == 2 && file == 2 { sum[$1] += $2 }
		END { for (name in sum) if (sum[name] * 1000 >= count) print "io: counter", row, name, sum[name] }' /tmp/before /tmp/after
}

# disk NAME COUNT ARGUMENT...: so many requests of fio.
disk() {
	name=$1 count=$(($2 / ${io_scale:-1}))
	shift 2
	fio --name="$name" --filename="$disk" --ioengine=libaio --direct=1 --norandommap --number_ios="$count" --size=1g \
		--output-format=terse --terse-version=3 --exec_prerun='exec /bin/marker begin' \
		--exec_postrun='exec /bin/marker end' "$@" >/tmp/fio 2>&1 || fail "fio: $(cat /tmp/fio)"
	awk -F ';' -v row="$name" -v count="$count" '$1 == 3 { print "io: result", row, count, $8 + $49 }' /tmp/fio
	counters "$name" "$count"
}

# stream NAME MIB ARGUMENT...: one connection of iperf3.
stream() {
	name=$1 count=$(($2 / ${io_scale:-1}))
	shift 2
	marker begin
	iperf3 -c "$io_server" -n "${count}M" -J "$@" >/tmp/iperf3 2>&1
	status=$?
	marker end
	[ $status = 0 ] || fail "iperf3: $(cat /tmp/iperf3)"
	awk -v row="$name" -v count="$count" '/"sum_received"/ { here = 1 }
		here && /"bits_per_second"/ { print "io: result", row, count, $2 / 8 / 1048576; exit }' /tmp/iperf3
	counters "$name" "$count"
}

trips() {
	marker begin
	latency ask "$io_server" 5202 $(($2 / ${io_scale:-1})) >/tmp/latency
	status=$?
	marker end
	[ $status = 0 ] || fail 'latency'
	echo "io: result $1 $(cat /tmp/latency)"
	counters "$1" "$(($2 / ${io_scale:-1}))"
}

row() {
	case $1 in
	randread) disk randread 20000 --rw=randread --bs=4k --iodepth=32 ;;
	randwrite) disk randwrite 20000 --rw=randwrite --bs=4k --iodepth=32 ;;
	randread-1) disk randread-1 8000 --rw=randread --bs=4k --iodepth=1 ;;
	read-1m) disk read-1m 512 --rw=read --bs=1m --iodepth=4 ;;
	write-1m) disk write-1m 512 --rw=write --bs=1m --iodepth=4 ;;
	tcp-out) stream tcp-out 256 ;;
	tcp-in) stream tcp-in 256 -R ;;
	trip) trips trip 8000 ;;
	*) fail "no row $1" ;;
	esac
}

find_disk() {
	for disk in /dev/vda /dev/xvda /dev/rfd0; do [ ! -b $disk ] || return 0; done
	return 1
}

echo "io: up $(cut -d ' ' -f 1 /proc/uptime)"
wait_for '[ -b /dev/vda ] || [ -b /dev/xvda ] || [ -b /dev/rfd0 ]'
find_disk
wait_for '[ -e /sys/class/net/eth0 ]'
ip addr add 10.7.0.2/24 dev eth0
ip link set eth0 up
wait_for ping -c 1 -W 1 $io_server
for name in $(echo "$io_rows" | tr , ' '); do row "$name"; done
