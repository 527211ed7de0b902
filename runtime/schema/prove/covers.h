/*
 * Covering: does one schema accept whatever another accepts? Internal to schema/ and to
 * `bide schemas diff`.
 *
 *   facts    what is known of a value: schemas that it meets, schemas that it does not, the
 *            kinds that it may have                                          facts.c
 *   proof    do facts imply a schema? By its parts, by cases of the facts    proof.c
 *            and, rule by rule, for numbers, texts and lists                 proof_rules.c
 *            objects and what is left over           proof_objects.c, proof_rest.c
 *   example  where no proof is found: a value that fits the facts, put into
 *            a whole one and really checked                 sample.c, example.c
 *
 * A proof may assume what it is about to prove once it has gone one step into the value, since
 * values end. Everything is bounded by steps; who runs out of them says that it does not know.
 */
#ifndef COVERS_H
#define COVERS_H

#include "base/table.h"
#include "schema/check/validate.h"

/* Kinds of values, disjoint. */
enum {
    KIND_NULL = 1 << 0,
    KIND_BOOLEAN = 1 << 1,
    KIND_INTEGER = 1 << 2, /* 1.0 is one, too */
    KIND_FRACTION = 1 << 3,
    KIND_STRING = 1 << 4,
    KIND_LIST = 1 << 5,
    KIND_MAP = 1 << 6,
    KIND_NUMBER = KIND_INTEGER | KIND_FRACTION,
    KIND_ALL = (1 << 7) - 1,
};

enum { FACTS_MAX = 500, CASES_MAX = 64, FINITE_MAX = 64 };

struct facts {
    const struct schema **held; /* by address; references and allOf are followed */
    uint32_t held_count;
    const struct schema **denied;
    uint32_t denied_count;
    uint32_t kinds;
};

/* The bounds that several schemas make together. An open end is not reached itself. */
struct extent {
    struct bound low, high;
    bool is_low_open, is_high_open;
    uint64_t min_length, max_length, min_items, max_items, min_members, max_members;
    bool is_unique;
};

/* The way from the whole value to the part that is looked at. */
struct frame {
    const struct frame *up;
    const struct facts *facts; /* of the list or map that the part is in */
    struct slice key;          /* data NULL: an item, or a member whose name is not known */
    uint32_t index;
    bool is_item;
};

/* Which part of a value is meant where somebody asks what is left over. */
struct rest_part {
    const struct facts *facts;     /* about the whole; NULL: not known */
    const struct slice *name;      /* of a member; NULL: one that no fact mentions, */
    const struct pattern *pattern; /* and that matches this, or NULL: none of the facts' */
    uint32_t index;
    bool is_item;
};

/* What was not proven. */
struct cover_gap {
    struct problem problem;
    struct value example; /* only the narrow one accepts it, if is_sure */
    bool is_sure;
    struct cover_gap *next;
};

struct cover_gaps {
    struct cover_gap *first;
    bool is_partial; /* there may be more */
};

struct cover {
    struct arena *arena;  /* keeps gaps */
    struct arena scratch; /* gone with the cover */
    const struct schema *wide, *narrow;
    int64_t steps;  /* of the proof, left */
    int64_t tries;  /* of looking for examples, left */
    uint32_t depth; /* of goals */
    uint32_t level; /* of the part that is looked at */
    uint32_t lowest;
    bool is_recording; /* gaps are wanted */
    bool wants_sure;   /* but only with an example */
    bool is_partial;   /* one that has none was left out, or there were too many */
    struct table goals;
    struct cover_gap *gaps, *last_gap;
    uint32_t gap_count;
    struct matcher matcher;
};

/* The same answer as schema_covers; the gaps, sure ones first, live in `arena`. */
enum schema_answer cover_gaps(const struct schema *wide, const struct schema *narrow,
                              struct arena *arena, struct cover_gaps *gaps);
/* Only whether there is a proof, and a short one. */
bool cover_proven(const struct schema *wide, const struct schema *narrow);

/* Take one step; false when there are none left. */
bool cover_spend(struct cover *cover, int64_t count);

