# SPDX-License-Identifier: BSD-2-Clause
#
# The one Makefile. Sources are found by wildcard, everything made goes under $(O).
# `make help` lists the targets; `make V=1` shows the commands.

MAKEFLAGS += --no-builtin-rules --no-print-directory
.SUFFIXES:
.SECONDARY:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := all

O ?= build
V ?= 0
override O := $(patsubst %/,%,$(O))
# Relative where it can be, so that the same rule serves `O=x` and `O=$PWD/x`.
override O := $(patsubst $(CURDIR)/%,%,$(O))
override O := $(if $(filter ..%,$(O)),$(abspath $(O)),$(O))
export O

CC := gcc
LD := ld
NM := nm
AR := ar
OBJCOPY := objcopy
CLANG := clang-14
# Debian's own python3, because that is where python3-kconfiglib goes.
PYTHON := $(firstword $(wildcard /usr/bin/python3) python3)

ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

# --- Packages -------------------------------------------------------------------------------------

# To build the hypervisor and Linux, and to run them.
RUN_PACKAGES := gcc libc6-dev make binutils python3 python3-kconfiglib qemu-system-x86 linux-source-6.1 patch bc \
	flex bison libelf-dev libssl-dev cpio xz-utils kmod busybox-static libjansson-dev libxxhash-dev libmicrohttpd-dev \
	liburing-dev libseccomp-dev libnbd-dev iproute2 nftables dnsmasq-base
DEBIAN_PACKAGES := mmdebstrap e2fsprogs genisoimage
PACKAGES := $(RUN_PACKAGES) $(DEBIAN_PACKAGES) libcmocka-dev clang-14 clang-format-14 libclang-rt-14-dev llvm-14 gdb xorriso mtools \
	grub-common grub-pc-bin grub-efi-amd64-bin ovmf git stress-ng rt-tests zstd lz4 xenstore-utils \
	nbdkit qemu-utils curl fio e2fsprogs iperf3 ethtool

# --- Configuration --------------------------------------------------------------------------------

CONFIG := $(O)/.config
CONFIG_H := $(O)/include/config.h
kconfig = KCONFIG_CONFIG=$(CONFIG) $(PYTHON) -m $(1) Kconfig
need_kconfiglib = $(PYTHON) -c 'import kconfiglib' 2>/dev/null || \
	{ echo 'python3-kconfiglib is missing: run `make deps`' >&2; exit 1; }

# --- Flags ----------------------------------------------------------------------------------------

WARNINGS := -Wall -Wextra -Werror -Wshadow -Wmissing-prototypes -Wstrict-prototypes -Wundef -Wvla
# The same bytes whatever the source or output directory is called.
REPRODUCIBLE := -ffile-prefix-map=$(CURDIR)=. -ffile-prefix-map=$(O)=build -gno-record-gcc-switches
DEPENDENCIES = -MMD -MP -MF $(@:.o=.d)

# Code that runs on no operating system: the hypervisor and the test guests.
BARE_FLAGS := -std=gnu17 -O2 -g $(WARNINGS) $(REPRODUCIBLE) -m64 -ffreestanding -nostdinc \
	-isystem $(shell $(CC) -print-file-name=include) -mno-red-zone -mgeneral-regs-only \
	-fno-strict-aliasing -fno-common -fno-asynchronous-unwind-tables -fno-omit-frame-pointer \
	-fcf-protection=none -fno-jump-tables -fno-delete-null-pointer-checks -fwrapv

HYPERVISOR_INCLUDES := -include $(CONFIG_H) -include hypervisor/x86/include/visibility.h -iquote $(O)/include -iquote hypervisor/include \
	-iquote hypervisor/x86/include -iquote hypervisor/lib -iquote .
HYPERVISOR_FLAGS := $(BARE_FLAGS) -fpie -mcmodel=small -fvisibility=hidden \
	-fstack-protector-strong -mstack-protector-guard=global $(HYPERVISOR_INCLUDES)
HYPERVISOR_LDFLAGS := -m elf_x86_64 -nostdlib -static --build-id=none -z noexecstack \
	-z max-page-size=0x1000

# Guests are linked where Linux is, in the top 2 GiB.
GUEST_FLAGS := $(BARE_FLAGS) -fno-pic -fno-pie -mcmodel=kernel -fno-stack-protector \
	-iquote tests/guest/lib -iquote .
GUEST_LDFLAGS := -m elf_x86_64 -nostdlib -static --build-id=none -z noexecstack -z max-page-size=0x1000

# The C core on the host, for unit tests and fuzzers: a fake architecture in place of x86.
HOST_INCLUDES := -include $(CONFIG_H) -iquote $(O)/include -iquote tests/unit/fake_arch/include -iquote hypervisor/include \
	-iquote hypervisor/lib -iquote .
HOST_FLAGS := -std=gnu17 -O1 -g $(WARNINGS) $(REPRODUCIBLE) -fno-strict-aliasing -fno-common -fwrapv \
	-fno-omit-frame-pointer $(HOST_INCLUDES)
UNIT_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all

# Programs of the control domain. Headers are named from the top of the tree, or lie beside the file.
TOOLSTACK_COMMON := -std=gnu17 -g $(WARNINGS) $(REPRODUCIBLE) -D_GNU_SOURCE -fno-strict-aliasing -fno-common -pthread -iquote .
TOOLSTACK_FLAGS := $(TOOLSTACK_COMMON) -O2 -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-D_FORTIFY_SOURCE=2
TOOLSTACK_LDFLAGS := -pthread -pie -Wl,-z,relro,-z,now,-z,noexecstack
TOOLSTACK_STATIC_LDFLAGS := -pthread -static-pie -Wl,-z,relro,-z,now,-z,noexecstack
TOOLSTACK_HOST_FLAGS := $(TOOLSTACK_COMMON) -O1 -fno-omit-frame-pointer

