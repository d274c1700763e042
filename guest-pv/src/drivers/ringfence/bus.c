// SPDX-License-Identifier: GPL-2.0
/*
 * The bus of the devices that a domain finds in the store: device/CLASS/ID, once the toolstack has written
 * `backend` and `backend-id` there, and until they are gone.
 *
 * Devices come and go in the task that calls watches, so they need no lock among themselves. A driver's
 * functions are called with the device locked, as the driver core does for probe and remove.
 *
 * /sys/bus/ringfence/devices/CLASS-ID/ has both ends' states and where the other is.
 */
#include <linux/err.h>
#include <linux/init.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <asm/ringfence/start.h>

#include "bus.h"

#define DEVICES		"device"
#define DOMAINS_MAX	4096	/* as a grant can name */
#define TELL_TRIES	16

static LIST_HEAD(devices);	/* of the task that calls watches */
static DEFINE_MUTEX(telling);	/* a domain may have few transactions at once */

static struct rf_driver *to_rf_driver(struct device_driver *driver)
{
	return container_of(driver, struct rf_driver, driver);
}

/* --- Sysfs */

static const char *const state_names[] = {
	[RF_STATE_UNKNOWN]	= "unknown",
	[RF_STATE_INITIALISING]	= "initialising",
	[RF_STATE_WAITING]	= "waiting",
	[RF_STATE_INITIALISED]	= "initialised",
	[RF_STATE_CONNECTED]	= "connected",
	[RF_STATE_CLOSING]	= "closing",
	[RF_STATE_CLOSED]	= "closed",
};

static ssize_t state_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%s\n", state_names[to_rf_device(dev)->state]);
}
static DEVICE_ATTR_RO(state);

static ssize_t backend_state_show(struct device *dev, struct device_attribute *attribute,
				  char *text)
{
	return sysfs_emit(text, "%s\n", state_names[to_rf_device(dev)->other]);
}
static DEVICE_ATTR_RO(backend_state);

static ssize_t backend_show(struct device *dev, struct device_attribute *attribute, char *text)
{
	return sysfs_emit(text, "%s\n", to_rf_device(dev)->backend);
}
static DEVICE_ATTR_RO(backend);

static struct attribute *device_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_backend_state.attr,
	&dev_attr_backend.attr,
	NULL,
};
ATTRIBUTE_GROUPS(device);

/* --- Whose the folder is */

/* A toolstack need not write one: then all are alike. */
static void read_instance(struct rf_store_transaction transaction, const struct rf_device *device,
			  char *instance)
{
	char *text = rf_store_read(transaction, device->folder, "instance");

	instance[0] = 0;
	if (IS_ERR(text))
		return;
	strscpy(instance, text, RF_INSTANCE_SIZE);
	kfree(text);
}

static bool is_another(struct rf_store_transaction transaction, const struct rf_device *device)
{
	char instance[RF_INSTANCE_SIZE];

	read_instance(transaction, device, instance);
	return *instance && strcmp(instance, device->instance);
}

/* If the store does not say so, it is not gone. */
static bool is_gone(struct rf_store_transaction transaction, const struct rf_device *device)
{
	char *backend = rf_store_read(transaction, device->folder, "backend");
	bool gone;

	if (IS_ERR(backend))
		return PTR_ERR(backend) == -ENOENT;
	gone = strcmp(backend, device->backend) || is_another(transaction, device);
	kfree(backend);
	return gone;
}

/* --- States */

struct telling {
	struct rf_device *device;
	enum rf_state state;
	int (*write)(struct rf_store_transaction transaction, const void *argument);
	const void *argument;
};

static int tell_within(struct rf_store_transaction transaction, const struct telling *this)
{
	int error = is_gone(transaction, this->device) ? -ENODEV : 0;

	if (!error && this->write)
		error = this->write(transaction, this->argument);
	if (!error)
		error = rf_store_write(transaction, this->device->folder, "state", "%u",
				       this->state);
	return error;
}

static int try_to_tell(const struct telling *this)
{
	struct rf_store_transaction transaction;
	int error = rf_store_begin(&transaction);

	if (error)
		return error;
	error = tell_within(transaction, this);
	if (!error)
		return rf_store_end(transaction, true);
	rf_store_end(transaction, false);
	return error;
}

