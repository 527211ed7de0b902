/*
 * Kept builds: each content of a plugin's file that was loaded once stays by its hash, as a
 * file in <data>/builds and as a row of the store, as long as a run needs it.
 *
 *   loaded ──▶ current ── another is dropped or promoted ──▶ kept ── no run needs it ──▶ gone
 *                 ▲                                            │
 *                 └────────────── promote, rollback ───────────┘
 *
 * Of those of a file the one with the highest rank is current. The one before it stays for a
 * rollback even when no run needs it. Loop thread, but for what the walk reads on libuv's pool.
 */
#ifndef DISPATCH_KEPT_H
#define DISPATCH_KEPT_H

#include "base/arena.h"
#include "base/list.h"
#include "engine/rows/build_row.h"
#include "store/reader.h"

#include <uv.h>

struct build;
struct command;
struct dispatch;
struct plugin_file;
struct plugins_wish;
struct err;

struct kept {
    struct list node;
    struct arena arena; /* of the row's texts */
    struct build_row row;
    struct build *build; /* held */
    uint32_t runs;       /* that are not over and are locked to it, as the last walk counted */
    uint32_t found;      /* in the walk under way */
    bool was_counted;    /* a walk has gone over it */
    bool is_walked;      /* it was there when the walk under way began */
    bool is_leaving;     /* the next catalog is without it */
    bool has_left;       /* when that walk began, the engine had such a catalog */
};

struct kept_builds {
    struct list all;
    struct reader *reader; /* NULL: no store that can be asked */
    uv_work_t work;
    struct walk_page *page; /* of the walk, being read; NULL: none */
    int64_t due_ms;         /* of the next page or walk; 0: nothing can go */
    int64_t after;          /* the walk goes on below it */
    int64_t began_ms, took_ms;
    bool is_walking, is_checked; /* is_checked: files that are gone were looked for */
};

/* Those of an earlier life; before the first scan. Errors: STORE. */
bool kept_load(struct dispatch *dispatch, struct err *err);
void kept_stop(struct dispatch *dispatch);
void kept_finish(struct dispatch *dispatch);

struct kept *kept_find(struct dispatch *dispatch, struct slice build); /* by 16 or 64 digits */
/* The current one of a file; NULL: it has none. */
struct kept *kept_current(struct dispatch *dispatch, struct slice file);
/* What a rollback would go back to. */
struct kept *kept_before(struct dispatch *dispatch, const struct kept *current);
bool kept_is_current(const struct kept *kept);
/* Is there a file of its name? */
bool kept_has_file(const struct kept *kept);
/* Higher than all of them. */
int64_t kept_rank_next(struct dispatch *dispatch);

/* Is there no room for one that is not kept yet? */
bool kept_is_full(const struct dispatch *dispatch);
/* The file's newest content is loaded. `is_drop`: it was not there when the server stopped. */
void kept_loaded(struct dispatch *dispatch, const struct plugin_file *file, struct build *build,
                 bool is_drop);
/* Nothing new starts in any build of the file. */
void kept_file_gone(struct dispatch *dispatch, const char *file);
/* After the first scan: files that went while the server was down. */
void kept_check_files(struct dispatch *dispatch);

/* Rows of a command that was decided: current builds may be others now. */
void kept_apply(struct dispatch *dispatch, const struct build_row *rows, uint32_t count);
/* A row to be written, submitted until it is. */
void kept_write(struct dispatch *dispatch, const struct build_row *row);
/* Nobody needs it: its row, its copy and its processes go. */
void kept_retire(struct dispatch *dispatch, struct kept *kept);
/* Each file's build is what the ranks say, and the others rest. */
void kept_settle(struct dispatch *dispatch);

/* kept_walk.c: which of them do runs need? */
void kept_walk_want(struct dispatch *dispatch);
int64_t kept_walk_tick(struct dispatch *dispatch, int64_t now_ms);

/* kept_act.c: what is asked for, as rows of the command; errors tell a person. */
bool kept_ask(struct dispatch *dispatch, const struct plugins_wish *wish,
              struct command *command, struct err *err);
/* A segment of it crashed: a ramp may end. */
void kept_crashed(struct dispatch *dispatch, struct build *build);

#endif
