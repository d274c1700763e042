/* SPDX-License-Identifier: BSD-2-Clause */
/* What the verbs' files have for the table in verbs.c. */
#ifndef TOOLSTACK_RF_VERBS_H
#define TOOLSTACK_RF_VERBS_H

#include "toolstack/rf/command.h"

enum status verb_autostart(struct command *command);
enum status verb_bench(struct command *command);
enum status verb_check(struct command *command);
enum status verb_console(struct command *command);
enum status verb_create(struct command *command);
enum status verb_define(struct command *command);
enum status verb_definitions(struct command *command);
enum status verb_destroy(struct command *command);
enum status verb_disk_attach(struct command *command);
enum status verb_disk_detach(struct command *command);
enum status verb_disk_limit(struct command *command);
enum status verb_disk_list(struct command *command);
enum status verb_disk_resize(struct command *command);
enum status verb_dmesg(struct command *command);
enum status verb_domid(struct command *command);
enum status verb_events(struct command *command);
enum status verb_help(struct command *command);
enum status verb_info(struct command *command);
enum status verb_list(struct command *command);
enum status verb_mem_max(struct command *command);
enum status verb_mem_set(struct command *command);
enum status verb_net_attach(struct command *command);
enum status verb_net_detach(struct command *command);
enum status verb_net_list(struct command *command);
enum status verb_net_limit(struct command *command);
enum status verb_pause(struct command *command);
enum status verb_reboot(struct command *command);
enum status verb_rename(struct command *command);
enum status verb_sched(struct command *command);
enum status verb_shutdown(struct command *command);
enum status verb_start(struct command *command);
enum status verb_stats(struct command *command);
enum status verb_store_chmod(struct command *command);
enum status verb_store_control(struct command *command);
enum status verb_store_exists(struct command *command);
enum status verb_store_list(struct command *command);
enum status verb_store_ls(struct command *command);
enum status verb_store_read(struct command *command);
enum status verb_store_rm(struct command *command);
enum status verb_store_watch(struct command *command);
enum status verb_store_write(struct command *command);
enum status verb_sysrq(struct command *command);
enum status verb_top(struct command *command);
enum status verb_trigger(struct command *command);
enum status verb_undefine(struct command *command);
enum status verb_unpause(struct command *command);
enum status verb_vcpu_list(struct command *command);
enum status verb_vcpu_pin(struct command *command);
enum status verb_vcpu_set(struct command *command);
enum status verb_version(struct command *command);

#endif
