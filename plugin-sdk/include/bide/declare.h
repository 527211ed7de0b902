/*
 * The macros that declare a task: its state, its segments, and the plugin. Each list is written once
 * and read several times, so that struct, prototypes and descriptions cannot disagree. What they
 * make is constant data; see abi.h for its shape.
 */
#ifndef BIDE_DECLARE_H
#define BIDE_DECLARE_H

#include "abi.h"

/*
 * A state is a list of fields, F(KIND, name):
 *
 *   BOOL I32 U32 I64 U64 F64      numbers
 *   STR(n)                        char[n]: text of at most n - 1 bytes; set by bide_set_str()
 *   BYTES(n)                      { size, data[n] }; set by bide_set_bytes()
 *   TOKEN, RUN                    bide_token, bide_run
 *   VALUE                         const bide_value *: anything, of any size up to the limit
 *   LIST(KIND, n)                 { count, item[n] } of any kind but LIST
 *   RUNS(n)                       the same as LIST(RUN, n)
 *   STRUCT(name)                  struct name, declared before by BIDE_STRUCT
 *
 * It is saved by name when a segment ends in a wait. What a later version adds starts as zero, what it
 * drops is kept aside; a longer STR, BYTES or LIST is fine. A field whose kind changed parks the run.
 */
#define BIDE_TYPE_BOOL      bool
#define BIDE_TYPE_I32       int32_t
#define BIDE_TYPE_U32       uint32_t
#define BIDE_TYPE_I64       int64_t
#define BIDE_TYPE_U64       uint64_t
#define BIDE_TYPE_F64       double
#define BIDE_TYPE_STR(n)    __typeof__(char[n])
#define BIDE_TYPE_TOKEN     bide_token
#define BIDE_TYPE_RUN       bide_run
#define BIDE_TYPE_VALUE     const bide_value *
#define BIDE_TYPE_STRUCT(s) struct s
#define BIDE_TYPE_RUNS(n)   BIDE_TYPE_LIST(RUN, n)
#ifdef __cplusplus
#define BIDE_TYPE_BYTES(n)      bide_bytes_of<n>
#define BIDE_TYPE_LIST(kind, n) bide_list_of<BIDE_TYPE_##kind, n>
template <uint32_t N> struct bide_bytes_of {
    uint32_t size;
    unsigned char data[N];
};
template <typename T, uint32_t N> struct bide_list_of {
    uint32_t count, unused_;
    T item[N];
};
#else
#define BIDE_TYPE_BYTES(n)                                                                     \
    struct {                                                                                   \
        uint32_t size;                                                                         \
        unsigned char data[n];                                                                 \
    }
#define BIDE_TYPE_LIST(kind, n)                                                                \
    struct {                                                                                   \
        uint32_t count, unused_;                                                               \
        BIDE_TYPE_##kind item[n];                                                              \
    }
#endif

/* kind, item kind */
#define BIDE_KINDS_BOOL          BIDE_KIND_BOOL, 0
#define BIDE_KINDS_I32           BIDE_KIND_I32, 0
#define BIDE_KINDS_U32           BIDE_KIND_U32, 0
#define BIDE_KINDS_I64           BIDE_KIND_I64, 0
#define BIDE_KINDS_U64           BIDE_KIND_U64, 0
#define BIDE_KINDS_F64           BIDE_KIND_F64, 0
#define BIDE_KINDS_STR(n)        BIDE_KIND_STR, 0
#define BIDE_KINDS_BYTES(n)      BIDE_KIND_BYTES, 0
#define BIDE_KINDS_TOKEN         BIDE_KIND_TOKEN, 0
#define BIDE_KINDS_RUN           BIDE_KIND_RUN, 0
#define BIDE_KINDS_VALUE         BIDE_KIND_VALUE, 0
#define BIDE_KINDS_STRUCT(s)     BIDE_KIND_STRUCT, 0
#define BIDE_KINDS_LIST(kind, n) BIDE_KIND_LIST, BIDE_ITEM_##kind
#define BIDE_KINDS_RUNS(n)       BIDE_KIND_LIST, BIDE_KIND_RUN

