// SPDX-License-Identifier: BSD-2-Clause
/*
 * Proves that the control domain reaches the memory of devices and firmware, by pages of every size
 * and with every cache attribute, but not the interrupt controllers; that no page table, hypercall
 * argument or vCPU page can lie there; and that no other domain reaches any of it. The device is
 * QEMU's `edu`.
 */
/* covers: mmu_batch, console_write, vcpu_register_page */
#include "test.h"

#include "pci.h"

const char test_title[] = "device memory";

#define KERNEL_BASE   TEST_KERNEL_BASE
#define USER_BASE     0x40000000UL
#define LARGE_MASK    (LARGE_PAGE_SIZE - 1)
#define GIGABYTE      0x40000000UL

#define LOCAL_APIC    0xfee00000UL
#define MESSAGES_SIZE 0x100000UL
#define IOAPIC	      0xfec00000UL
#define HPET	      0xfed00000UL
#define HPET_VENDOR   0x8086

#define EDU_ID	      0x11e81234
#define EDU_VERSION   0x010000edU
#define EDU_LIVENESS  4
#define PTE_PAT	      0x80UL
#define PTE_PAT_LARGE 0x1000UL
#define UNCACHED      (PTE_PCD | PTE_PWT)
#define REFUSED	      (FAULT_PRESENT | FAULT_RESERVED)

static uint64_t root;

/* The physical address of the device's registers. */
static uint64_t find_edu(void)
{
	uint32_t slot = pci_find(EDU_ID);

	pci_write(slot, PCI_COMMAND, pci_read(slot, PCI_COMMAND) | PCI_MEMORY);
	return pci_read(slot, PCI_BAR0) & ~0xfU;
}

