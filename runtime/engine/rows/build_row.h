/* A build as a row: one content of a plugin's file that runs may still need. */
#ifndef BUILD_ROW_H
#define BUILD_ROW_H

#include "base/slice.h"
#include "engine/rows/kind.h"

struct build_row {
    struct row row;
    int64_t id;          /* build_row_id() of its hash */
    struct slice sha;    /* 64 hex digits */
    struct slice file;   /* name of the file that had it last */
    struct slice plugin; /* as it calls itself */
    struct slice version;
    struct slice about; /* packed, plugin/describe.h: what it offers, without loading it */
    int64_t created_ms;
    int64_t rank_ms; /* of those of a file the highest is current; 0: it takes nothing new */
    bool in_file;    /* the file has this content now */
    int64_t heir;    /* runs of it go on in that build; 0: in this one */
    /* Of what starts so much takes it, the rest the one with the next rank; 0: all of it. */
    uint32_t ramp_percent;
    int64_t ramp_from_ms, ramp_ms; /* growing to all of it meanwhile; ramp_ms 0: it stays */
    struct slice note;             /* who took it back and why; empty: nobody did */
};

/* By the first bytes of its hash, as 16 hex digits; positive. */
int64_t build_row_id(struct slice sha);

struct rows;
/* As those of rows.h. */
bool rows_build(struct rows *rows, int64_t id, struct build_row **build);
struct build_row *rows_new_build(struct rows *rows, int64_t id);

#endif
