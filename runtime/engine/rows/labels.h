/*
 * Labels: what runs and tokens are found by in lists, beside their fields: each tag, and each
 * member of a run's metadata whose value is short. A label is a number of an environment and a
 * text; others may have the same, so the row decides.
 */
#ifndef LABELS_H
#define LABELS_H

#include "base/arena.h"
#include "codec/value.h"
#include "engine/rows/kind.h"

enum { LABEL_BYTES = 128, LABELS_MOST = 64 /* members of one run's metadata, the first */ };

int64_t label_of_tag(uint32_t environment, struct slice tag);
int64_t label_of_member(uint32_t environment, struct slice key, struct slice text);
/* A member's value as it is asked for: text as it is, true, false, a whole number. False: it is
 * found by no label. */
bool label_text(struct arena *arena, const struct value *value, struct slice *text);
/* Those of a row of the index, each once; NULL is a row without any. */
uint32_t labels_of(struct arena *arena, const struct row_index *index, const struct row *row,
                   uint32_t environment, int64_t **labels);
/* Has the packed map such a member? */
bool labels_have(struct arena *scratch, struct slice metadata, struct slice key,
                 struct slice text);

#endif
