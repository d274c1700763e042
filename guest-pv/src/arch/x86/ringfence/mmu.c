// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables. They are ordinary memory, so entries are written as on bare hardware; what the
 * hypervisor has to be told is which table is loaded, and what became tighter.
 *
 * Flushes name the table and the range and cover all CPUs, so there are no interprocessor
 * interrupts, and tlb_gen never moves: switching back to an address space needs no flush either.
 *
 * What an address space leaves behind is forgotten together with the next load of a root on this CPU,
 * see rf_exit_mmap() and rf_pgd_free().
 */
#include <linux/mm.h>
#include <linux/percpu.h>

#include <asm/paravirt.h>
#include <asm/pgtable.h>
#include <asm/sections.h>
#include <asm/tlb.h>
#include <asm/tlbflush.h>

#include <asm/ringfence/abi/mmu.h>
#include <asm/ringfence/mmu.h>

#include "ringfence.h"

#define USER_END	BIT(47)			/* of the lower half, which each table has its own */
#define KERNEL_START	0xffff880000000000UL	/* of what all tables share */

#define FREED_MAX	6

/* What waits for the next load of a root on this CPU. Interrupts are off where it is changed. */
struct deferred {
	unsigned long dead;		/* the root that is loaded: nobody uses its lower half any more */
	unsigned int count;
	unsigned long freed[FREED_MAX];	/* roots that are none any more */
};

static DEFINE_PER_CPU(unsigned long, rf_cr3);
static DEFINE_PER_CPU(struct deferred, rf_deferred);

static long perform(enum rf_mmu_operation operation, unsigned long root, unsigned long start,
		    unsigned long end)
{
	struct rf_mmu_op op = {
		.operation = operation, .root = root, .start = start, .end = end
	};
	long done = rf_call2(RF_HYPERCALL_mmu_batch, (unsigned long)&op, 1);

	return done < 0 ? done : 0;
}

/* What was not flushed could be used after it was freed. */
static void flush(enum rf_mmu_operation operation, unsigned long root, unsigned long start,
		  unsigned long end)
{
	if (perform(operation, root, start, end))
		panic("Ringfence: flush %d of root %#lx, %#lx-%#lx refused", operation, root,
		      start, end);
}

/*
 * The hypervisor dropped the page with the fault of this task, which has not been switched since; and
 * no other task could have used it. Mostly the page is being copied.
 */
static bool is_dropped(const struct mm_struct *mm, unsigned long start, unsigned long end)
{
	return end - start == PAGE_SIZE && start &&
	       this_cpu_read(rf_vcpu_page.dropped) == start &&
	       mm == current->mm && atomic_read(&mm->mm_users) == 1;
}

/* With its last user gone nobody reaches what it maps, and rf_exit_mmap() has everything unlinked. */
static bool is_dead(const struct mm_struct *mm)
{
	return atomic_read(&mm->mm_users) == 0;
}

static void flush_user(unsigned long root, unsigned long start, unsigned long end)
{
	end = min(end, USER_END);
	if (start < end)
		flush(RF_MMU_FLUSH_RANGE, root, start & PAGE_MASK, PAGE_ALIGN(end));
}

/*
 * A page that may be written now, most often by mprotect(). This task will write it as soon as it is
 * back in user mode: asking for that saves the fault. Should another task return there first,
 * nothing but time is lost.
 */
static void rf_modify_prot_commit(struct vm_area_struct *vma, unsigned long address, pte_t *ptep,
				  pte_t pte)
{
	unsigned long asked = this_cpu_read(rf_vcpu_page.prefill);
	unsigned long pages = asked % PAGE_SIZE + 1;

	set_pte_at(vma->vm_mm, address, ptep, pte);
	if (!pte_write(pte) || vma->vm_mm != current->mm)
		return;
	if (asked && pages < PAGE_SIZE && (asked & PAGE_MASK) + pages * PAGE_SIZE == address)
		this_cpu_write(rf_vcpu_page.prefill, asked + 1);
	else
		this_cpu_write(rf_vcpu_page.prefill, address);
}

