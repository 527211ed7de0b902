/*
 * Builds: one content of a plugin file, its nursery process and its slots.
 *
 *   NEW ──▶ LOADING ──▶ READY ──nursery dies──▶ RESTARTING ──▶ LOADING …
 *              └──────▶ REFUSED ◀── it cannot be loaded again ──────┘
 *                          └──a probe, after pauses that grow──▶ LOADING
 *
 * When a nursery dies it is not known which of the runs did that: suspects.h.
 *
 * A build that is no file's current one rests: its nursery is there while it has work, and a
 * while longer. One that nobody holds is leaving: it finishes what it has, and is gone.
 */
#ifndef DISPATCH_BUILD_H
#define DISPATCH_BUILD_H

#include "base/crypto.h"
#include "dispatch/processes/description.h"
#include "nursery.h"
#include "slot.h"
#include "suspects.h"

enum build_state {
    BUILD_NEW,
    BUILD_LOADING,
    BUILD_READY,
    BUILD_RESTARTING,
    BUILD_REFUSED,
    BUILD_RESTING /* it was loaded once, and has no process until there is work */
};

struct build {
    struct list node;   /* dispatch->builds */
    struct list hunger; /* dispatch->hungry */
    struct dispatch *dispatch;
    void (*settled)(struct dispatch *dispatch, struct build *build);
    char sha[SHA256_HEX_SIZE];
    char *path; /* of the private copy */
    char *name; /* of the file it came from, for logs */
    enum build_state state;
    struct description about; /* empty until it was loaded once */
    bool was_loaded;
    char reason[480]; /* REFUSED: for a person */
    uint32_t users;   /* files that name it, catalogs being made of it, and that it is kept */
    bool rests;       /* no file's: only runs that are locked to it want it */
    bool is_leaving;  /* its nursery was told to go, as there is nothing to do */
    int64_t busy_ms;  /* when it had something to do last */
    uint64_t starts, crashes; /* of segments, since it was promoted */
    struct nursery *nursery;  /* NULL: none */
    struct list slots;
    uint32_t slot_count;
    struct list backlog; /* jobs without a slot, in order */
    struct list autopsies;
    int64_t retry_ms;   /* when to start the nursery again, or to fork again; 0: now, or, when
                           REFUSED, only when the file is touched */
    uint32_t restarts;  /* in a row that failed to load, or came soon after a death */
    uint32_t probes;    /* in a row while REFUSED */
    int64_t started_ms; /* its nursery, while LOADING */
    bool is_slow;       /* to load: the others do not wait for it */
    int64_t death_ms;   /* of its last nursery */
    struct suspects suspects;
};

/* `settled` is told, each time, that it is loaded or refused. */
struct build *build_create(struct dispatch *dispatch, const char *sha, const char *name,
                           void (*settled)(struct dispatch *dispatch, struct build *build));
struct build *build_find(struct dispatch *dispatch, const char *sha);
/* Frees what is left of it: its nursery and slots are gone. */
void build_destroy(struct build *build);

/* What is known of it from its first load: it needs no process until there is work. */
bool build_rest(struct build *build, struct slice description, struct err *err);
bool build_has_work(const struct build *build);

/* A refused one is loaded once more; anything else stays as it is. */
void build_retry(struct build *build);

/* Refused, and perhaps being tried again. */
bool build_is_aside(const struct build *build);
/* Can it run the segment, now or after a restart? */
bool build_offers(const struct build *build, struct slice task, struct slice segment);
void build_put(struct build *build, struct job *job);
/* Feed it in this turn of the loop. */
void build_hunger(struct build *build);

/* Start what is to be started, end what is not needed any more. The build may be gone after. */
void build_settle(struct build *build);
int64_t build_tick(struct build *build, int64_t now_ms);

#endif