/*
 * In a transaction, so that a device that was taken away, which this end has not seen yet, writes neither into a
 * folder that is no more, nor into one that has been given to the next device of its number.
 */
int rf_device_tell(struct rf_device *device, enum rf_state state,
		   int (*write)(struct rf_store_transaction transaction, const void *argument),
		   const void *argument)
{
	const struct telling this = { device, state, write, argument };
	unsigned int tries = TELL_TRIES;
	int error;

	mutex_lock(&telling);
	do {
		error = try_to_tell(&this);
	} while (error == -EAGAIN && --tries);
	mutex_unlock(&telling);
	if (!error)
		device->state = state;
	else if (error != -ENODEV)
		dev_err(&device->dev, "state %s cannot be told: %d\n", state_names[state], error);
	return error;
}

int rf_device_set_state(struct rf_device *device, enum rf_state state)
{
	return rf_device_tell(device, state, NULL, NULL);
}

struct failure {
	const struct rf_device *device;
	struct va_format *text;
};

static int write_failure(struct rf_store_transaction transaction, const void *argument)
{
	const struct failure *failure = argument;

	return rf_store_write(transaction, failure->device->folder, "error", "%pV", failure->text);
}

void rf_device_fail(struct rf_device *device, enum rf_state state, const char *format, ...)
{
	struct va_format text = { .fmt = format };
	const struct failure failure = { device, &text };
	va_list arguments;

	va_start(arguments, format);
	text.va = &arguments;
	/* Of one that was taken away nothing need be said. */
	if (rf_device_tell(device, state, write_failure, &failure) != -ENODEV)
		dev_err(&device->dev, "%pV\n", &text);
	va_end(arguments);
}

/* --- Drivers */

static int bus_match(struct device *dev, struct device_driver *driver)
{
	return !strcmp(to_rf_device(dev)->class, to_rf_driver(driver)->class);
}

static int bus_uevent(struct device *dev, struct kobj_uevent_env *environment)
{
	return add_uevent_var(environment, "MODALIAS=ringfence:%s", to_rf_device(dev)->class);
}

/*
 * The other end may know an earlier front end of this folder, which was taken away while it wrote there: it lets go of
 * that one's rings when it sees that another one begins.
 */
static int bus_probe(struct device *dev)
{
	struct rf_driver *driver = to_rf_driver(dev->driver);
	int error = rf_device_set_state(to_rf_device(dev), RF_STATE_INITIALISING);

	if (!error)
		error = driver->probe(to_rf_device(dev));
	if (!error)
		driver->changed(to_rf_device(dev));
	return error;
}

static void bus_remove(struct device *dev)
{
	to_rf_driver(dev->driver)->remove(to_rf_device(dev));
}

static struct bus_type bus = {
	.name		= "ringfence",
	.match		= bus_match,
	.uevent		= bus_uevent,
	.probe		= bus_probe,
	.remove		= bus_remove,
	.dev_groups	= device_groups,
};

int rf_driver_register(struct rf_driver *driver)
{
	if (!rf_domain() || rf_is_control())
		return -ENODEV;
	driver->driver.bus = &bus;
	return driver_register(&driver->driver);
}

void rf_driver_unregister(struct rf_driver *driver)
{
	driver_unregister(&driver->driver);
}

/* --- What the other end says */

/* A number that is none is as good as nothing. */
static enum rf_state read_other(const struct rf_device *device)
{
	u64 state;

	if (rf_store_read_number(RF_STORE_ALONE, device->backend, "state", &state) ||
	    state > RF_STATE_CLOSED)
		return RF_STATE_UNKNOWN;
	return state;
}

/*
 * Its folder may be that of the next device of this number already, whose states mean nothing to this one. Whose it is
 * is looked at afterwards: what was read before that was this device's then.
 */
static void other_changed(void *argument, const char *path)
{
	struct rf_device *device = argument;
	enum rf_state other = read_other(device);

	if (is_gone(RF_STORE_ALONE, device))
		return;
	device_lock(&device->dev);
	device->other = other;
	if (device->dev.driver && device_is_bound(&device->dev))
		to_rf_driver(device->dev.driver)->changed(device);
	device_unlock(&device->dev);
}

/* --- Devices that come */

static void release_device(struct device *dev)
{
	kfree(to_rf_device(dev));
}