void rf_flush_kernel_range(unsigned long start, unsigned long end)
{
	if (end == TLB_FLUSH_ALL)
		start = KERNEL_START;
	start = max(start & PAGE_MASK, KERNEL_START);
	/* The end of the address space is written as zero, as it comes out of the rounding. */
	end = PAGE_ALIGN(end);
	if (end == 0 || start < end)
		flush(RF_MMU_FLUSH_KERNEL, 0, start, end);
}

void rf_flush_mm_range(struct mm_struct *mm, unsigned long start, unsigned long end)
{
	if (end == TLB_FLUSH_ALL)
		start = 0;
	if (start >= TASK_SIZE_MAX)
		rf_flush_kernel_range(start, end);
	else if (!is_dropped(mm, start, end) && !is_dead(mm))
		flush_user(__pa(mm->pgd), start, end);
}

void rf_flush_all(void)
{
	flush(RF_MMU_FLUSH_ALL, 0, 0, 0);
}

static void rf_flush_tlb_user(void)
{
	flush_user(this_cpu_read(rf_cr3), 0, USER_END);
}

static void rf_flush_tlb_kernel(void)
{
	rf_flush_tlb_user();
	rf_flush_kernel_range(0, TLB_FLUSH_ALL);
}

static void rf_flush_tlb_one(unsigned long address)
{
	if (address >= TASK_SIZE_MAX)
		rf_flush_kernel_range(address, address + PAGE_SIZE);
	else
		flush_user(this_cpu_read(rf_cr3), address, address + PAGE_SIZE);
}

static void rf_flush_tlb_multi(const struct cpumask *cpus, const struct flush_tlb_info *info)
{
	if (info->mm)
		rf_flush_mm_range(info->mm, info->start, info->end);
	else
		rf_flush_all();
}

static unsigned long rf_read_cr3(void)
{
	return this_cpu_read(rf_cr3);
}

static struct rf_mmu_op operation_on(enum rf_mmu_operation operation, unsigned long root)
{
	return (struct rf_mmu_op){ .operation = operation, .root = root };
}

/*
 * Freed roots come first, as one of them may be the one that is loaded, for somebody else now; the
 * dead one last, when it is loaded no more. Returns how many operations there are.
 */
static unsigned int take_deferred(struct rf_mmu_op *ops, unsigned long root)
{
	struct deferred *deferred = this_cpu_ptr(&rf_deferred);
	unsigned int i, count = 0;

	for (i = 0; i < deferred->count; i++)
		ops[count++] = operation_on(RF_MMU_DESTROY_ROOT, deferred->freed[i]);
	ops[count++] = operation_on(RF_MMU_LOAD_ROOT, root);
	if (deferred->dead)
		ops[count++] = operation_on(RF_MMU_DROP_USER, deferred->dead);
	deferred->count = 0;
	deferred->dead = 0;
	return count;
}

/* A freed root may be in use again, on another CPU, or not be memory any more: then it stays as it is. */
static void perform_all(const struct rf_mmu_op *ops, unsigned int count)
{
	while (count) {
		long done = rf_call2(RF_HYPERCALL_mmu_batch, (unsigned long)ops, count);

		if (done <= 0 && ops->operation != RF_MMU_DESTROY_ROOT)
			panic("Ringfence: operation %u of root %#llx refused: %ld",
			      ops->operation, ops->root, done);
		if (done <= 0)
			done = 1;
		ops += done;
		count -= done;
	}
}

static noinline void load_root_and_more(unsigned long root)
{
	struct rf_mmu_op ops[FREED_MAX + 2];
	unsigned long flags;

	local_irq_save(flags);
	perform_all(ops, take_deferred(ops, root));
	local_irq_restore(flags);
}

static void rf_write_cr3(unsigned long value)
{
	unsigned long root = value & CR3_ADDR_MASK;

	this_cpu_write(rf_cr3, root);
	if (this_cpu_read(rf_deferred.dead) || this_cpu_read(rf_deferred.count))
		load_root_and_more(root);
	else if (perform(RF_MMU_LOAD_ROOT, root, 0, 0))
		panic("Ringfence: root %#lx refused", root);
}

