/*
 * Marks: what live runs may still ask for, and must therefore stay, however old it is. A run
 * names in its wait what it waits for, and reads what came of it when it goes on, which may be
 * long after some of it has ended.
 *
 * Made anew in each walk over all runs. A set that may say yes by mistake, never no: what it
 * holds by mistake goes after the next walk, which hashes otherwise.
 */
#ifndef MARKS_H
#define MARKS_H

#include <stdbool.h>
#include <stdint.h>

struct marks {
    uint64_t *bits; /* NULL: none were made */
    uint64_t salt;
    int64_t since_ms; /* when the walk began, by the steady clock; 0: there was none */
};

/* A walk begins. */
void marks_begin(struct marks *marks, int64_t since_ms);
void marks_add(struct marks *marks, int64_t id);
bool marks_have(const struct marks *marks, int64_t id);
void marks_finish(struct marks *marks);

#endif
