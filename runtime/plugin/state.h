/*
 * State: the declared struct ⇄ a msgpack map by name.
 *
 *   BOOL I32 U32 I64 U64   boolean, integer       STR VALUE BYTES   string, anything, bytes
 *   F64                    double; "nan", "inf" and "-inf" as text, which msgpack readers
 * refuse TOKEN                  nil or { id: "waitpoint_…", url } RUN                    nil or
 * "run_…"         LIST, STRUCT      list, map
 *
 * Reading starts from what the fields declare as their beginning, mostly zero. A member that is
 * missing stays so; one of another kind or size is converted where nothing is lost (convert.h).
 * One that no field has is kept aside and written again, in a map by the name of STATE_ASIDE,
 * which tells it from one that is met for the first time.
 */
#ifndef STATE_H
#define STATE_H

#include "base/buffer.h"
#include "codec/value.h"
#include "plugin/plugin.h"

#define STATE_ASIDE "~aside" /* no field is called so */

/* What reading came upon. Fields are told by their path: "home.zip", of an item
 * "places[2].zip". */
struct state_report {
    struct value stored; /* the whole */
    bool is_broken;      /* that is no state at all */
    /* The first value that does not fit (RULE), the path of its field without numbers
     * ("places[].zip"), and why, without the value: alike for all runs that are so. */
    struct err err;
    struct slice field, cause;
    struct value misfits; /* list: the stored names, of the outermost struct, that do not fit */
    /* Lists of paths, without numbers: stored under names that this build does not have, for
     * the first time; and, beside such, fields of which nothing was stored. */
    struct value gone, fresh;
};

/*
 * Read `packed` (empty: nothing is stored) into `state`, task->state.size bytes. VALUE fields
 * point into `arena` and may borrow from `packed`, and so does the report. `kept` gets what no
 * field has (a map, often empty; what is nested stands under the name of its field). False:
 * something does not fit, report->err says what; all that does is in `state` nevertheless.
 */
bool state_decode(const struct plugin_task *task, struct arena *arena, struct slice packed,
                  void *state, struct value *kept, struct state_report *report);

/* What the report says of names that this build does not have, as a sentence; empty: nothing.
 */
struct slice state_lost(const struct state_report *report, struct arena *arena);

/* Read what the field declares as its beginning, `text`; empty: zero, `*initial` is NULL.
 * False: it cannot begin so, and `why` is set. */
bool state_initial(const struct plugin_field *field, struct arena *arena, struct slice text,
                   const struct value **initial, struct slice *why);

/*
 * Append `state` and what was kept. Errors (RULE): a text without an end or not UTF-8, a count
 * over its capacity, a VALUE nested too deep; `out` is as before then.
 */
bool state_encode(const struct plugin_task *task, const void *state, const struct value *kept,
                  struct buffer *out, struct err *err);

#endif