void rf_mmu_perform_deferred(void *unused)
{
	load_root_and_more(this_cpu_read(rf_cr3));
}

/* An NMI that came within a page fault restores it. */
static noinstr void rf_write_cr2(unsigned long value)
{
	this_cpu_write(rf_vcpu_page.cr2, value);
}

/*
 * Everything at once; the flushes that follow are left out. Mostly the address space is still loaded
 * here, by a task that ends and has left it: nobody uses its lower half, not even the kernel,
 * until another is loaded, and that is soon enough to forget it.
 */
static void rf_exit_mmap(struct mm_struct *mm)
{
	unsigned long root = __pa(mm->pgd), flags;

	local_irq_save(flags);
	if (root == this_cpu_read(rf_cr3))
		this_cpu_write(rf_deferred.dead, root);
	else
		perform(RF_MMU_DROP_USER, root, 0, 0);
	local_irq_restore(flags);
}

/*
 * It is loaded nowhere, so each CPU where it was dead has forgotten its lower half by now. There is nothing
 * left that could be wrong if this page becomes another root before it is destroyed as this one.
 */
static void rf_pgd_free(struct mm_struct *mm, pgd_t *pgd)
{
	struct deferred *deferred;
	unsigned long flags;
	long error = 0;

	local_irq_save(flags);
	deferred = this_cpu_ptr(&rf_deferred);
	if (deferred->count < FREED_MAX)
		deferred->freed[deferred->count++] = __pa(pgd);
	else
		error = perform(RF_MMU_DESTROY_ROOT, __pa(pgd), 0, 0);
	local_irq_restore(flags);
	if (error)
		panic("Ringfence: root %#lx cannot be destroyed: %ld", __pa(pgd), error);
}

/*
 * The tables that the kernel starts on map the first GiB, at its own address and where the direct
 * map will be. The setup of the direct map expects to find nothing; it only takes its first tables
 * from the image, so that is what stays, not executable.
 */
static void __init tighten_start_tables(void)
{
	pmd_t *pmd = pmd_offset(pud_offset(p4d_offset(pgd_offset_k(PAGE_OFFSET), PAGE_OFFSET),
					   PAGE_OFFSET), PAGE_OFFSET);
	unsigned int first = pmd_index(__pa_symbol(_text));
	unsigned int last = pmd_index(__pa_symbol(_end) - 1);
	unsigned int i;

	for (i = 0; i < PTRS_PER_PMD; i++)
		set_pmd(&pmd[i], i < first || i > last ? __pmd(0) :
						     __pmd(pmd_val(pmd[i]) | _PAGE_NX));
	init_top_pgt[0] = __pgd(0);
	rf_flush_all();
}

void rf_mmu_start_cpu(void)
{
	this_cpu_write(rf_cr3, __pa_symbol(init_top_pgt));
}

void __init rf_mmu_init_ops(void)
{
	rf_mmu_start_cpu();
	pv_ops.mmu.flush_tlb_user = rf_flush_tlb_user;
	pv_ops.mmu.flush_tlb_kernel = rf_flush_tlb_kernel;
	pv_ops.mmu.flush_tlb_one_user = rf_flush_tlb_one;
	pv_ops.mmu.flush_tlb_multi = rf_flush_tlb_multi;
	/* Nobody waits for an interrupt of ours, so tables that others walk go by RCU. */
	pv_ops.mmu.tlb_remove_table = tlb_remove_table;
	pv_ops.mmu.ptep_modify_prot_commit = rf_modify_prot_commit;
	pv_ops.mmu.exit_mmap = rf_exit_mmap;
	pv_ops.mmu.pgd_free = rf_pgd_free;
	pv_ops.mmu.read_cr2 = __PV_IS_CALLEE_SAVE(rf_read_cr2);
	pv_ops.mmu.write_cr2 = rf_write_cr2;
	pv_ops.mmu.read_cr3 = rf_read_cr3;
	pv_ops.mmu.write_cr3 = rf_write_cr3;
	tighten_start_tables();
}