static uint32_t load32(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

static void store32(uint64_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

static uint64_t flags(uint64_t base)
{
	return base < USER_END ? PTE_USER_RW : PTE_KERNEL_RW;
}

static void flush(uint64_t base, uint64_t size)
{
	CHECK_EQ(base < USER_END ? mmu_flush(root, base, base + size)
				 : mmu_flush_kernel(base, base + size),
		 0, "flush");
}

static uint64_t fills(void)
{
	struct rf_counters counters = {};

	CHECK_EQ(hv_counters(RF_DOMAIN_SELF, 0, ADDRESS(&counters)), 0, "counters");
	return counters.fills;
}

/* The device answers: it inverts what is written to one of its registers. */
static void use_edu(uint64_t address, uint32_t number)
{
	CHECK_EQ(load32(address), EDU_VERSION, "version at %#lx", address);
	store32(address + EDU_LIVENESS, number);
	CHECK_EQ(load32(address + EDU_LIVENESS), (uint32_t)~number, "at %#lx", address);
}

static void small_pages(uint64_t edu, uint64_t base)
{
	static const uint64_t attributes[] = { UNCACHED, PTE_PCD, PTE_PWT, PTE_PAT, 0 };
	uint32_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		root_map(root, base, edu, flags(base) | attributes[i]);
		flush(base, PAGE_SIZE);
		use_edu(base, 1000 + i);
		test_audit_flushed();
	}
}

static void large_page(uint64_t edu, uint64_t base)
{
	static const uint64_t attributes[] = { UNCACHED, PTE_PAT_LARGE, PTE_PAT_LARGE | PTE_PWT };
	uint64_t before;
	uint32_t i;

	for (i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
		root_map_large(root, base, edu & ~LARGE_MASK, flags(base) | attributes[i]);
		flush(base, LARGE_PAGE_SIZE);
		before = fills();
		use_edu(base + (edu & LARGE_MASK), 2000 + i);
		CHECK(fills() - before <= 1, "%lu fills for a large page", fills() - before);
		test_audit_flushed();
	}
	root_map_large(root, base, 0, 0);
	flush(base, LARGE_PAGE_SIZE);
}

static void gigabyte(uint64_t edu)
{
	uint64_t base = 1UL << 39;

	atomic_store(root_entry(root, base, 3),
		     (edu & ~(GIGABYTE - 1)) | PTE_USER_RW | PTE_LARGE | UNCACHED);
	use_edu(base + edu % GIGABYTE, 3000);
	test_audit_flushed();
	atomic_store(root_entry(root, base, 3), 0);
	flush(base, GIGABYTE);
}

/* What a read meets: the vector, and the error code in *error. */
static uint64_t probe(uint64_t address, uint64_t *error)
{
	struct trap trap;

	TRY(&trap)
	load32(address);
	*error = trap.error;
	return trap.vector;
}

static void check_refused(uint64_t physical)
{
	uint64_t error;

	root_map(root, USER_BASE, physical, PTE_USER_RW | UNCACHED);
	flush(USER_BASE, PAGE_SIZE);
	CHECK_EQ(probe(USER_BASE, &error), VECTOR_PF, "%#lx", physical);
	CHECK_EQ(error, REFUSED, "%#lx", physical);
}

static void controllers(void)
{
	uint64_t offset, error;

	for (offset = 0; offset < MESSAGES_SIZE; offset += PAGE_SIZE)
		check_refused(LOCAL_APIC + offset);
	check_refused(IOAPIC);
	/* One large page over a controller and others: all but the controller. */
	root_map_large(root, USER_BASE, IOAPIC, PTE_USER_RW | UNCACHED);
	flush(USER_BASE, LARGE_PAGE_SIZE);
	CHECK_EQ(probe(USER_BASE, &error), VECTOR_PF, "controller in a large page");
	CHECK_EQ(load32(USER_BASE + HPET - IOAPIC) >> 16, HPET_VENDOR, "timer");
	CHECK_EQ(probe(USER_BASE, &error), VECTOR_PF, "controller after its neighbour");
	test_audit_flushed();
	root_map_large(root, USER_BASE, 0, 0);
	flush(USER_BASE, LARGE_PAGE_SIZE);
}

static void firmware(void)
{
	static const char signature[8] = { 'R', 'S', 'D', ' ', 'P', 'T', 'R', ' ' };
	uint64_t rsdp = start_info->acpi_rsdp;

	if (!CHECK(rsdp != 0, "no ACPI"))
		return;
	root_map(root, USER_BASE, rsdp & ~(PAGE_SIZE - 1), PTE_USER_RO);
	flush(USER_BASE, PAGE_SIZE);
	CHECK_EQ(load64(USER_BASE + rsdp % PAGE_SIZE), *(const uint64_t *)signature, "signature");
}

/* Only translations lead there. */
static void nothing_else(uint64_t edu)
{
	uint64_t error;

	root_map(root, USER_BASE, edu, PTE_USER_RW | UNCACHED);
	flush(USER_BASE, PAGE_SIZE);
	use_edu(USER_BASE, 4000);
	CHECK_EQ(hv_console_write(USER_BASE, 4), -EFAULT, "argument");
	CHECK_EQ(hv_vcpu_register_page(edu / PAGE_SIZE), -EINVAL, "page");
	CHECK_EQ(mmu_do(RF_MMU_LOAD_ROOT, edu, 0, 0), -EINVAL, "root");
	atomic_store(root_entry(root, USER_BASE, 2), edu | PTE_USER_RW);
	flush(USER_BASE, LARGE_PAGE_SIZE);
	CHECK_EQ(probe(USER_BASE, &error), VECTOR_PF, "table");
	CHECK_EQ(error, REFUSED, "table");
	atomic_store(root_entry(root, USER_BASE, 2), 0);
	flush(USER_BASE, LARGE_PAGE_SIZE);
}

static void control(void)
{
	uint64_t edu = find_edu();

	controllers();
	firmware();
	small_pages(edu, USER_BASE);
	small_pages(edu, KERNEL_BASE);
	root_unmap(root, KERNEL_BASE);
	flush(KERNEL_BASE, PAGE_SIZE);
	large_page(edu, USER_BASE + LARGE_PAGE_SIZE);
	large_page(edu, KERNEL_BASE + LARGE_PAGE_SIZE);
	gigabyte(edu);
	nothing_else(edu);
	CHECK_EQ(domain_wait_end(domain_named("other"), 60, &(struct rf_domain_info){}),
		 RF_DOMAIN_SHUTDOWN, "the other domain");
	test_audit_flushed();
}

/* The same addresses, and the whole of where QEMU puts devices, in steps. */
static void other(void)
{
	uint64_t address;

	check_refused(LOCAL_APIC);
	check_refused(IOAPIC);
	check_refused(HPET);
	for (address = 0xe0000000; address < 1UL << 32; address += 0x10000)
		check_refused(address);
}

void test_main(void)
{
	root = root_boot();
	if (test_is_control())
		control();
	else
		other();
}