#define BIDE_ITEM_BOOL      BIDE_KIND_BOOL
#define BIDE_ITEM_I32       BIDE_KIND_I32
#define BIDE_ITEM_U32       BIDE_KIND_U32
#define BIDE_ITEM_I64       BIDE_KIND_I64
#define BIDE_ITEM_U64       BIDE_KIND_U64
#define BIDE_ITEM_F64       BIDE_KIND_F64
#define BIDE_ITEM_STR(n)    BIDE_KIND_STR
#define BIDE_ITEM_BYTES(n)  BIDE_KIND_BYTES
#define BIDE_ITEM_TOKEN     BIDE_KIND_TOKEN
#define BIDE_ITEM_RUN       BIDE_KIND_RUN
#define BIDE_ITEM_VALUE     BIDE_KIND_VALUE
#define BIDE_ITEM_STRUCT(s) BIDE_KIND_STRUCT

/* capacity, item size, item capacity, rows */
#define BIDE_ROOM_BOOL          0, 0, 0, NULL
#define BIDE_ROOM_I32           0, 0, 0, NULL
#define BIDE_ROOM_U32           0, 0, 0, NULL
#define BIDE_ROOM_I64           0, 0, 0, NULL
#define BIDE_ROOM_U64           0, 0, 0, NULL
#define BIDE_ROOM_F64           0, 0, 0, NULL
#define BIDE_ROOM_STR(n)        n, 0, 0, NULL
#define BIDE_ROOM_BYTES(n)      n, 0, 0, NULL
#define BIDE_ROOM_TOKEN         0, 0, 0, NULL
#define BIDE_ROOM_RUN           0, 0, 0, NULL
#define BIDE_ROOM_VALUE         0, 0, 0, NULL
#define BIDE_ROOM_STRUCT(s)     0, 0, 0, s##_rows
#define BIDE_ROOM_LIST(kind, n) n, sizeof(BIDE_TYPE_##kind), BIDE_INNER_##kind
#define BIDE_ROOM_RUNS(n)       n, sizeof(bide_run), 0, NULL

/* item capacity, rows */
#define BIDE_INNER_BOOL      0, NULL
#define BIDE_INNER_I32       0, NULL
#define BIDE_INNER_U32       0, NULL
#define BIDE_INNER_I64       0, NULL
#define BIDE_INNER_U64       0, NULL
#define BIDE_INNER_F64       0, NULL
#define BIDE_INNER_STR(n)    n, NULL
#define BIDE_INNER_BYTES(n)  n, NULL
#define BIDE_INNER_TOKEN     0, NULL
#define BIDE_INNER_RUN       0, NULL
#define BIDE_INNER_VALUE     0, NULL
#define BIDE_INNER_STRUCT(s) 0, s##_rows

