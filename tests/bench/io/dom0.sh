# SPDX-License-Identifier: BSD-2-Clause
# Xen's domain 0. The scripts that libxl runs for devices are our own (xen/): Debian's need bash, udev and more.
export PATH=$PATH:/usr/lib/xen-4.17/bin
mkdir -p /run/xenstored /run/xen /run/lock /var/lib/xen /var/lib/xenstored /var/log/xen /var/log/xen/console
ln -s /run/lock /var/lock
# It looks into /proc/xen, which this kernel does not have.
unshare -m sh -c 'mount -t tmpfs tmpfs /proc && mkdir /proc/xen && mount -t xenfs xenfs /proc/xen && exec xenstored' ||
	fail 'xenstored'
wait_for xenstore-read /tool/xenstored
xen-init-dom0 || fail 'xen-init-dom0'
xenconsoled --log=guest --log-dir=/var/log/xen/console
cat >/etc/guest.cfg <<END
name = "guest"
type = "pv"
kernel = "/boot/linux"
ramdisk = "/boot/initrd"
extra = "console=hvc0 quiet null_blk.nr_devices=0 io_role=measured io_rows=$io_rows io_scale=$io_scale $io_more"
memory = 256
vcpus = ${io_vcpus:-1}
disk = [ "phy:/dev/nullb0,xvda,w" ]
vif = [ "mac=02:00:00:00:00:02,bridge=rf0" ]
END
ip link add rf0 type bridge
ip addr add 10.7.0.1/24 dev rf0
ip link set rf0 up
xl create /etc/guest.cfg || fail "xl create: $(cat /tmp/hotplug 2>/dev/null)"
serve
relay /var/log/xen/console/guest-guest.log
