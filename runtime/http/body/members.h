/*
 * Members: what the words of a request's body mean to the route that takes it.
 *
 * Each route declares the words it knows. What would have meant something and is not done is
 * refused by name; a word that nobody knows passes, because the official client sends new ones,
 * but not unheard: the reply tells it (x-bide-ignored), and so does the timeline of the run.
 */
#ifndef MEMBERS_H
#define MEMBERS_H

#include "base/err.h"
#include "http/server/request.h"

enum member_kind {
    MEMBER_TAKEN,
    MEMBER_SILENT,    /* changes nothing here, and nobody could think that it does */
    MEMBER_IGNORED,   /* is understood, has no effect here, and is told */
    MEMBER_NOT_BUILT, /* without it things would go otherwise: 422 with `text` */
    MEMBER_ELSEWHERE, /* it is called otherwise, or belongs elsewhere: 400 with `text` */
};

struct member_rule {
    const char *name; /* NULL: the end of the table */
    enum member_kind kind;
    const char *text; /* a sentence's end behind the name */
};

enum {
    UNHEARD_MAX = 16,
    REASON_MAX = 500, /* bytes of why somebody does something, and of who it is */
    BY_MAX = 100
};

/* What was ignored, for the reply and the timeline. */
struct unheard {
    struct arena *arena;
    uint32_t count;
    struct slice names;   /* "options.dealy, options.foo": bytes that a header can carry */
    struct slice warning; /* for a person; empty: none */
};

/* `where` goes before each name: "options.", or "". Errors: BAD_REQUEST (no map, too), RULE. */
bool members_check(const struct member_rule *rules, const char *where, const struct value *map,
                   struct unheard *unheard, struct err *err);
bool member_is_known(const struct member_rule *rules, struct slice name);
/* Of a list, whose filters and pages are refused rather than told: filter.h. */
extern const char *const list_words[];
/* Parameters of the query that are not in `names` (ends with NULL). */
void params_check(const struct params *params, const char *const *names,
                  struct unheard *unheard);
/* One more sentence for x-bide-warning. */
void unheard_warn(struct unheard *unheard, struct slice sentence);
/* As one sentence, for who refuses it. */
const char *unheard_text(const struct unheard *unheard);
/* The headers. */
void unheard_tell(struct request *request, const struct unheard *unheard);

/*
 * The whole body by its rules: understood (body.h), an object, and only words that mean
 * something or nothing. The tree is in http->scratch. False: answered.
 */
bool request_members(struct request *request, const struct member_rule *rules,
                     struct value *body);
/* The same, but the tree is in the request's arena. */
bool request_members_kept(struct request *request, const struct member_rule *rules,
                          struct value *body);
/* "data", what a run gets; NULL: there is none, and nothing that could have been meant as it.
 * Errors: BAD_REQUEST. */
bool body_data(const struct member_rule *rules, const struct value *body,
               const struct value **data, struct err *err);
/* A text of at most so many bytes, kept; absent: *text stays empty. */
bool body_text(struct request *request, const struct value *body, const char *name, size_t most,
               struct slice *text, struct err *err);
/* Who does something: as it was said, else whose key it is. */
struct slice by_or_key(struct request *request, struct slice by);
/* The query of a route without a body: what it knows has a value. False: answered. */
bool request_params(struct request *request, const char *const *names);

/* Is it a word of filters or pages ("filter[tag]", "page[size]")? */
bool member_is_filter(struct slice name);

#endif