#define BIDE_MEMBER_(kind, name) BIDE_TYPE_##kind name;
#define BIDE_FIELD_(kind, name)                                                                \
    { #name, BIDE_KINDS_##kind, offsetof(bide_self, name), sizeof(((bide_self *)0)->name),     \
        BIDE_ROOM_##kind },
#define BIDE_PROTO_(name)   static bide_next name(bide_task *t);
#define BIDE_SEGMENT_(name) { #name, name },

#ifdef __cplusplus
#define BIDE_CONST_ static constexpr
#else
#define BIDE_CONST_ static const
#endif

#define BIDE_ROWS_(FIELDS)                                                                     \
    BIDE_CONST_ struct bide_field bide_rows_[] = { FIELDS(BIDE_FIELD_){                              \
        NULL, 0, 0, 0, 0, 0, 0, 0, NULL } }

/* A struct for STRUCT(name) and LIST(STRUCT(name), n). */
#define BIDE_STRUCT(name, FIELDS)                                                              \
    struct name {                                                                              \
        FIELDS(BIDE_MEMBER_)                                                                   \
    };                                                                                         \
    __attribute__((unused)) static const struct bide_field *name##_rows(void)                  \
    {                                                                                          \
        typedef struct name bide_self;                                                         \
        BIDE_ROWS_(FIELDS);                                                                    \
        return bide_rows_;                                                                           \
    }

/* For a task that keeps nothing across waits. */
#define BIDE_NO_STATE(F)

/*
 * BIDE_TASK(name, STATE, SEGMENTS, .id = "…", …) makes `struct name` (the state), prototypes of the
 * segments (the first is the entry) and `name_task` for BIDE_PLUGIN. The settings are those that
 * struct bide_task_def lists; only .id is needed. In C++ a setting has no comma inside.
 */
#define BIDE_TASK(name, STATE, SEGMENTS, ...)                                                  \
    struct name {                                                                              \
        STATE(BIDE_MEMBER_)                                                                    \
        char bide_end_; /* C has no empty struct */                                            \
    };                                                                                         \
    SEGMENTS(BIDE_PROTO_)                                                                      \
    static const struct bide_task_def *name##_task(void)                                       \
    {                                                                                          \
        typedef struct name bide_self;                                                         \
        BIDE_ROWS_(STATE);                                                                     \
        BIDE_CONST_ struct bide_segment bide_segments_[] = { SEGMENTS(BIDE_SEGMENT_){                \
            NULL, NULL } };                                                                    \
        BIDE_DEFINE_(__VA_ARGS__)                                                              \
        return &bide_def_;                                                                           \
    }

#ifndef __cplusplus
#define BIDE_DEFINE_(...)                                                                      \
    static const struct bide_task_def bide_def_ = { .size = sizeof(struct bide_task_def),                              \
        .state_size = sizeof(bide_self),                                                       \
        .fields = bide_rows_,                                                                        \
        .segments = bide_segments_,                                                                  \
        .field_size = sizeof bide_rows_[0],                                                          \
        .segment_size = sizeof bide_segments_[0],                                                    \
        __VA_ARGS__ };
#else
/* C++17 has no designated initialisers: each setting becomes an assignment, "made.id = …;". */
#define BIDE_DEFINE_(...)                                                                      \
    struct bide_made {                                                                         \
        static constexpr bide_task_def make(const bide_field *fields,                          \
            const bide_segment *segments, uint32_t state_size)                                 \
        {                                                                                      \
            bide_task_def made{};                                                              \
            made.size = sizeof made;                                                           \
            made.state_size = state_size;                                                      \
            made.fields = fields;                                                              \
            made.segments = segments;                                                          \
            made.field_size = sizeof *fields;                                                  \
            made.segment_size = sizeof *segments;                                              \
            BIDE_EACH_(__VA_ARGS__)                                                            \
            return made;                                                                       \
        }                                                                                      \
    };                                                                                         \
    static constexpr bide_task_def bide_def_ = bide_made::make(bide_rows_, bide_segments_, sizeof(bide_self));

#define BIDE_EACH_(...)                                                                        \
    BIDE_PICK_(__VA_ARGS__, BIDE_E12_, BIDE_E11_, BIDE_E10_, BIDE_E9_, BIDE_E8_, BIDE_E7_,     \
        BIDE_E6_, BIDE_E5_, BIDE_E4_, BIDE_E3_, BIDE_E2_, BIDE_E1_, 0)                         \
    (__VA_ARGS__)
#define BIDE_PICK_(a, b, c, d, e, f, g, h, i, j, k, l, pick, ...) pick
#define BIDE_E1_(a)       made a;
#define BIDE_E2_(a, ...)  made a; BIDE_E1_(__VA_ARGS__)
#define BIDE_E3_(a, ...)  made a; BIDE_E2_(__VA_ARGS__)
#define BIDE_E4_(a, ...)  made a; BIDE_E3_(__VA_ARGS__)
#define BIDE_E5_(a, ...)  made a; BIDE_E4_(__VA_ARGS__)
#define BIDE_E6_(a, ...)  made a; BIDE_E5_(__VA_ARGS__)
#define BIDE_E7_(a, ...)  made a; BIDE_E6_(__VA_ARGS__)
#define BIDE_E8_(a, ...)  made a; BIDE_E7_(__VA_ARGS__)
#define BIDE_E9_(a, ...)  made a; BIDE_E8_(__VA_ARGS__)
#define BIDE_E10_(a, ...) made a; BIDE_E9_(__VA_ARGS__)
#define BIDE_E11_(a, ...) made a; BIDE_E10_(__VA_ARGS__)
#define BIDE_E12_(a, ...) made a; BIDE_E11_(__VA_ARGS__)
#endif

/* BIDE_PLUGIN("name", "1.0.0", first_task, second_task, …): once in a plugin, at the end. */
#define BIDE_PLUGIN(plugin_name, plugin_version, ...)                                          \
    const struct bide_plugin *bide_plugin_describe(void)                                       \
    {                                                                                          \
        BIDE_CONST_ bide_task_fn bide_tasks_[] = { __VA_ARGS__ };                                    \
        BIDE_CONST_ struct bide_plugin bide_plugin_ = { BIDE_MAGIC, BIDE_ABI_MAJOR, BIDE_ABI_MINOR,  \
            sizeof(struct bide_plugin), sizeof bide_tasks_ / sizeof bide_tasks_[0], plugin_name,           \
            plugin_version, bide_tasks_ };                                                           \
        return &bide_plugin_;                                                                        \
    }

#endif
