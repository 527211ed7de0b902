/*
 * Frames: what the host and its children say to each other over a Unix stream socket.
 *
 *   u32 little-endian body size | u8 kind | body, one msgpack array whose items follow the
 * struct
 *
 * Both ends are the same binary, so the order may change freely; a peer that sends anything
 * else is broken (plugin code shares its process) and is cut off, never believed.
 *
 *   host ── SEGMENT ──▶ slot ── NOTE* (CALL ◀─▶ REPLY)* ── END | CRASH ──▶ host
 *   host ── CANCEL ───▶ slot                    at any time while a segment runs
 *   host ── FORK+fd, KILL, SYMBOLIZE ──▶ nursery ── LOADED | REFUSED, FORKED, EXITED, SYMBOLS
 * ──▶ host
 */
#ifndef FRAME_H
#define FRAME_H

#include "base/buffer.h"
#include "base/err.h"
#include "codec/metadata.h"
#include "codec/value.h"

#include <stdint.h>

enum frame_kind {
    FRAME_NONE,
    FRAME_SEGMENT,
    FRAME_REPLY,
    FRAME_CANCEL,
    FRAME_CALL,
    FRAME_NOTE,
    FRAME_END,
    FRAME_CRASH,
    FRAME_FORK,
    FRAME_KILL,
    FRAME_SYMBOLIZE,
    FRAME_LOADED,
    FRAME_REFUSED,
    FRAME_FORKED,
    FRAME_EXITED,
    FRAME_SYMBOLS,
    FRAME_KIND_COUNT
};

enum { FRAME_HEADER_BYTES = 5, FRAME_MAX_BYTES = 64 << 20, FRAME_MAX_STACK = 32 };

/* ---- host → slot ------------------------------------------------------------------------- */

/* How one thing that was waited for ended; the numbers are the SDK's enum bide_wait. */
enum wait_status { WAIT_NONE, WAIT_OK, WAIT_TIMEOUT, WAIT_CANCELLED, WAIT_FAILED };

struct frame_result {
    int64_t id;         /* token or run; 0: the wait as a whole; -1: a part without id */
    struct slice name;  /* of a part of a group; empty: it has none */
    uint32_t status;    /* enum wait_status; NONE: still pending (any, n of m) */
    struct slice value; /* msgpack: the token's data, or the child's output; empty when none */
    struct slice error; /* a failed child's message; empty when none */
    struct slice code;  /* and its word for programs */
    bool has_more;      /* a child's output exists but is fetched by CALL_RUN */
};

struct frame_once {
    struct slice name, value; /* value: msgpack */
};

/* Enter a segment. Slices are borrowed; input, state and values are msgpack. */
struct frame_segment {
    int64_t run_id;
    uint32_t seq; /* fence: END and CALL repeat it */
    uint32_t attempt, max_attempts;
    uint32_t entry;   /* how many segments this run has entered; 0 for the first */
    int64_t id_block; /* ids for tokens and children made in this entry, ID_BLOCK of them */
    struct slice key; /* of the URLs of its tokens (callback.h); empty: it must ask for them */
    int64_t created_ms, parent_id, root_id; /* parent 0: none */
    struct slice environment, task, segment;
    struct slice input, state; /* empty: null input, state of zeroes */
    struct slice metadata;     /* msgpack map; empty: none */
    struct slice *tags;
    uint32_t tag_count;
    struct frame_result *results; /* of the wait that ended, in the order they were named */
    uint32_t result_count;
    uint32_t reminder;       /* it is the wait's so manieth; 0: none, the wait is over */
    struct frame_once *once; /* recorded in an earlier try of this entry */
    uint32_t once_count;
    int64_t limit_ms;         /* how long the segment may take; 0: no limit */
    bool is_test, only_loads; /* only_loads: it does not run; would its state load? */
    bool is_rerun;            /* it was started before in this entry: its calls are compared */
    struct slice ending;      /* "CANCELED": the run ends so, and this is to undo what it
                                 did, or a hook; empty: it does not */
    struct slice error_code, error_text; /* of the run, when it is ending */
    int64_t cpu_ms; /* processor time that it may use; 0: as its task says */
};

/* The answer to a CALL. `body` is a msgpack map whose members depend on the call (below). */
struct frame_reply {
    uint32_t call;
    uint32_t error;    /* enum err_code; 0: done */
    struct slice text; /* the error for a person */
    struct slice body;
};

