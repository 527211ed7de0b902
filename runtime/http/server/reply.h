/* Replies: every way to answer a request; each is the end of the request's work. */
#ifndef REPLY_H
#define REPLY_H

#include "base/err.h"
#include "http/server/out.h"
#include "http/server/request.h"

/* Where a reply's JSON is written before reply_send. */
struct out reply_out(struct request *request);
/* One more header; both strings live as long as the request. */
void reply_header(struct request *request, const char *name, const char *value);

void reply_send(struct request *request, unsigned status);
/* What is written already, with 200. */
void reply_ok(struct request *request);
/* {"error": text}; with the headers that its status calls for. */
void reply_error(struct request *request, unsigned status, struct slice text);
/* The same with err's status. */
void reply_err(struct request *request, const struct err *err);
/* {"error": "Query Error", "details": [text]}: a parameter of the URL. */
void reply_query_error(struct request *request, const struct err *err);
/* {"error": …, "code": …, "problems": […]} */
void reply_problems(struct request *request, unsigned status, const char *code,
                    const char *text, const struct problems *problems);
/* {"success":true} */
void reply_success(struct request *request);

#endif
