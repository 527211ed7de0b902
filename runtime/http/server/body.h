/*
 * Bodies: what a request carries is understood, or it is refused.
 *
 *   bytes ─Content-Encoding─▶ text ─Content-Type─▶ value
 *
 *   nothing at all                      {}
 *   application/json, …+json, no type   JSON, with or without a byte order mark
 *   application/x-www-form-urlencoded   JSON when that is what it is (`curl -d '{…}'` calls
 *                                       everything a form), else an object of strings
 *   text/…                              a string
 *   gzip, deflate                       unpacked first
 */
#ifndef BODY_H
#define BODY_H

#include "base/err.h"
#include "codec/value.h"

struct body_from {
    struct arena *arena;         /* of the value; it may borrow from `bytes` */
    struct slice type, encoding; /* the headers; empty: absent */
    struct slice bytes;
    size_t most; /* bytes once unpacked */
};

/* Errors: MEDIA_TYPE, BAD_REQUEST, TOO_LARGE. Texts name places, not what stands there. */
bool body_read(const struct body_from *from, struct value *value, struct err *err);

/* JSON. Who hears of an error hears the place, not what stands there: it may be a secret. */
bool posted_read(struct arena *arena, struct slice text, struct value *value, struct err *err);

#endif
