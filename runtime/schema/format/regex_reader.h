/* Regex readers: one walk over a pattern, which collects its groups or writes it anew. */
#ifndef REGEX_READER_H
#define REGEX_READER_H

#include "base/arena.h"
#include "schema/format/regex.h"

#include <stdint.h>

/* What stands between parentheses: a group that captures or not, or a look-around. */
struct regex_group {
    struct regex_group *outer; /* NULL: the pattern as a whole, which is a group as well */
    size_t start, end;         /* of what is inside */
    uint32_t alternative;      /* of `outer`, that it stands in */
    uint32_t alternatives;
    uint64_t least, most; /* how often it is repeated; most UINT64_MAX: without end */
    bool can_be_empty, is_negative, is_behind;
    bool is_asked;    /* nobody refers to it, but to a group in it */
    uint32_t capture; /* from 1; 0: it does not capture */
    uint32_t written; /* its number in the translation, of a look-behind that steps the first of
                         two; 0: nobody refers to it */
    struct slice name;
};

struct regex_reference {
    size_t at;
    const struct regex_group *inside;
    uint32_t alternative; /* of `inside` */
    uint64_t capture;     /* 0: by name */
    struct slice name;
    struct regex_group *group; /* once resolved */
};

struct regex_reader {
    struct slice text;
    size_t at;
    struct regex_fault *fault;
    struct arena *arena;
    struct regex_group *groups; /* in the order of their opening; [0] is the pattern */
    struct regex_reference *references;
    uint32_t group_count, reference_count, capture_count;

    bool is_stepping; /* look-behinds are written as steps back */

    struct regex_group *inside;
    uint32_t alternative, depth;
    struct buffer *out;   /* NULL: only collect */
    size_t mark, mark_at; /* where `at` was when out->size reached `mark` */
};

/* False, always: so that it can be returned. */
bool regex_refuse(struct regex_reader *reader, size_t offset, const char *text);
/* The same for what JavaScript would take. */
bool regex_cannot(struct regex_reader *reader, size_t offset, const char *text);

static inline bool regex_peek(const struct regex_reader *reader, char c)
{
    return reader->at < reader->text.size && reader->text.data[reader->at] == c;
}

static inline bool regex_take(struct regex_reader *reader, char c)
{
    bool is_there = regex_peek(reader, c);
    reader->at += is_there;
    return is_there;
}

static inline bool regex_starts(const struct regex_reader *reader, const char *text)
{
    return slice_starts(
        (struct slice){ reader->text.data + reader->at, reader->text.size - reader->at }, text);
}

/* The character at `at`, which is not the end. */
uint32_t regex_code_take(struct regex_reader *reader);
void regex_write(struct regex_reader *reader, const char *text);
/* Decimal digits, at least one; below UINT64_MAX, whatever they say. */
bool regex_number_take(struct regex_reader *reader, uint64_t *number);

/* ---- regex_escape.c ---------------------------------------------------------------------- */

/* What follows a backslash, but for references and \b, \B. */
bool regex_escape(struct regex_reader *reader);
/* After its [. */
bool regex_class(struct regex_reader *reader);
void regex_code_write(struct regex_reader *reader, uint32_t code);
/* \uXXXX, a pair of them, or \u{X}; after the u. */
bool regex_unicode_take(struct regex_reader *reader, uint32_t *code);

/* ---- regex_reference.c ------------------------------------------------------------------- */

/* Find every reference its group, and number the groups that are referred to. */
bool regex_resolve(struct regex_reader *reader);

/* ---- regex_property.c -------------------------------------------------------------------- */

/* Append PCRE2's word for what JavaScript calls `name`, or `name`=`value`; `is_inverse` when
 * it is that of the opposite. False: there is no such property; *is_known: in JavaScript there
 * is. */
bool regex_property(struct buffer *out, struct slice name, struct slice value, bool *is_inverse,
                    bool *is_known);

#endif
