/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs of all devices of a guest have in common (verb_device.c). */
#ifndef TOOLSTACK_RF_VERB_DEVICE_H
#define TOOLSTACK_RF_VERB_DEVICE_H

#include "toolstack/lib/device.h"
#include "toolstack/rf/output.h"

struct verb_device {
	const struct device_class *class;
	const char *title;		     /* of its number */
	const struct output_column *columns; /* of a list */
	const char *const *counts;	     /* columns that are statistics; ends with NULL */
	/* By the words after the domain. */
	enum status (*attach)(struct command *command, uint32_t domain, unsigned *id,
			      struct report *report);
};

/* A verb about one domain: what it does is `act`. */
enum status verb_device_do(struct command *command, const struct verb_device *device,
			   enum status (*act)(struct command *command,
					      const struct verb_device *device, uint32_t domain,
					      struct report *report));

/* An option, and the private key that it changes. */
struct verb_device_limit {
	const char *option; /* NULL: the list ends */
	const char *key;
};

/* Whole verbs. */
enum status verb_device_attach(struct command *command, const struct verb_device *device);
enum status verb_device_detach(struct command *command, const struct verb_device *device);
enum status verb_device_list(struct command *command, const struct verb_device *device);
/* Nothing is changed if one of the numbers is none. */
enum status verb_device_limit(struct command *command, const struct verb_device *device,
			      const struct verb_device_limit *limits);

#endif
