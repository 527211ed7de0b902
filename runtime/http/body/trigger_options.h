/* Options: what a client may say beside the payload when it triggers a run or makes a token. */
#ifndef HTTP_TRIGGER_OPTIONS_H
#define HTTP_TRIGGER_OPTIONS_H

#include "config/config.h"
#include "engine/command.h"

struct trigger_options_from {
    struct arena *arena; /* what is kept is copied there */
    const struct config_limits *limits;
};

/*
 * "1h30m", or a date: one of the two is not 0 then. False: neither, or too far. What has passed
 * is over: a date before 1970 is the first moment there is, and "0s" is a span of -1.
 */
bool when_read(struct slice text, int64_t *date_ms, int64_t *span_ms);
/* A duration; "-5s" is over: -1. */
bool span_read(struct slice text, int64_t *span_ms);

/* "tags": a string or a list of them, as a packed and sorted list. Errors: BAD_REQUEST, RULE.
 */
bool tags_read(const struct trigger_options_from *from, const struct value *options,
               struct slice *packed, struct err *err);

/* One number and one of s, m, h, d. Errors: BAD_REQUEST. */
bool key_ttl_read(struct slice text, int64_t *ttl_ms, struct err *err);
/* Once options and headers are read: a time without its key was meant for one. */
bool key_ttl_check(struct slice key, int64_t ttl_ms, struct err *err);
bool key_reuse_check(struct slice key, uint32_t reuse, struct err *err);

/*
 * The `options` of a trigger (NULL: none) into `trigger`; which there are is
 * trigger_members.h's. Errors: BAD_REQUEST, RULE (tags), TOO_LARGE (metadata).
 */
bool trigger_options_read(const struct trigger_options_from *from, const struct value *options,
                          struct trigger *trigger, struct err *err);

/* debounce_body.c: {key, delay, mode, maxDelay}. Errors: BAD_REQUEST, RULE. */
bool debounce_read(const struct value *options, struct trigger *trigger, struct err *err);

/* The body of a token's creation. Errors: the same. */
bool token_options_read(const struct trigger_options_from *from, const struct value *options,
                        struct token_create *create, struct err *err);

/*
 * What a client calls its payload, by `type` (empty: JSON as it stands). The result may borrow
 * from `payload` and `arena`. Errors: BAD_REQUEST.
 */
bool payload_read(struct arena *arena, const struct value *payload, struct slice type,
                  struct value *value, struct err *err);

#endif
