/* Errors: a code with its HTTP status and a sentence for a person. */
#ifndef ERR_H
#define ERR_H

#include <stdarg.h>
#include <stdbool.h>

#define ERR_MAP(X)                                                  \
    X(OK, 200, "done")                                              \
    X(BAD_REQUEST, 400, "the request is not understood")            \
    X(BAD_INPUT, 422, "the input does not match its schema")        \
    X(UNAUTHORIZED, 401, "invalid or missing API key")              \
    X(FORBIDDEN, 403, "not allowed")                                \
    X(NOT_FOUND, 404, "not found")                                  \
    X(DIFFERS, 409, "the segment calls something else than before") \
    X(NOT_NOW, 409, "it is in no state for that")                   \
    X(GONE, 410, "it is over")                                      \
    X(TOO_LARGE, 413, "too large")                                  \
    X(MEDIA_TYPE, 415, "a kind of body that is not understood")     \
    X(RULE, 422, "a rule forbids it")                               \
    X(OTHER_PAYLOAD, 422, "the key was used with another payload")  \
    X(BAD_DATA, 422, "the data does not match the token's schema")  \
    X(LIMIT, 429, "a limit is reached")                             \
    X(FULL, 429, "the queue is full")                               \
    X(CONFIG, 500, "the configuration is wrong")                    \
    X(PLUGIN, 500, "the plugin could not be loaded")                \
    X(SYSTEM, 500, "the operating system refused")                  \
    X(UNAVAILABLE, 503, "the task is not available")                \
    X(CONFLICT, 503, "another node was faster")                     \
    X(STORE, 503, "the database refused the change")                \
    X(STOPPING, 503, "the server is stopping")

enum err_code {
#define X(code, status, text) ERR_##code,
    ERR_MAP(X)
#undef X
        ERR_CODE_COUNT
};

/* Caller-owned, never allocated. Zeroes mean "no error". */
struct err {
    enum err_code code;
    char text[480];
};

/* As new, without writing all of it. */
static inline void err_clear(struct err *err)
{
    err->code = ERR_OK;
    err->text[0] = '\0';
}

/* Fill `err` (which may be NULL) and return false, so that a failing function ends in it. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int err_status(enum err_code code);  /* the HTTP status */
bool err_passes(enum err_code code); /* a full disk does, a rule stays: worth another try */
const char *err_name(enum err_code code); /* "NOT_FOUND" */
const char *err_hint(enum err_code code); /* the map's sentence */

#endif
