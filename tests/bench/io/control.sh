# SPDX-License-Identifier: BSD-2-Clause
# Ringfence's control domain. The store's files are in a RAM disk: waiting for them to be safe makes no sense.
rfd --background --helper 'store=rfstored --no-sync' || fail 'rfd'
wait_for '[ -S /run/xenstored/socket ]'
cat >/etc/ringfence/guest.json <<END
{
	"kernel": "/boot/linux",
	"initrd": "/boot/initrd",
	"command_line": "console=hvc0 quiet null_blk.nr_devices=0 io_role=measured io_rows=$io_rows io_scale=$io_scale $io_more",
	"memory": 256,
	"vcpus": ${io_vcpus:-1}
}
END
rf create guest disks=/dev/nullb0,raw,xvda,w || fail 'rf create'
rf net-attach guest mac=02:00:00:00:00:02 || fail 'rf net-attach'
wait_for '[ -e /sys/class/net/rf0 ]'
ip addr add 10.7.0.1/24 dev rf0
ip link set rf0 up
serve
# Not by --print, which has only the last kilobytes.
while sleep 1000; do :; done | rf console guest >/tmp/console 2>&1 &
relay /tmp/console
