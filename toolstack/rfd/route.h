/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of what can be asked (route.c), from which docs/api.md is made (manual.c), and what does it. */
#ifndef TOOLSTACK_RFD_ROUTE_H
#define TOOLSTACK_RFD_ROUTE_H

#include "toolstack/rfd/request.h"

/* A NULL method at the end. */
extern const struct route route_table[];

/* The route for a path, and its word; NULL: there is none, and *known says whether another method has it. */
const struct route *route_find(const char *method, const char *path, char word[REQUEST_WORD],
			       bool *known);

enum status route_index(struct request *request);
enum status route_node(struct request *request);
enum status route_version(struct request *request);
enum status route_log(struct request *request);
enum status route_metrics(struct request *request);
enum status route_events(struct request *request);
enum status route_helpers(struct request *request);

enum status route_domain_list(struct request *request);
enum status route_domain_create(struct request *request);
enum status route_domain_info(struct request *request);
enum status route_domain_vcpus(struct request *request);
enum status route_domain_stats(struct request *request);
enum status route_domain_console(struct request *request);
enum status route_domain_type(struct request *request);
enum status route_domain_destroy(struct request *request);
enum status route_domain_shutdown(struct request *request);
enum status route_domain_reboot(struct request *request);
enum status route_domain_pause(struct request *request);
enum status route_domain_unpause(struct request *request);
enum status route_domain_rename(struct request *request);
enum status route_domain_trigger(struct request *request);
enum status route_domain_sysrq(struct request *request);
enum status route_domain_sched(struct request *request);
enum status route_domain_mem_max(struct request *request);
enum status route_domain_mem_set(struct request *request);
enum status route_domain_vcpu_set(struct request *request);
enum status route_domain_vcpu_pin(struct request *request);

enum status route_definition_list(struct request *request);
enum status route_definition_write(struct request *request);
enum status route_definition_info(struct request *request);
enum status route_definition_remove(struct request *request);
enum status route_definition_autostart(struct request *request);
enum status route_definition_start(struct request *request);

#endif
