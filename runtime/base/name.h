/*
 * Names: what may be called how. One rule for every door that a name comes through: HTTP, the
 * command line, the configuration, plugins. What it refuses is refused with the character and
 * its place; nothing is dropped, replaced or cut, so two names are two things wherever they are
 * used.
 */
#ifndef NAME_H
#define NAME_H

#include "err.h"
#include "slice.h"

/* Where the name of a segment stands, these are the task's hooks, each in an execution of its
 * own. No segment has such a name. */
enum { HOOK_MARK = '@' };
#define HOOK_ON_FAILURE_NAME "@on_failure"
#define HOOK_ON_CANCEL_NAME  "@on_cancel"

enum name_kind {
    /* Words: letters, digits and some signs of ASCII, the first one no sign but an underscore.
     */
    NAME_QUEUE,
    NAME_TASK,
    NAME_ENVIRONMENT,
    NAME_POOL,    /* of tokens */
    NAME_SCHEMA,  /* of a file in schemas/, without .yaml */
    NAME_SYMBOL,  /* of a segment or a field */
    NAME_MESSAGE, /* to a run */
    /* Texts: UTF-8 without control and invisible characters. */
    NAME_ASKED, /* a task that is asked for: no plugin may have it, and the run waits */
    NAME_TAG,
    NAME_KEY,      /* idempotency */
    NAME_LANE,     /* concurrency key */
    NAME_METADATA, /* a key of it */
    NAME_RECORD,   /* of bide_once */
    NAME_KIND_COUNT
};

/* Behind an idempotency key that is one attempt's, or one tree's of runs, with which: no name
 * has it. */
#define KEY_SCOPE_MARK "\x1f"

/* False with RULE: 'queue name "a b" has " " (U+0020) at character 2, which is not allowed: …'.
 */
bool name_check(enum name_kind kind, struct slice name, struct err *err);

#endif
