/*
 * State: the declared struct ⇄ a msgpack map by name.
 *
 *   BOOL I32 U32 I64 U64   boolean, integer       STR VALUE BYTES   string, anything, bytes
 *   F64                    double; "nan", "inf" and "-inf" as text, which msgpack readers
 * refuse TOKEN                  nil or { id: "waitpoint_…", url } RUN                    nil or
 * "run_…" LIST, STRUCT           list, map
 *
 * Reading starts from zeroes. A member that is missing stays zero; one that no field has is
 * kept aside and written again; one of another kind, or too long, is an error that parks the
 * run, because any guess would lose something.
 */
#ifndef STATE_H
#define STATE_H

#include "base/buffer.h"
#include "codec/value.h"
#include "plugin/plugin.h"

/*
 * Read `packed` (empty: all zeroes) into `state`, task->state.size bytes. VALUE fields point
 * into `arena` and may borrow from `packed`. `kept` gets the members that no field has (a map,
 * often empty; nested ones stand under the name of their field). Errors (RULE) name the field.
 */
bool state_decode(const struct plugin_task *task, struct arena *arena, struct slice packed,
                  void *state, struct value *kept, struct err *err);

/*
 * Was a field renamed, and nobody said so? When the saved state has fields that this build does
 * not know while others of its own began at zero: a sentence that names both; else empty.
 * `kept` is what state_decode() gave for `packed`.
 */
struct slice state_lost(const struct plugin_task *task, struct arena *arena,
                        struct slice packed, const struct value *kept);

/*
 * Append `state` and what was kept. Errors (RULE): a text without an end or not UTF-8, a count
 * over its capacity, a VALUE nested too deep; `out` is as before then.
 */
bool state_encode(const struct plugin_task *task, const void *state, const struct value *kept,
                  struct buffer *out, struct err *err);

#endif