/* ---- facts: facts.c --------------------------------------------------------------- */

uint32_t kinds_of_types(uint32_t types);
const struct facts *facts_none(struct cover *cover, uint32_t kinds);
const struct facts *facts_with(struct cover *cover, const struct facts *facts,
                               const struct schema *schema);
const struct facts *facts_without(struct cover *cover, const struct facts *facts,
                                  const struct schema *denied);
const struct facts *facts_of_kinds(struct cover *cover, const struct facts *facts,
                                   uint32_t kinds);
/* The same, with denied[index] not known to be denied any more. */
const struct facts *facts_forget(struct cover *cover, const struct facts *facts,
                                 uint32_t index);
bool facts_hold(const struct facts *facts, const struct schema *schema);
bool facts_equal(const struct facts *a, const struct facts *b);
uint64_t facts_hash(const struct facts *facts);
struct extent facts_extent(const struct facts *facts);
/* Is it plain from the bounds alone that nothing fits? */
bool facts_clash(const struct facts *facts);
bool facts_require(const struct facts *facts, struct slice name);
/* What is known of a part. */
const struct facts *facts_of_item(struct cover *cover, const struct facts *facts,
                                  uint32_t index);
const struct facts *facts_of_member(struct cover *cover, const struct facts *facts,
                                    struct slice name);
/* Of members whose names match the pattern but are no property of any fact; pattern NULL: whose
 * names match no pattern of any fact either. */
const struct facts *facts_of_pattern(struct cover *cover, const struct facts *facts,
                                     const struct pattern *pattern);
/* `known` of a part, with what unevaluated… of the facts about the whole asks of it. */
const struct facts *facts_with_rest(struct cover *cover, const struct facts *facts,
                                    const struct facts *known, const struct rest_part *part);
const struct facts *facts_of_names(struct cover *cover, const struct facts *facts);
/* Items from this number on have the same facts. */
uint32_t facts_prefix(const struct facts *facts);
/* Facts that together are the same, each with more known; 0: no more to split. */
uint32_t facts_split(struct cover *cover, const struct facts *facts, bool is_branching,
                     const struct facts *cases[CASES_MAX]);
/* Every value there is, when they are few; false: too many, or not known. */
bool facts_values(struct cover *cover, const struct facts *facts,
                  const struct value *values[FINITE_MAX], uint32_t *count);

/* ---- checking values: example.c ------------------------------------------------------ */

enum accept { ACCEPT_NO, ACCEPT_YES, ACCEPT_OVER };

enum accept schema_accepts(struct cover *cover, const struct schema *schema,
                           const struct value *value);
enum accept facts_accept(struct cover *cover, const struct facts *facts,
                         const struct value *value);
/* Note that `facts` may not imply `schema`, with an example if one is found. */
void gap_find(struct cover *cover, const struct frame *frame, const struct facts *facts,
              const struct schema *schema);

/* ---- proofs ------------------------------------------------------------------------------ */

/* Do the facts imply the schema? schema NULL: yes. */
bool cover_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                 const struct schema *schema);
/* Does no value have these facts? */
bool cover_empty(struct cover *cover, const struct facts *facts);
/* The same about a part: one step further into the value. */
bool part_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                const struct schema *schema);
bool part_empty(struct cover *cover, const struct facts *facts);
/* The schema's own rules for one kind of value; proof_rules.c and proof_objects.c. */
bool number_prove(const struct facts *facts, const struct schema *schema);
bool string_prove(const struct facts *facts, const struct schema *schema);
bool list_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
                const struct schema *schema);
bool map_prove(struct cover *cover, const struct frame *frame, const struct facts *facts,
               const struct schema *schema);
bool rest_prove(struct cover *cover, const struct facts *facts, const struct schema *schema);
/* Gaps are not wanted for a while; returns whether they were. */
bool cover_silence(struct cover *cover);

/* Are they written alike, descriptions aside? same.c */
bool schema_same(struct cover *cover, const struct schema *a, const struct schema *b);

#endif