struct frame_cancel {
    int64_t run_id;
};

/* ---- slot → host ------------------------------------------------------------------------- */

/*
 * Calls block the segment until their REPLY, which comes after the commit. One that is sent
 * ahead gets none: a TOKEN without key and schema, whose id and URL the slot knows itself. It
 * is durable at the latest when what the END says is.
 *
 *   CALL_TOKEN    {timeout_ms?, due_ms?, tags?, key?, key_ttl_ms?, schema?} → {id, url, cached}
 *   CALL_TRIGGER  {task, payload, queue?, delay_ms?, priority?, tags?, …}   → {id, cached}
 *   CALL_RUN      {id}                                                      → {status, output?,
 *                                                                              error?}
 *   CALL_ONCE     {name, value}                                             → {}
 *   CALL_BATCH    {batch, all, from, seal, items: [as of CALL_TRIGGER]}     → {}
 *   CALL_BATCH_READ {batch, from, count}              → {count, items: [as of CALL_RUN]}
 *   CALL_CLOSE    {id}, of a token                                          → {}
 *   CALL_SEND     {run, name, data?, key?}                                  → {number}
 *
 * `schema` is the token's name in the task's schema file. The id of a new token or child is
 * id_block + call; a batch takes the number of a call, too, and its items come in parts.
 */
/* clang-format off */
enum call_kind { CALL_TOKEN, CALL_TRIGGER, CALL_RUN, CALL_ONCE, CALL_BATCH, CALL_BATCH_READ,
                 CALL_CLOSE, CALL_SEND, CALL_KIND_COUNT };
/* clang-format on */

struct frame_call {
    int64_t run_id;
    uint32_t seq;
    uint32_t call; /* counts from 1 in each entry, the same in each try of it */
    uint32_t kind; /* enum call_kind */
    bool is_ahead;
    struct slice body;
};

/* One way, not answered: a log line, progress, a line that belongs into the timeline too, or,
 * between two segments and for no run, that the slot is WORN as `text` says and takes no more.
 */
enum note_kind { NOTE_LOG, NOTE_PROGRESS, NOTE_REMARK, NOTE_WORN, NOTE_KIND_COUNT };

struct frame_note {
    int64_t run_id;
    uint32_t seq;
    uint32_t kind;
    uint32_t level; /* LOG: 0 debug, 1 info, 2 warn, 3 error; PROGRESS: percent, 0 to 100 */
    int64_t at_ms;
    struct slice text;
    uint32_t left_out; /* lines in front of this one, that did not fit on the way */
};

/* PARK: this build cannot read the run's state, error_text says why; it waits for one that can.
 * This or DONE answers one that only loads; `output` says more: worker/state_load.c. */
enum verdict {
    VERDICT_WAIT,
    VERDICT_DONE,
    VERDICT_FAIL,
    VERDICT_PARK,
    VERDICT_PUSH_BACK,
    VERDICT_WAIT_ON, /* of a reminder: the wait that it belongs to goes on */
    VERDICT_COUNT
};
enum wait_kind {
    WAIT_FOR_TIME,
    WAIT_FOR_TOKEN,
    WAIT_FOR_RUNS,
    WAIT_FOR_GROUP, /* of parts */
    WAIT_KIND_COUNT
};

/* One of a group; the numbers are the SDK's. */
enum part_kind { PART_TOKEN, PART_RUN, PART_TIME, PART_MESSAGE, PART_GROUP, PART_KIND_COUNT };

struct frame_part {
    uint32_t kind;   /* enum part_kind */
    uint32_t of;     /* the group that it is in: 1 + that one's place, which is before its own;
                        0: the wait itself */
    uint32_t needed; /* GROUP: how many of its own parts must end; 0: all */
    int64_t id;      /* TOKEN, RUN */
    int64_t due_ms;  /* TIME: a date; 0: span_ms counts, from now on */
    int64_t span_ms;
    bool is_span;      /* kept with a run: due_ms is by the steady clock */
    struct slice name; /* for who asks how it ended; empty: none */
    struct slice word; /* MESSAGE: of what name */
};