static int read_backend(struct rf_device *device)
{
	char *backend = rf_store_read(RF_STORE_ALONE, device->folder, "backend");
	ssize_t size;
	u64 domain;
	int error;

	if (IS_ERR(backend))
		return PTR_ERR(backend);
	size = strscpy(device->backend, backend, sizeof(device->backend));
	kfree(backend);
	if (size <= 0)
		return -EINVAL;
	error = rf_store_read_number(RF_STORE_ALONE, device->folder, "backend-id", &domain);
	if (!error && domain >= DOMAINS_MAX)
		error = -EINVAL;
	device->backend_domain = domain;
	read_instance(RF_STORE_ALONE, device, device->instance);
	return error;
}

static struct rf_device *make_device(const char *class, const char *name)
{
	struct rf_device *device = kzalloc(sizeof(*device), GFP_KERNEL);

	if (!device)
		return NULL;
	if (strscpy(device->class, class, sizeof(device->class)) < 0 ||
	    kstrtou32(name, 10, &device->number)) {
		kfree(device);
		return NULL;
	}
	snprintf(device->folder, sizeof(device->folder), DEVICES "/%s/%s", class, name);
	device->state = RF_STATE_INITIALISING;
	device->dev.bus = &bus;
	device->dev.release = release_device;
	return device;
}

/* After this put_device() frees it. */
static int register_device(struct rf_device *device)
{
	int error;

	device_initialize(&device->dev);
	error = dev_set_name(&device->dev, "%s-%u", device->class, device->number);
	if (error)
		return error;
	device->other = read_other(device);
	error = device_add(&device->dev);
	if (error)
		return error;
	list_add_tail(&device->list, &devices);
	device->watch = rf_store_watch(device->backend, other_changed, device);
	if (!device->watch)
		dev_err(&device->dev, "no memory to watch the other end\n");
	return 0;
}

static bool is_known(const char *class, const char *name)
{
	struct rf_device *device;
	u32 number;

	if (kstrtou32(name, 10, &number))
		return true;
	list_for_each_entry(device, &devices, list)
		if (device->number == number && !strcmp(device->class, class))
			return true;
	return false;
}

static void add_device(const char *class, const char *name)
{
	struct rf_device *device;
	int error;

	if (is_known(class, name))
		return;
	device = make_device(class, name);
	if (!device)
		return;
	/* Without these keys it is not complete, and looked at again when they are there. */
	if (read_backend(device)) {
		kfree(device);
		return;
	}
	error = register_device(device);
	if (error) {
		pr_err("ringfence: device %s-%s: %d\n", class, name, error);
		put_device(&device->dev);
	}
}

static void for_each_name(const char *folder, const char *name,
			  void (*call)(const char *folder, const char *name))
{
	char *names = rf_store_list(RF_STORE_ALONE, folder, name), *one;

	if (IS_ERR(names))
		return;
	for (one = names; *one; one += strlen(one) + 1)
		call(*name ? name : folder, one);
	kfree(names);
}

static void add_class(const char *folder, const char *class)
{
	for_each_name(folder, class, add_device);
}

/* --- Devices that go */

static void remove_device(struct rf_device *device)
{
	rf_store_unwatch(device->watch);
	list_del(&device->list);
	device_unregister(&device->dev);
}

static void remove_gone(void)
{
	struct rf_device *device, *next;

	list_for_each_entry_safe(device, next, &devices, list)
		if (is_gone(RF_STORE_ALONE, device))
			remove_device(device);
}

/* --- The watch */

/* What a driver writes into its device's folder says nothing about which devices there are. */
static bool concerns_devices(const char *path)
{
	unsigned int slashes = 0;
	const char *end = path;

	if (*path == '/')
		return true;
	for (; *path; path++) {
		if (*path != '/')
			continue;
		slashes++;
		end = path + 1;
	}
	return slashes < 3 || (slashes == 3 && strstarts(end, "backend"));
}

static void devices_changed(void *unused, const char *path)
{
	if (!concerns_devices(path))
		return;
	remove_gone();
	for_each_name(DEVICES, "", add_class);
}

static int __init rf_bus_init(void)
{
	int error;

	if (!rf_domain() || rf_is_control())
		return 0;
	error = bus_register(&bus);
	if (error)
		return error;
	return rf_store_watch(DEVICES, devices_changed, NULL) ? 0 : -ENOMEM;
}
subsys_initcall(rf_bus_init);
