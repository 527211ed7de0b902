/*
 * Schemas: what a task's input, output and tokens must look like. One YAML file a task,
 * compiled once, immutable and usable from any thread afterwards.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "codec/value.h"

struct schema;      /* one compiled schema */
struct schema_file; /* schemas/<name>.yaml: input, output, tokens.<name>, messages.<name> */

/* One thing that is wrong. All slices live in the arena that was passed in. */
struct problem {
    struct slice pointer;    /* JSON pointer into the value; "" is the whole */
    struct slice expected;   /* "an integer >= 1" */
    struct slice got;        /* "the string \"x\"" */
    struct slice message;    /* one sentence for a person */
    struct slice keyword;    /* "minimum" */
    struct slice file;       /* of the schema, or of the file that is wrong */
    uint32_t line, column;   /* from 1; 0: unknown */
    struct slice name;       /* of the member that is too much or misspelt; else empty */
    struct slice value_file; /* where the value was read from, if that is known, and where */
    uint32_t value_line, value_column; /* in it the wrong part stands */
    struct problem *next;
};

struct problems {
    struct problem *first, *last;
    uint32_t count;
    bool cut; /* more than PROBLEMS_MAX were found */
};

enum { PROBLEMS_MAX = 100 };

/* Load and compile. False: `problems` says everything that is wrong with the file (also when it
 * cannot be read). `path` is named in messages as it is given. */
bool schema_file_load(const char *path, struct schema_file **file, struct arena *arena,
                      struct problems *problems);
/* The same, but messages leave out the first `hidden` bytes of the path, and of the paths of
 * the files that it refers to. */
bool schema_file_load_below(const char *path, size_t hidden, struct schema_file **file,
                            struct arena *arena, struct problems *problems);
/* The same from memory. */
bool schema_file_parse(const char *path, struct slice text, struct schema_file **file,
                       struct arena *arena, struct problems *problems);
void schema_file_destroy(struct schema_file *file);

/* NULL when the file does not declare it: everything is valid then. */
const struct schema *schema_input(const struct schema_file *file);
const struct schema *schema_output(const struct schema_file *file);
const struct schema *schema_token(const struct schema_file *file, struct slice name);
bool schema_has_token(const struct schema_file *file, struct slice name);
/* Of a message that is sent to a run. Where none are declared, all names are allowed. */
const struct schema *schema_message(const struct schema_file *file, struct slice name);
bool schema_has_message(const struct schema_file *file, struct slice name);
bool schema_has_messages(const struct schema_file *file);

/* Where it begins in its file; NULL: 0. */
uint32_t schema_line(const struct schema *schema);

/*
 * How long a text the schema allows as `property` of an object; UINT64_MAX: any length. Both
 * are 0 where no text is allowed. False: it says nothing of that property, or says it with what
 * only a check can answer, like a pattern.
 */
struct schema_text {
    uint64_t characters, bytes;
    uint32_t line;
};
bool schema_longest_text(const struct schema *schema, struct slice property,
                         struct schema_text *text);
/* What is wrong when such a text goes into `size` bytes, its end included: a sentence that
 * names `place`, the schema's file; empty: nothing. */
struct slice schema_text_flaw(const struct schema *schema, struct slice place,
                              struct slice property, uint64_t size, struct arena *arena);

/* What a task expects of the output of a task that it triggers: `children.<task>` of its file.
 */
uint32_t schema_child_count(const struct schema_file *file);
struct slice schema_child_name(const struct schema_file *file, uint32_t index);
const struct schema *schema_child(const struct schema_file *file, struct slice task);

/* What becomes of a run whose output does not match: `on_invalid: fail` (when not said) fails
 * it, `warn` keeps the output and leaves a warning in the run's timeline and the log. */
enum schema_on_invalid { SCHEMA_FAIL, SCHEMA_WARN };
enum schema_on_invalid schema_on_invalid(const struct schema_file *file);

/*
 * What the file means, as a hash: the file and all that it refers to, without comments, layout,
 * order of keys and descriptions. Two files of one hash accept the same values.
 */
enum { SCHEMA_HASH_BYTES = 32 };
void schema_file_hash(const struct schema_file *file, unsigned char hash[SCHEMA_HASH_BYTES]);

/* Is a part of what it describes marked `secret: true`? NULL: no. */
bool schema_has_secrets(const struct schema *schema);
/*
 * Put the text "[secret]" in the place of every part of `value` that `schema` marks as secret,
 * whether the value is valid or not, and in case of doubt. For everything that people look at:
 * listings, logs, exports. Lists and maps that hold a secret are copied to `arena`.
 */
void schema_redact(const struct schema *schema, struct value *value, struct arena *arena);

/*
 * Does `wide` accept whatever `narrow` accepts? NULL accepts everything. NO: `problems` says
 * where and for which values (an example of one that only `narrow` accepts, where there is
 * one). UNKNOWN: beyond what can be decided in bounded time; `problems` says which part.
 */
enum schema_answer { SCHEMA_YES, SCHEMA_NO, SCHEMA_UNKNOWN };
enum schema_answer schema_covers(const struct schema *wide, const struct schema *narrow,
                                 struct arena *arena, struct problems *problems);

/*
 * Check `value`; schema NULL accepts everything. `value` gains the defaults of absent
 * properties, allocated in `arena`, when it is valid. False: all problems. Bounded in depth and
 * steps; going over is a problem itself.
 */
bool schema_check(const struct schema *schema, struct value *value, struct arena *arena,
                  struct problems *problems);

/*
 * The same for a thread that must not be held up: within about a millisecond. LATER: it would
 * take longer to say; `value` may have gained some of its defaults.
 */
enum schema_quick { SCHEMA_FITS, SCHEMA_REFUSES, SCHEMA_LATER };
enum schema_quick schema_check_quick(const struct schema *schema, struct value *value,
                                     struct arena *arena, struct problems *problems);
bool schema_has_defaults(const struct schema *schema);

/* {"problems":[{pointer,expected,got,message,schema:"file:line"}…]} as a value; and as lines of
 * text. */
struct value problems_value(struct arena *arena, const struct problems *problems);
void problems_text(struct buffer *out, const struct problems *problems);
/* A sentence and, where there are any, what they are. */
struct slice problems_behind(struct arena *arena, struct slice sentence,
                             const struct problems *problems);

#endif