# memcpy() must not become a call of memcpy().
FLAGS_string.c := -fno-tree-loop-distribute-patterns
# Our versions of libc functions get another name on the host, which has its own.
LIBC_NAMES := memcpy memmove memset memcmp strlen strcmp strncmp strchr snprintf
LIBC_RENAME := $(foreach name,$(LIBC_NAMES),--redefine-sym=$(name)=lib_$(name))
LIBC_SOURCES := hypervisor/lib/string.c hypervisor/lib/printf.c

# --- What there is --------------------------------------------------------------------------------

CORE_SOURCES := $(wildcard hypervisor/*.c hypervisor/lib/*.c)
X86_SOURCES := $(filter-out hypervisor/x86/asm_offsets.c,$(wildcard hypervisor/x86/*.c))
X86_ASSEMBLY := $(wildcard hypervisor/x86/*.S)
LINK_SCRIPT := $(wildcard hypervisor/x86/hypervisor.lds.S)
X86_ASSEMBLY := $(filter-out $(LINK_SCRIPT),$(X86_ASSEMBLY))
ASM_OFFSETS := $(patsubst hypervisor/x86/%.c,$(O)/include/%.h,$(wildcard hypervisor/x86/asm_offsets.c))

HYPERVISOR_OBJECTS := $(patsubst %.c,$(O)/%.o,$(CORE_SOURCES) $(X86_SOURCES)) \
	$(patsubst %.S,$(O)/%.S.o,$(X86_ASSEMBLY))

HOST_SOURCES := $(filter-out hypervisor/main.c,$(CORE_SOURCES)) $(wildcard tests/unit/fake_arch/*.c)
UNIT_CORE := $(patsubst %.c,$(O)/unit/%.o,$(HOST_SOURCES))
FUZZ_CORE := $(patsubst %.c,$(O)/fuzz/%.o,$(HOST_SOURCES))
UNIT_TESTS := $(patsubst tests/unit/%.c,$(O)/tests/unit/%,$(wildcard tests/unit/test_*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$(O)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

# What each program of the toolstack is made of: folders in toolstack/ or backends/, and libraries. The sources of a group,
# but for main.c, are what tests/unit/test_GROUP_*.c and tests/fuzz/fuzz_GROUP_*.c are linked with.
TOOLSTACK_GROUPS := store rf rfd block net
TOOLSTACK_FOLDERS_store := store store/client share
TOOLSTACK_FOLDERS_rfstored := store share
TOOLSTACK_FOLDERS_rf := rf lib store/client share measure
TOOLSTACK_FOLDERS_rfd := rfd lib store/client
TOOLSTACK_LIBRARIES_rf := -ljansson
TOOLSTACK_LIBRARIES_rfd := -lmicrohttpd -ljansson
TOOLSTACK_FOLDERS_block := common block store/client
TOOLSTACK_LIBRARIES_block := -luring -lseccomp -lnbd
TOOLSTACK_FOLDERS_rf-block := $(TOOLSTACK_FOLDERS_block)
TOOLSTACK_LIBRARIES_rf-block := $(TOOLSTACK_LIBRARIES_block)
TOOLSTACK_FOLDERS_net := common net store/client
TOOLSTACK_LIBRARIES_net := $(TOOLSTACK_LIBRARIES_block)
TOOLSTACK_FOLDERS_rf-net := $(TOOLSTACK_FOLDERS_net)
TOOLSTACK_LIBRARIES_rf-net := $(TOOLSTACK_LIBRARIES_net)
# Checks of images, and the rules for places in a guest's memory, are the hypervisor's own.
TOOLSTACK_SHARED_rf := $(addprefix hypervisor/,elf.c bzimage.c guest_image.c guest_layout.c lib/printf.c lib/string.c)
# Only of the static program: the shared library brings the real ones.
TOOLSTACK_STATIC_rfd := toolstack/rfd/static/gnutls.c
TOOLSTACK_SHARED_rfd := $(TOOLSTACK_SHARED_rf)
# Not in the static program, which has another source in its place.
TOOLSTACK_STATIC_rf-block := backends/block/static/image_nbd.c
TOOLSTACK_DYNAMIC_rf-block := backends/block/image_nbd.c
TOOLSTACK_DYNAMIC_LIBRARIES_rf-block := -lnbd
TOOLSTACK_CORE_rf := $(patsubst %.c,%.o,$(TOOLSTACK_SHARED_rf) $(addprefix tests/unit/fake_arch/,fake_bzimage.c fake_elf.c))
TOOLSTACK_CORE_rfd := $(TOOLSTACK_CORE_rf)

toolstack_sources = $(wildcard $(foreach f,$(TOOLSTACK_FOLDERS_$(1)),toolstack/$(f)/*.c backends/$(f)/*.c))
toolstack_objects = $(patsubst %.c,$(O)/%.o,$(call toolstack_sources,$(1))) \
	$(patsubst %.c,$(O)/toolstack/%.o,$(TOOLSTACK_SHARED_$(1)))
toolstack_static_objects = $(filter-out $(TOOLSTACK_DYNAMIC_$(1):%.c=$(O)/%.o),$(call toolstack_objects,$(1))) $(patsubst %.c,$(O)/%.o,$(TOOLSTACK_STATIC_$(1)))
toolstack_group = $(patsubst %.c,$(O)/$(2)/%.o,$(filter-out %/main.c,$(call toolstack_sources,$(1))))
TOOLSTACK_NAMES := $(foreach p,rfstored rf rfd rf-block rf-net,$(if $(filter %/main.c,$(call toolstack_sources,$(p))),$(p)))
TOOLSTACK_PROGRAMS := $(patsubst %,$(O)/toolstack/bin/%,$(TOOLSTACK_NAMES))
TOOLSTACK_STATIC := $(patsubst %,$(O)/toolstack/static/%,$(TOOLSTACK_NAMES))
TOOLSTACK_LIBRARY := $(if $(wildcard toolstack/store/client/*.c),$(O)/toolstack/lib/librfstore.a)

GUEST_NAMES := $(patsubst tests/guest/%/main.c,%,$(wildcard tests/guest/*/main.c))
GUEST_SOURCES := $(wildcard $(patsubst %,tests/guest/%/*.c,lib $(GUEST_NAMES)) \
	$(patsubst %,tests/guest/%/*.S,lib $(GUEST_NAMES)))
guest_objects = $(patsubst %.c,$(O)/%.o,$(patsubst %.S,$(O)/%.S.o,$(filter tests/guest/$(1)/%,$(GUEST_SOURCES))))
GUEST_LIBRARY := $(call guest_objects,lib)
GUESTS := $(patsubst %,$(O)/tests/guest/%.elf,$(GUEST_NAMES))
-include $(wildcard tests/guest/*/flags.mk)

# The front ends that tests of back ends play: programs of the host.
FRONT_SOURCES := $(wildcard tests/system/face/*.c) backends/common/ring.c backends/common/keys.c $(wildcard toolstack/store/client/*.c)
FRONTS := $(patsubst %,$(O)/tests/system/%_front,block net)

# Benchmarks that are guests are built the same way.
BENCH_NAMES := $(patsubst tests/bench/%/main.c,%,$(wildcard tests/bench/*/main.c))
BENCH_SOURCES := $(wildcard $(patsubst %,tests/bench/%/*.c,$(BENCH_NAMES)) \
	$(patsubst %,tests/bench/%/*.S,$(BENCH_NAMES)))
bench_objects = $(patsubst %.c,$(O)/%.o,$(patsubst %.S,$(O)/%.S.o,$(filter tests/bench/$(1)/%,$(BENCH_SOURCES))))
BENCHES := $(patsubst %,$(O)/tests/bench/%.elf,$(BENCH_NAMES))

# The program that is measured under Linux, its RAM disk, and the plugin that counts from outside.
BENCH_PROGRAM := $(wildcard tests/bench/program/*.c toolstack/measure/*.c toolstack/share/*.c)
BENCH_PLUGIN := $(wildcard tests/bench/plugin/*.c)
BENCH_FILES := $(O)/tests/bench/initrd.gz $(O)/tests/bench/plugin.so $(O)/tests/guest/marks.elf $(O)/toolstack/static/rf

IMAGES := $(if $(LINK_SCRIPT),$(O)/ringfence.elf64 $(O)/ringfence $(O)/ringfence.pvh)

# --- Targets --------------------------------------------------------------------------------------

.PHONY: all help deps defconfig menuconfig toolstack guests unit fuzz check test test-full tests run debian-guest linux bench bench-this bench-files bench-files-this bench-paths bench-paths-this bench-store bench-io bench-io-this bench-heartbeat clean FORCE

all: $(if $(IMAGES),$(IMAGES),$(HYPERVISOR_OBJECTS)) toolstack ## the hypervisor and the toolstack (default)

help: ## this list
	@echo "make [O=build] [V=1] [TESTS='guest/*'] TARGET"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

deps: ## install the Debian packages needed (as root)
	@missing=; for package in $(PACKAGES); do \
		dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || \
			missing="$$missing $$package"; \
	done; \
	[ -z "$$missing" ] && exit 0; \
	if [ "$$(id -u)" != 0 ]; then \
		echo "make deps: these packages are missing; run it as root, or install them:$$missing" >&2; \
		exit 1; \
	fi; \
	echo "installing:$$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get -q -o Acquire::Retries=5 update && \
	apt-get -q -y -o Acquire::Retries=5 install --no-install-recommends $$missing

defconfig: ## set every option to its default
	@$(need_kconfiglib)
	@mkdir -p $(O)
	$(Q)rm -f $(CONFIG)
	$(Q)$(call kconfig,olddefconfig)

menuconfig: ## choose options by hand
	@$(need_kconfiglib)
	@mkdir -p $(O)
	$(Q)$(call kconfig,menuconfig)

toolstack: $(TOOLSTACK_PROGRAMS) $(TOOLSTACK_STATIC) $(TOOLSTACK_LIBRARY) ## the control domain's programs, in $(O)/toolstack

guests: $(GUESTS) ## the test guests

unit: $(UNIT_TESTS) ## the unit tests' programs

fuzz: $(FUZZERS) ## the fuzzers' programs

# The checks of headers use the compiler's flags from these files.
FLAG_FILES := $(O)/hypervisor.flags $(O)/guest.flags $(O)/host.flags $(O)/toolstack.flags

check: $(UNIT_TESTS) $(filter %/rf %/rfd,$(TOOLSTACK_PROGRAMS)) $(CONFIG_H) $(ASM_OFFSETS) $(FLAG_FILES) ## style, unit and ABI layout tests; no QEMU
	$(Q)tests/run --match '$(TESTS)' style abi unit

TESTS ?= *
parallel = $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

# Linux is built only for tests that say `needs: linux`.
needing_linux = $(shell tests/run --list --match '$(TESTS)' system | while read -r test; do \
	grep -l '^. needs: linux' tests/$$test.sh tests/$$test.py 2>/dev/null; done)

tests: all $(FRONTS) $(GUESTS) $(UNIT_TESTS) $(FUZZERS) $(FLAG_FILES) $(BENCH_FILES) $(if $(filter tests,$(MAKECMDGOALS)),$(if $(needing_linux),linux))
	$(Q)tests/run $(RUN_FLAGS) --match '$(TESTS)' style abi unit fuzz guest system

test: deps ## every test, after installing what they need
	$(Q)$(MAKE) $(parallel) tests

test-full: deps ## every test at full length
	$(Q)$(MAKE) $(parallel) tests RUN_FLAGS=--full

# A card for QEMU's own network, in which 10.0.2.2 is this machine.
run_network = --control memory=384M --nic user,model=virtio-net-pci --append "quiet rf.dhcp$$([ -t 0 ] || echo ' rf.tour')"
RUN_GUEST ?= linux
ifeq ($(RUN_GUEST),linux)
run_needs = linux
# Without a terminal, Linux shows itself and powers off.
run_guest = --initrd $(O)/linux/run.gz $(run_network)
else
run_needs = $(O)/tests/guest/$(RUN_GUEST).elf
run_guest = --kernel $(run_needs) --control vcpus=2
endif
VM_FLAGS ?= --smp 2 --mem 768
run: ## boot the hypervisor and Linux in QEMU, to a shell; installs what it needs (RUN_GUEST=demo: another guest)
	$(Q)$(MAKE) deps PACKAGES='$(RUN_PACKAGES)'
	$(Q)$(MAKE) $(parallel) all $(run_needs)
	$(Q)tests/vm $(run_guest) $(VM_FLAGS)

# Debian's images are made once: `rm -r build/debian` for new ones.
DEBIAN_FLAGS ?=
$(O)/debian/root.img:
	$(Q)guest-pv/debian/build --output $(@D) $(DEBIAN_FLAGS)

debian-guest: ## Debian 12 as a guest of a node in QEMU, from a disk image (DEBIAN_FLAGS='--include ...'); as root
	$(Q)$(MAKE) deps PACKAGES='$(RUN_PACKAGES) $(DEBIAN_PACKAGES)'
	$(Q)$(MAKE) $(parallel) all linux $(O)/debian/root.img
	$(Q)guest-pv/initramfs/build --only --add toolstack/guests/debian/debian.json:/etc/ringfence/debian.json $(O)/debian/guest.gz
	$(Q)cat $(O)/linux/run.gz $(O)/debian/guest.gz >$(O)/debian/node.gz
	$(Q)tests/vm --initrd $(O)/debian/node.gz --disk $(O)/debian/root.img --disk $(O)/debian/seed.img $(run_network) $(VM_FLAGS) \
		--timeout $(if $(DEBIAN_TIMEOUT),$(DEBIAN_TIMEOUT),0)

LINUX ?=
LINUX_CONFIG ?= node
linux: $(addprefix $(O)/toolstack/static/,rf rfd rfstored rf-block rf-net) ## Linux for the hypervisor, and RAM disks, in $(O)/linux (LINUX=TREE: from your own 6.1.y source)
	$(Q)guest-pv/build-linux --config '$(LINUX_CONFIG)' $(if $(LINUX),--linux '$(LINUX)') --output $(O)/linux
	$(Q)guest-pv/initramfs/build --modules $(O)/linux/modules $(O)/linux/initrd.gz
	$(Q)guest-pv/initramfs/build --small $(O)/linux/guest.gz
	$(Q)guest-pv/initramfs/build --only --add $(O)/toolstack/static/rf:/bin/rf --add $(O)/toolstack/static/rfd:/bin/rfd \
		--add $(O)/toolstack/static/rfstored:/bin/rfstored --add $(O)/toolstack/static/rf-block:/bin/rf-block \
		--add $(O)/toolstack/static/rf-net:/bin/rf-net \
		--add $(O)/linux/bzImage:/boot/linux \
		--add $(O)/linux/guest.gz:/boot/initrd.gz --add toolstack/guests/hello.json:/etc/ringfence/hello.json \
		$(O)/linux/rf.gz
	$(Q)cat $(O)/linux/initrd.gz $(O)/linux/rf.gz >$(O)/linux/node.gz.new && mv $(O)/linux/node.gz.new $(O)/linux/node.gz
	$(Q)guest-pv/initramfs/build --only --program /bin/ip --program /usr/sbin/nft --program /usr/sbin/dnsmasq \
		$(foreach g,hello world,--add toolstack/guests/run/$(g).json:/etc/ringfence/$(g).json) \
		$(foreach f,passwd group,--add guest-pv/initramfs/etc/$(f):/etc/$(f)) $(O)/linux/network.gz
	$(Q)cat $(O)/linux/node.gz $(O)/linux/network.gz >$(O)/linux/run.gz.new && mv $(O)/linux/run.gz.new $(O)/linux/run.gz

# Of a release build, whatever this one is.
bench: $(O)/bench/.config ## Linux on Ringfence beside native, Xen and KVM (BENCH_FLAGS='--systems ...')
	$(Q)$(MAKE) O=$(O)/bench bench-this

bench-files: $(O)/bench/.config
	$(Q)$(MAKE) O=$(O)/bench bench-files-this

bench-files-this: all $(BENCH_FILES)

bench-paths: $(O)/bench/.config ## what each path through the hypervisor costs, in instructions
	$(Q)$(MAKE) O=$(O)/bench bench-paths-this

bench-store: $(O)/tests/bench/store ## what operations of the store cost as it grows
	$(Q)$<

bench-heartbeat: all linux ## how far a bad guest disturbs another, and the control domain
	$(Q)tests/bench/heartbeat/run

bench-io: $(O)/bench/.config ## disks and networks of a guest beside virtio's and Xen's (BENCH_IO_FLAGS='--rows ...')
	$(Q)$(MAKE) O=$(O)/bench bench-io-this

$(O)/bench/.config: Kconfig
	$(Q)$(MAKE) -s O=$(O)/bench defconfig >/dev/null
	$(Q)sed -i 's/^CONFIG_DEBUG=y$$/# CONFIG_DEBUG is not set/' $@

BENCH_FLAGS ?=
bench-this: bench-files-this
	$(Q)guest-pv/build-linux --config bench --output $(O)/linux
	$(Q)tests/bench/run --linux $(O)/linux $(BENCH_FLAGS)

BENCH_IO_FLAGS ?=
bench-io-this: bench-files-this
	$(Q)guest-pv/build-linux --config bench --output $(O)/linux
	$(Q)tests/bench/io/run --linux $(O)/linux $(BENCH_IO_FLAGS)

bench-paths-this: all $(BENCHES)
	$(Q)tests/bench/paths/run

clean: ## remove $(O)
	$(Q)rm -rf $(O)

# --- Configuration rules --------------------------------------------------------------------------

$(CONFIG): Kconfig
	@$(need_kconfiglib)
	@mkdir -p $(@D)
	$(Q)$(call kconfig,olddefconfig) >/dev/null
	$(Q)touch $@

# Every option is always defined, a boolean as 0 or 1: C code says `if (CONFIG_DEBUG)`.
$(CONFIG_H): $(CONFIG)
	@mkdir -p $(@D)
	$(call say,CONFIG,$@)
	$(Q)sed -n -e 's/^\(CONFIG_[A-Z0-9_]*\)=y$$/#define \1 1/p; t' \
		-e 's/^# \(CONFIG_[A-Z0-9_]*\) is not set$$/#define \1 0/p; t' \
		-e 's/^\(CONFIG_[A-Z0-9_]*\)=\(.*\)$$/#define \1 \2/p' $< >$@

# A file that changes when its text does: whatever is made with those flags or from those files
# depends on it. $(1) file name, $(2) text.
define record
$(O)/$(1): FORCE
	@mkdir -p $$(@D)
	@printf '%s\n' '$(subst ','\'',$(2))' | cmp -s - $$@ || printf '%s\n' '$(subst ','\'',$(2))' >$$@
endef
$(eval $(call record,hypervisor.flags,$(CC) $(HYPERVISOR_FLAGS)))
$(eval $(call record,hypervisor.link,$(LD) $(HYPERVISOR_LDFLAGS) $(HYPERVISOR_OBJECTS)))
$(eval $(call record,guest.flags,$(CC) $(GUEST_FLAGS)))
$(eval $(call record,guest.link,$(LD) $(GUEST_LDFLAGS) $(GUEST_SOURCES)))
$(eval $(call record,host.flags,$(CC) $(HOST_FLAGS) $(UNIT_SANITIZE)))
$(eval $(call record,fuzz.flags,$(CLANG) $(HOST_FLAGS) $(FUZZ_SANITIZE)))
$(eval $(call record,host.link,$(HOST_SOURCES)))
$(eval $(call record,toolstack.flags,$(CC) $(TOOLSTACK_FLAGS)))
$(eval $(call record,toolstack.link,$(TOOLSTACK_LDFLAGS) $(foreach p,$(TOOLSTACK_GROUPS) rfstored rf-block rf-net,$(call toolstack_sources,$(p)) $(TOOLSTACK_LIBRARIES_$(p)))))
$(eval $(call record,toolstack.host.flags,$(CC) $(TOOLSTACK_HOST_FLAGS) $(UNIT_SANITIZE)))
$(eval $(call record,toolstack.fuzz.flags,$(CLANG) $(TOOLSTACK_HOST_FLAGS) $(FUZZ_SANITIZE)))

# --- The hypervisor -------------------------------------------------------------------------------

$(O)/hypervisor/%.o: hypervisor/%.c $(CONFIG_H) $(O)/hypervisor.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(HYPERVISOR_FLAGS) $(FLAGS_$(<F)) $(DEPENDENCIES) -c -o $@ $<

$(O)/hypervisor/%.S.o: hypervisor/%.S $(CONFIG_H) $(ASM_OFFSETS) $(O)/hypervisor.flags
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(HYPERVISOR_FLAGS) -D__ASSEMBLY__ $(DEPENDENCIES) -c -o $@ $<

# Structure offsets for assembly: asm_offsets.c emits `.ascii "->NAME $VALUE"`, never linked.
$(O)/include/asm_offsets.h: hypervisor/x86/asm_offsets.c $(CONFIG_H) $(O)/hypervisor.flags
	@mkdir -p $(@D)
	$(call say,OFFSETS,$@)
	$(Q)$(CC) $(HYPERVISOR_FLAGS) -g0 -MMD -MP -MF $@.d -MT $@ -S -o $@.s $<
	$(Q)sed -n 's/.*"->\([A-Za-z0-9_]*\) \$$\{0,1\}\(-\{0,1\}[0-9]*\)".*/#define \1 \2/p' $@.s >$@

$(O)/hypervisor.lds: $(LINK_SCRIPT) $(CONFIG_H) $(ASM_OFFSETS) $(O)/hypervisor.flags
	$(call say,LDS,$@)
	$(Q)$(CC) $(HYPERVISOR_INCLUDES) -E -P -x assembler-with-cpp -D__ASSEMBLY__ -D__LINK_SCRIPT__ \
		-MMD -MP -MF $@.d -MT $@ -o $@ $<

# The symbol table for backtraces is linked in: link with an empty table, list the functions, link
# again. Text lies before the table, so no function moves; the last line makes sure.
LINK_INPUTS := $(HYPERVISOR_OBJECTS) $(O)/hypervisor.lds hypervisor/x86/make-symbols $(O)/hypervisor.link
$(O)/ringfence.elf64: $(LINK_INPUTS)
	$(call say,LD,$@)
	$(Q)hypervisor/x86/make-symbols </dev/null >$(O)/symbols.0.S
	$(Q)$(CC) -c -o $(O)/symbols.0.o $(O)/symbols.0.S
	$(Q)$(LD) $(HYPERVISOR_LDFLAGS) -T $(O)/hypervisor.lds -o $@.0 $(HYPERVISOR_OBJECTS) $(O)/symbols.0.o
	$(Q)$(NM) -n $@.0 | hypervisor/x86/make-symbols >$(O)/symbols.S
	$(Q)$(CC) -c -o $(O)/symbols.o $(O)/symbols.S
	$(Q)$(LD) $(HYPERVISOR_LDFLAGS) -T $(O)/hypervisor.lds -Map $(O)/ringfence.map -o $@ \
		$(HYPERVISOR_OBJECTS) $(O)/symbols.o
	$(Q)$(NM) -n $@ | hypervisor/x86/make-symbols | cmp -s - $(O)/symbols.S || \
		{ echo 'functions moved when the symbol table was linked in' >&2; rm -f $@; exit 1; }

# Boot loaders of Multiboot 1 take a 32-bit ELF file only.
$(O)/ringfence: $(O)/ringfence.elf64
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -S -O elf32-i386 $< $@

# QEMU takes the PVH entry from a 64-bit ELF file with the note, so long as it has no Multiboot header.
$(O)/ringfence.pvh: $(O)/ringfence.elf64
	$(call say,OBJCOPY,$@)
	$(Q)$(OBJCOPY) -S -R .boot_header $< $@

# --- The toolstack --------------------------------------------------------------------------------

define toolstack_compile
$(O)/$(1)/%.o: $(1)/%.c $(O)/toolstack.flags
	@mkdir -p $$(@D)
	$$(call say,CC,$$<)
	$$(Q)$(CC) $(TOOLSTACK_FLAGS) $$(DEPENDENCIES) -c -o $$@ $$<

$(O)/unit/$(1)/%.o: $(1)/%.c $(O)/toolstack.host.flags
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$<)
	$$(TOOLSTACK_HOST_CC)

$(O)/fuzz/$(1)/%.o: $(1)/%.c $(O)/toolstack.fuzz.flags
	@mkdir -p $$(@D)
	$$(call say,CLANG,$$<)
	$$(TOOLSTACK_FUZZ_CC)
endef
$(foreach f,toolstack backends,$(eval $(call toolstack_compile,$(f))))

# What it shares with the hypervisor has names of libc in it, and uses nothing of libc.
TOOLSTACK_SHARED_FLAGS = $(TOOLSTACK_FLAGS) -U_FORTIFY_SOURCE -ffreestanding -fwrapv -fno-stack-protector \
	-iquote hypervisor/include -iquote hypervisor/lib

$(O)/toolstack/hypervisor/%.o: hypervisor/%.c $(O)/toolstack.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(TOOLSTACK_SHARED_FLAGS) $(FLAGS_$(<F)) $(DEPENDENCIES) -c -o $@ $<
	$(call rename_libc,$<)

define toolstack_rule
$(O)/toolstack/bin/$(1): $(call toolstack_objects,$(1)) $(O)/toolstack.link
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(TOOLSTACK_LDFLAGS) -o $$@ $(call toolstack_objects,$(1)) $(TOOLSTACK_LIBRARIES_$(1))

$(O)/toolstack/static/$(1): $(call toolstack_static_objects,$(1)) $(O)/toolstack.link
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$(CC) $(TOOLSTACK_STATIC_LDFLAGS) -o $$@ $(call toolstack_static_objects,$(1)) \
		$(filter-out $(TOOLSTACK_DYNAMIC_LIBRARIES_$(1)),$(TOOLSTACK_LIBRARIES_$(1)))
endef
$(foreach p,$(TOOLSTACK_NAMES),$(eval $(call toolstack_rule,$(p))))

$(O)/toolstack/lib/librfstore.a: $(patsubst %.c,$(O)/%.o,$(wildcard toolstack/store/client/*.c)) $(O)/toolstack.link
	@mkdir -p $(@D)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcsD $@ $(filter %.o,$^)

$(O)/tests/bench/store: tests/bench/store/store.c $(filter-out %/main.o,$(call toolstack_objects,store)) $(O)/toolstack.link
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(TOOLSTACK_FLAGS) $(TOOLSTACK_LDFLAGS) -o $@ $(filter %.c %.o,$^)

# Their tests: for the host like all unit tests, but with the host's headers and libraries.
TOOLSTACK_HOST_CC = $(Q)$(CC) $(TOOLSTACK_HOST_FLAGS) $(UNIT_SANITIZE) $(DEPENDENCIES) -c -o $@ $<
TOOLSTACK_FUZZ_CC = $(Q)$(CLANG) $(TOOLSTACK_HOST_FLAGS) $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link $(DEPENDENCIES) -c -o $@ $<

# $(1) group.
define toolstack_test_rules
$(O)/unit/$(1).a: $(call toolstack_group,$(1),unit) $(O)/toolstack.link
	$$(Q)rm -f $$@ && $(AR) qcsD $$@ $$(filter %.o,$$^)

$(O)/fuzz/$(1).a: $(call toolstack_group,$(1),fuzz) $(O)/toolstack.link
	$$(Q)rm -f $$@ && $(AR) qcsD $$@ $$(filter %.o,$$^)

$(O)/unit/tests/unit/test_$(1)_%.o: tests/unit/test_$(1)_%.c $(O)/toolstack.host.flags
	@mkdir -p $$(@D)
	$$(call say,HOSTCC,$$<)
	$$(TOOLSTACK_HOST_CC)

$(O)/fuzz/tests/fuzz/fuzz_$(1)_%.o: tests/fuzz/fuzz_$(1)_%.c $(O)/toolstack.fuzz.flags
	@mkdir -p $$(@D)
	$$(call say,CLANG,$$<)
	$$(TOOLSTACK_FUZZ_CC)

$(O)/tests/unit/test_$(1)_%: $(O)/unit/tests/unit/test_$(1)_%.o $(O)/unit/$(1).a $(addprefix $(O)/unit/,$(TOOLSTACK_CORE_$(1)))
	@mkdir -p $$(@D)
	$$(call say,HOSTLD,$$@)
	$$(Q)$(CC) $(UNIT_SANITIZE) -pthread -o $$@ $$^ $(TOOLSTACK_LIBRARIES_$(1)) -lcmocka

$(O)/tests/fuzz/fuzz_$(1)_%: $(O)/fuzz/tests/fuzz/fuzz_$(1)_%.o $(O)/fuzz/$(1).a $(addprefix $(O)/fuzz/,$(TOOLSTACK_CORE_$(1)))
	@mkdir -p $$(@D)
	$$(call say,CLANGLD,$$@)
	$$(Q)$(CLANG) $(FUZZ_SANITIZE) -fsanitize=fuzzer -pthread -o $$@ $$^ $(TOOLSTACK_LIBRARIES_$(1))
endef
$(foreach g,$(TOOLSTACK_GROUPS),$(eval $(call toolstack_test_rules,$(g))))

# What races with another thread is looked at by another sanitizer, which cannot be linked with the usual one.
define race_rule
$(O)/tests/unit/test_$(1)_race: tests/unit/test_$(1)_race.c $(filter-out %/main.c,$(call toolstack_sources,$(1))) $(wildcard tests/unit/*.h backends/*/*.h abi/io/*.h) $(O)/toolstack.link
	@mkdir -p $$(@D)
	$$(call say,HOSTLD,$$@)
	$$(Q)$(CC) $(TOOLSTACK_HOST_FLAGS) -fsanitize=thread -Wno-tsan -o $$@ $$(filter %.c,$$^) $(TOOLSTACK_LIBRARIES_$(1)) -lcmocka
endef
$(foreach g,block net,$(eval $(call race_rule,$(g))))

$(FRONTS): $(O)/tests/system/%_front: $(FRONT_SOURCES) $(wildcard tests/system/*/*.[ch] backends/common/*.h abi/io/*.h) $(O)/toolstack.host.flags
	@mkdir -p $(@D)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $(TOOLSTACK_HOST_FLAGS) $(UNIT_SANITIZE) -o $@ $(FRONT_SOURCES) $(wildcard tests/system/$*/*.c)

# --- Test guests ----------------------------------------------------------------------------------

guest_of = $(firstword $(subst /, ,$(patsubst tests/guest/%,%,$(1))))

# A guest's own flags are in its flags.mk.
$(foreach g,$(GUEST_NAMES),$(eval $(call guest_objects,$(g)): $(wildcard tests/guest/$(g)/flags.mk)))

$(O)/tests/guest/%.o: tests/guest/%.c $(O)/guest.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(GUEST_FLAGS) $(GUEST_CFLAGS_$(call guest_of,$<)) $(DEPENDENCIES) -c -o $@ $<

$(O)/tests/guest/%.S.o: tests/guest/%.S $(O)/guest.flags
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(GUEST_FLAGS) $(GUEST_CFLAGS_$(call guest_of,$<)) -D__ASSEMBLY__ $(DEPENDENCIES) -c -o $@ $<

define guest_rule
$(O)/tests/guest/$(1).elf: $(call guest_objects,$(1)) $(GUEST_LIBRARY) tests/guest/lib/guest.lds $(O)/guest.link
	$$(call say,LD,$$@)
	$$(Q)$(LD) $(GUEST_LDFLAGS) -T tests/guest/lib/guest.lds -o $$@ $(call guest_objects,$(1)) $(GUEST_LIBRARY)
endef
$(foreach g,$(GUEST_NAMES),$(eval $(call guest_rule,$(g))))

$(O)/tests/bench/%.o: tests/bench/%.c $(O)/guest.flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(GUEST_FLAGS) $(DEPENDENCIES) -c -o $@ $<

$(O)/tests/bench/%.S.o: tests/bench/%.S $(O)/guest.flags
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC) $(GUEST_FLAGS) -D__ASSEMBLY__ $(DEPENDENCIES) -c -o $@ $<

define bench_rule
$(O)/tests/bench/$(1).elf: $(call bench_objects,$(1)) $(GUEST_LIBRARY) tests/guest/lib/guest.lds $(O)/guest.link
	$$(call say,LD,$$@)
	$$(Q)$(LD) $(GUEST_LDFLAGS) -T tests/guest/lib/guest.lds -o $$@ $(call bench_objects,$(1)) $(GUEST_LIBRARY)
endef
$(foreach b,$(BENCH_NAMES),$(eval $(call bench_rule,$(b))))

# --- What is measured under Linux -----------------------------------------------------------------

BENCH_FLAGS_C := -std=gnu17 -O2 $(WARNINGS) $(REPRODUCIBLE) -iquote .

$(O)/tests/bench/init: $(BENCH_PROGRAM) $(wildcard tests/bench/program/*.h toolstack/measure/*.h toolstack/share/*.h abi/*.h)
	@mkdir -p $(@D)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $(BENCH_FLAGS_C) -static -s -o $@ $(BENCH_PROGRAM)

# BusyBox is there to be executed as a shell.
$(O)/tests/bench/initrd.gz: $(O)/tests/bench/init /bin/busybox
	$(call say,CPIO,$@)
	$(Q)mkdir -p $(@D)/content/bin && cp $< /bin/busybox $(@D)/content/ && mv $(@D)/content/busybox $(@D)/content/bin/
	$(Q)cd $(@D)/content && touch -d @0 init bin/busybox bin && printf '%s\n' init bin bin/busybox | \
		cpio --create --format=newc --reproducible --owner=+0:+0 --quiet | gzip -9n >../$(@F)

$(O)/tests/bench/plugin.so: $(BENCH_PLUGIN) $(wildcard tests/bench/plugin/*.h)
	@mkdir -p $(@D)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $(BENCH_FLAGS_C) -shared -fPIC -fvisibility=hidden -o $@ $(BENCH_PLUGIN)

# --- Unit tests and fuzzers, on the host ----------------------------------------------------------

# $(1) source. Ours of the functions that the host has too are compiled as for the hypervisor.
host_flags = $(HOST_FLAGS) $(if $(filter $(LIBC_SOURCES),$(1)),-ffreestanding)
rename_libc = $(if $(filter $(LIBC_SOURCES),$(1)),$(Q)$(OBJCOPY) $(LIBC_RENAME) $@)

$(O)/unit/%.o: %.c $(CONFIG_H) $(O)/host.flags
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(CC) $(call host_flags,$<) $(UNIT_SANITIZE) $(DEPENDENCIES) -c -o $@ $<
	$(call rename_libc,$<)

$(O)/fuzz/%.o: %.c $(CONFIG_H) $(O)/fuzz.flags
	@mkdir -p $(@D)
	$(call say,CLANG,$<)
	$(Q)$(CLANG) $(call host_flags,$<) $(FUZZ_SANITIZE) -fsanitize=fuzzer-no-link $(DEPENDENCIES) -c -o $@ $<
	$(call rename_libc,$<)

$(O)/unit/core.a: $(UNIT_CORE) $(O)/host.link
	$(Q)rm -f $@ && $(AR) rcsD $@ $(UNIT_CORE)

$(O)/fuzz/core.a: $(FUZZ_CORE) $(O)/host.link
	$(Q)rm -f $@ && $(AR) rcsD $@ $(FUZZ_CORE)

# A test may bring its own of a function of the core: the first definition counts.
$(O)/tests/unit/test_%: $(O)/unit/tests/unit/test_%.o $(O)/unit/core.a
	@mkdir -p $(@D)
	$(call say,HOSTLD,$@)
	$(Q)$(CC) $(UNIT_SANITIZE) -Wl,-z,muldefs -o $@ $^ -lcmocka

$(O)/tests/fuzz/fuzz_%: $(O)/fuzz/tests/fuzz/fuzz_%.o $(O)/fuzz/core.a
	@mkdir -p $(@D)
	$(call say,CLANGLD,$@)
	$(Q)$(CLANG) $(FUZZ_SANITIZE) -fsanitize=fuzzer -o $@ $^

# --- Header dependencies found by earlier runs ----------------------------------------------------

-include $(HYPERVISOR_OBJECTS:.o=.d) $(UNIT_CORE:.o=.d) $(FUZZ_CORE:.o=.d) \
	$(foreach g,lib $(GUEST_NAMES),$(patsubst %.o,%.d,$(call guest_objects,$(g)))) \
	$(foreach b,$(BENCH_NAMES),$(patsubst %.o,%.d,$(call bench_objects,$(b)))) \
	$(UNIT_TESTS:$(O)/tests/unit/%=$(O)/unit/tests/unit/%.d) \
	$(FUZZERS:$(O)/tests/fuzz/%=$(O)/fuzz/tests/fuzz/%.d) \
	$(foreach p,$(TOOLSTACK_NAMES),$(patsubst %.o,%.d,$(call toolstack_objects,$(p)))) \
	$(foreach g,$(TOOLSTACK_GROUPS),$(patsubst %.o,%.d,$(call toolstack_group,$(g),unit) $(call toolstack_group,$(g),fuzz))) \
	$(O)/include/asm_offsets.h.d $(O)/hypervisor.lds.d
