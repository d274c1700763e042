/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of /dev/ringfence share: an open file, and the calls, each of which gets the structure of
 * its number in abi/control_device.h. While a call is at work the number of a domain stays the same domain's.
 */
#ifndef _X86_RINGFENCE_CONTROL_H
#define _X86_RINGFENCE_CONTROL_H

#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/xarray.h>

#include <asm/ringfence/abi/control_device.h>

#include "ringfence.h"

struct file;
struct vm_area_struct;

/* mutex is taken after lock, and after the lock of an address space: with it, nothing of the program is touched. */
struct control_handle {
	struct kref references;		/* the file, and each of its ports' files */
	struct rw_semaphore lock;	/* written to lock it to a domain */
	bool locked;
	u32 domain;
	u64 serial;
	u64 seen;			/* news that were read */
	struct mutex mutex;		/* of what follows */
	struct list_head ports;
	unsigned int port_count;
	struct xarray grants;
	struct xarray fleeting;		/* domains that end with the file: by number, their serial numbers */
};

/* control.c */
void rf_control_put(struct control_handle *handle);
u64 rf_control_serial(u32 domain);	/* 0: there is no such domain */

/* control_domain.c */
bool rf_control_is_own(u32 domain);
long rf_control_create(struct control_handle *handle, void *argument);
long rf_control_keep(struct control_handle *handle, void *argument);
void rf_control_end_fleeting(struct control_handle *handle);
long rf_control_set(struct control_handle *handle, void *argument);
long rf_control_copy(struct control_handle *handle, void *argument);
long rf_control_trigger(struct control_handle *handle, void *argument);
long rf_control_info(struct control_handle *handle, void *argument);
long rf_control_destroy(struct control_handle *handle, void *argument);
long rf_control_console_read(struct control_handle *handle, void *argument);
long rf_control_counters(struct control_handle *handle, void *argument);
long rf_control_populate(struct control_handle *handle, void *argument);
long rf_control_release(struct control_handle *handle, void *argument);

/* control_event.c */
long rf_control_event_listen(struct control_handle *handle, void *argument);
long rf_control_event_connect(struct control_handle *handle, void *argument);
bool rf_control_has_ports(struct control_handle *handle);
void rf_control_end_ports(struct control_handle *handle);

/* control_grant.c */
long rf_control_grant_map(struct control_handle *handle, void *argument);
long rf_control_grant_unmap(struct control_handle *handle, void *argument);
long rf_control_grant_copy(struct control_handle *handle, void *argument);
int rf_control_mmap(struct file *file, struct vm_area_struct *area);
bool rf_control_has_grants(struct control_handle *handle);
void rf_control_end_grants(struct control_handle *handle);

#endif
