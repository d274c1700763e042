/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request: what was asked for, checked by the table of routes, and the answer (request.c). Fields come in the
 * query of a GET or DELETE, in the body of a POST or PUT, which is an object.
 */
#ifndef TOOLSTACK_RFD_REQUEST_H
#define TOOLSTACK_RFD_REQUEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/domain.h"
#include "toolstack/lib/access.h"
#include "toolstack/lib/config.h"
#include "toolstack/lib/report.h"
#include "toolstack/lib/status.h"
#include "toolstack/rfd/daemon.h"

#define REQUEST_WORD 64

struct request;

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_YES,    /* true or false */
	FIELD_OBJECT, /* of JSON */
	FIELD_VALUE,  /* a text, a number or a list */
};

struct field {
	const char *name; /* NULL at the end */
	enum field_kind kind;
	bool needed;
	uint64_t min, max; /* of a number */
	const char *help;
};

enum route_flags {
	ROUTE_ACCESS = 1, /* it needs the hypervisor; */
	ROUTE_DOMAIN = 2, /* and the word of the path is a domain */
	ROUTE_BYTES = 4,  /* the body is what it is, and no JSON */
};

struct route {
	const char *method;
	const char *path; /* one part of it may be {domain} or {name}: any word */
	unsigned flags;
	const struct field *fields; /* NULL: none */
	const char *summary;
	const char *answer; /* what it is, in words */
	enum status (*run)(struct request *request);
};

struct request {
	struct daemon *daemon;
	const struct route *route;
	char word[REQUEST_WORD]; /* that the path has */
	json_t *fields;
	const char *body;
	size_t size;
	struct access access;	    /* if the route needs it, */
	struct rf_domain_info info; /* and that domain */
	struct report report;
	unsigned code; /* of HTTP; 0: that of the status */
	/* The answer: one of them. */
	json_t *json;
	char *text; /* freed afterwards */
	size_t text_size;
	const char *type; /* of the text */
	int64_t position; /* where the text ends; negative: nowhere */
};

/* Checks the body, or what `fields` has already, and runs it. The answer is there in any case. */
void request_run(struct request *request);
void request_free(struct request *request);
/* Returns `status`. */
enum status request_fail(struct request *request, enum status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* For the report that there is already. */
enum status request_refuse(struct request *request, enum status status);
/* Takes the reference. */
enum status request_answer(struct request *request, json_t *json);
/* Done, and nothing to tell. */
enum status request_done(struct request *request);
const char *request_text(const struct request *request, const char *name);
uint64_t request_number(const struct request *request, const char *name, uint64_t otherwise);
bool request_yes(const struct request *request, const char *name, bool otherwise);
/* The field `config`, checked as a file is. In any case config_free. */
bool request_config(struct request *request, struct config *config);
/* A word of a query, as the kind of its field has it. */
bool request_add_word(struct request *request, const char *name, const char *word);

#endif
