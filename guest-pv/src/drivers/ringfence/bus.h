/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bus of the devices that a domain finds in the store, each with a back end in another domain: docs/io.md.
 *
 * A driver serves a class. Its functions are called one at a time for each device, and may sleep
 * and use the store.
 */
#ifndef _RINGFENCE_BUS_H
#define _RINGFENCE_BUS_H

#include <linux/compiler_attributes.h>
#include <linux/device.h>
#include <linux/types.h>

#include "store.h"

/* What the two ends say of themselves: the numbers are xenbus'. */
enum rf_state {
	RF_STATE_UNKNOWN	= 0,	/* it says nothing */
	RF_STATE_INITIALISING	= 1,
	RF_STATE_WAITING	= 2,
	RF_STATE_INITIALISED	= 3,
	RF_STATE_CONNECTED	= 4,
	RF_STATE_CLOSING	= 5,
	RF_STATE_CLOSED		= 6,
};

#define RF_CLASS_SIZE	 16
#define RF_INSTANCE_SIZE 32

struct rf_device {
	struct device dev;
	struct list_head list;
	char class[RF_CLASS_SIZE];
	u32 number;
	u32 backend_domain;
	enum rf_state state;	/* as this end has said */
	enum rf_state other;	/* and the other, when it was last looked at */
	struct rf_store_watch *watch;
	char folder[RF_STORE_PATH_MAX];		/* of this end */
	char backend[RF_STORE_PATH_MAX];	/* of the other */
	char instance[RF_INSTANCE_SIZE];	/* which of those that this folder was given to */
};

struct rf_driver {
	struct device_driver driver;
	const char *class;
	int (*probe)(struct rf_device *device);
	/* The device has gone, or the driver goes: nothing of it may be used afterwards. */
	void (*remove)(struct rf_device *device);
	/* Something in the other end's folder has changed, its state (device->other) maybe; and once after probe(). */
	void (*changed)(struct rf_device *device);
};

static inline struct rf_device *to_rf_device(struct device *dev)
{
	return container_of(dev, struct rf_device, dev);
}

int rf_driver_register(struct rf_driver *driver);
void rf_driver_unregister(struct rf_driver *driver);

/* The other end is told. -ENODEV: the device was taken away, and will be removed. */
int rf_device_set_state(struct rf_device *device, enum rf_state state);

/* The same, with what write() writes in this transaction; it may be called again. */
int rf_device_tell(struct rf_device *device, enum rf_state state,
		   int (*write)(struct rf_store_transaction transaction, const void *argument),
		   const void *argument);

/* Why it is over, for the log and the other end, and that state. */
__printf(3, 4)
void rf_device_fail(struct rf_device *device, enum rf_state state, const char *format, ...);

#endif