/* What a wait does beside ending. Empty segments: nothing. */
struct frame_manner {
    bool cancels;           /* what is left of it when it is over: children and own tokens */
    struct slice otherwise; /* the segment to enter when it gives up; empty: `then` */
    struct slice remind;    /* the segment to enter at each of these times: */
    int64_t *reminders;     /* spans from the beginning of the wait, in ms, rising */
    uint32_t reminder_count;
};

struct frame_end {
    int64_t run_id;
    uint32_t seq;
    uint32_t verdict;
    uint64_t cpu_ns;
    /* WAIT */
    uint32_t wait_kind, needed; /* needed: how many of `ids` must end; 0: all */
    int64_t due_ms;  /* a date: TIME: when; TOKEN, RUNS: give up then; 0: span_ms counts */
    int64_t span_ms; /* the same from now on. TIME: 0 is at once; else 0 is never. PUSH_BACK:
                        how long. FAIL: both: when it is tried again; 0: by the policy */
    int64_t *ids;
    uint32_t id_count;
    struct frame_part *parts; /* of a GROUP */
    uint32_t part_count;
    struct frame_manner manner; /* of a GROUP */
    struct slice key;           /* idempotency, of the wait; empty: none */
    bool key_global;            /* else it is the run's own */
    int64_t key_ttl_ms;         /* 0: as long as the wait, and some more */
    struct slice then;          /* the segment to enter */
    struct slice state;         /* msgpack map */
    /* Well: what undoes it, if the run ends badly; then DONE has a state, too. */
    struct slice *aborts;
    uint32_t abort_count;
    /* DONE */
    struct slice output; /* msgpack; empty: null */
    /* FAIL */
    struct slice error_code, error_text;
    bool retryable, is_upstream; /* is_upstream: somebody else has failed */
    struct frame_meta *meta;
    uint32_t meta_count;
};

/* Sent from a signal handler just before the process dies. */
struct frame_crash {
    uint32_t signal;
    uint64_t address;
    uint64_t stack[FRAME_MAX_STACK];
    uint32_t depth;
};

/* The exit code of a slot that cannot talk to the host any more. */
enum { SLOT_EXIT_BROKEN = 113 };

/* ---- host ⇄ nursery ---------------------------------------------------------------------- */

struct frame_fork {
    uint32_t slot; /* one descriptor rides along */
};

struct frame_kill {
    uint32_t slot, signal;
};

struct frame_symbolize {
    uint32_t slot;
    uint64_t stack[FRAME_MAX_STACK];
    uint32_t depth;
};

struct frame_loaded {
    struct slice description; /* msgpack: what plugin/describe.h says */
};

struct frame_refused {
    struct slice reason;
};

struct frame_forked {
    uint32_t slot;
    int32_t pid; /* negative: -errno of a fork that failed */
};

/* In front of a log line among what was printed; its level follows, a digit. */
#define FRAME_LEVEL_MARK '\x1d'

struct frame_exited {
    uint32_t slot;
    int32_t status; /* waitpid's */
    uint64_t cpu_us;
    uint64_t max_rss_bytes;
    uint32_t left_out;   /* lines in front of these */
    struct slice prints; /* the end of what it printed: lines; a log line begins with a mark */
};

struct frame_symbols {
    uint32_t slot;
    struct slice text; /* one line a frame: "decided at refund.c:42" */
};

struct frame {
    enum frame_kind kind;
    union {
        struct frame_segment segment;
        struct frame_reply reply;
        struct frame_cancel cancel;
        struct frame_call call;
        struct frame_note note;
        struct frame_end end;
        struct frame_crash crash;
        struct frame_fork fork;
        struct frame_kill kill;
        struct frame_symbolize symbolize;
        struct frame_loaded loaded;
        struct frame_refused refused;
        struct frame_forked forked;
        struct frame_exited exited;
        struct frame_symbols symbols;
    };
};

/* Append header and body. */
void frame_write(struct buffer *out, const struct frame *frame);

/*
 * Take one frame off the front of `bytes`: *used is its size, or 0 when more bytes are needed.
 * Lists are put into `arena`, slices borrow from `bytes`. Errors (BAD_REQUEST): unknown kind,
 * over `max_bytes`, a body of another shape.
 */
bool frame_read(struct arena *arena, struct slice bytes, size_t max_bytes, struct frame *frame,
                size_t *used, struct err *err);

#endif
