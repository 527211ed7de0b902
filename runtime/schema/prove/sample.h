/* Examples: values that facts may allow, texts that a pattern or a format may. Internal to
 * schema/; sample.c, sample_text.c. */
#ifndef COVERS_SAMPLE_H
#define COVERS_SAMPLE_H

#include "schema/prove/covers.h"

enum { SAMPLES_MAX = 96 };

/* What members are called, or begin with, whose names are made up. */
#define NAME_INVENTED "extra"

struct samples {
    struct value values[SAMPLES_MAX];
    uint32_t count;
};

/* Values that the facts may allow, and such as lie at the edges of `near` (NULL: nothing). Not
 * all of them fit. */
void samples_make(struct cover *cover, const struct facts *facts, const struct schema *near,
                  uint32_t depth, struct samples *samples);
/* The first one that really fits; false: none found. */
bool sample_first(struct cover *cover, const struct facts *facts, uint32_t depth,
                  struct value *value);

/* A text that may match the pattern: unbounded repeats are `stretch` long, `choice` picks
 * alternatives. False: beyond what this can read. */
bool pattern_sample(struct arena *arena, struct slice pattern, uint32_t stretch,
                    uint32_t choice, struct slice *text);
/* A text of that format; NULL: none known. */
const char *format_sample(const char *name);

#endif
