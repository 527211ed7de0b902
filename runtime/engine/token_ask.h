/* What is asked of tokens, and of what runs wait for: commands, each with its reply. */
#ifndef TOKEN_ASK_H
#define TOKEN_ASK_H

#include "base/slice.h"
#include "schema/schema.h"

#include <stdbool.h>
#include <stdint.h>

struct token_create {
    uint32_t environment;
    int64_t due_ms;     /* times out at this date; 0: timeout_ms counts */
    int64_t timeout_ms; /* 0: never; negative: at once */
    struct slice tags, key, key_text;
    int64_t key_ttl_ms; /* 0: as long as the token is there */
    struct slice request_key;
    struct slice schema; /* name in the task's schema file; empty: unchecked */
    bool key_global;     /* from a segment: the key is not this run's alone */
    int64_t run_id;      /* 0: over HTTP */
    uint32_t run_seq;
    int64_t id;
    bool is_rerun; /* its segment was started before in this entry */
    /* Reply */
    int64_t token_id;
    bool cached;
};

/* What somebody does to a token, or to what a run waits for. Problems of refused data:
 * schema/schema.h. */
struct token_complete {
    uint32_t environment; /* 0: by callback URL, any */
    int64_t id;           /* WAIT_…: the run's */
    struct slice data;    /* packed */
    struct slice part;    /* WAIT_…: of a group, its name or its id; empty: the only one, or
                             the whole wait */
    int64_t date_ms, span_ms; /* …_MOVE: to this date, or so long from now; both 0: never */
    struct slice by, why;     /* empty: it was not said */
    int64_t run_id;           /* a segment does it; 0: somebody else */
    uint32_t run_seq;
    /* Reply */
    bool won; /* false: it was completed or timed out before */
    struct problems problems;
    struct slice secret; /* the engine's own: of struct waitpoint */
};

#endif
