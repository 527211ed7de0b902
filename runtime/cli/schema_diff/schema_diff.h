/* `bide schemas diff`: what changed between two versions of a schema file, and whom it breaks.
 */
#ifndef SCHEMA_DIFF_H
#define SCHEMA_DIFF_H

#include "schema/prove/covers.h"
#include "schema/schema.h"

/*
 * Append a report to `out`, as text or as one JSON object {"compatible", "old", "new", "parts":
 * [{"part", "answer", "breaks", "changes"}]}. What the old input and tokens accepted must go on
 * being accepted, and what the new output gives must be what the old one promised. Returns the
 * exit code: 0 compatible, 1 it breaks or cannot be told, 2 a file is wrong.
 */
int schema_diff(const char *old_path, const char *new_path, bool json, struct buffer *out);

/* ---- inside ------------------------------------------------------------------------------ */

/* One difference between two schemas, whoever it breaks. */
struct change {
    struct slice pointer; /* into the value; "*" stands for any item or member */
    struct slice name;    /* of the property that came or went; else empty */
    struct slice text;    /* "minimum 1 -> 5" */
    enum keyword keyword;
    const struct schema *old_schema, *new_schema; /* what it is a change of */
    struct slice before, after;                   /* "old.yaml:7:5"; empty: not there */
    struct change *next;
};

struct changes {
    struct change *first, *last;
    uint32_t count;
    bool is_cut;
};

enum part_kind { DIFF_INPUT, DIFF_OUTPUT, DIFF_TOKEN, DIFF_MESSAGE, DIFF_CHILD };

/* One part of the file in both versions. */
struct diff_part {
    enum part_kind kind;
    struct slice name; /* of the token, the message or the child */
    const struct schema *before, *after;
    bool was_there, is_there;
    enum schema_answer answer;
    struct cover_gaps gaps;
    uint32_t proofs; /* of single changes, so far */
    struct changes changes;
    struct slice remark; /* about the part as a whole */
    struct diff_part *next;
};

struct diff {
    struct arena arena;
    const char *old_path, *new_path;
    struct schema_file *old_file, *new_file;
    struct diff_part *first, *last;
    struct slice remark; /* about the file as a whole */
    enum schema_answer answer;
};

/* All differences, down to every part; at most some hundreds. NULL is no schema. */
void changes_find(struct arena *arena, const struct schema *before, const struct schema *after,
                  struct changes *changes);
/* Is the change about what the problem is about? */
bool change_matches(const struct change *change, const struct problem *problem);
/* "old.yaml:7:5" of what stands at the pointer, or of what is around it; the keyword's own
 * place if it has one. */
struct slice place_of(struct arena *arena, const struct schema *schema, struct slice pointer,
                      struct slice keyword);
void diff_text(const struct diff *diff, struct buffer *out);
void diff_json(struct diff *diff, struct buffer *out);

#endif
