/* SPDX-License-Identifier: BSD-2-Clause */
/* Where configurations are, and what is known of running guests (places.c). */
#ifndef TOOLSTACK_LIB_PLACES_H
#define TOOLSTACK_LIB_PLACES_H

#include <stdbool.h>
#include <stddef.h>

#define PLACES_CONFIG	   "/etc/ringfence"	     /* or what RINGFENCE_CONFIG says */
#define PLACES_STATE	   "/run/ringfence"	     /* or RINGFENCE_STATE */
#define PLACES_LOG	   "/var/log/ringfence"	     /* or RINGFENCE_LOG */
#define PLACES_DEFINITIONS "/var/lib/ringfence"	     /* or RINGFENCE_DEFINITIONS */
#define PLACES_NETWORKS	   "/run/ringfence-networks" /* or RINGFENCE_NETWORKS */

const char *places_config(void);
const char *places_state(void);
const char *places_log(void);
const char *places_definitions(void);
/* Readable for all. */
const char *places_networks(void);
/* A configuration's file: a word with a slash or a dot in it is one; else NAME.json or NAME.cfg there. */
bool places_find_config(const char *word, char *path, size_t size);
/* Makes the folder for running guests. */
bool places_make_state(void);
/* Makes a folder, and those that it is in; only root may look into it. */
bool places_make(const char *path);

#endif
