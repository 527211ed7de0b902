// cpp: the same header from C++17. Settings are written the same way; a state converts to its struct.
#include <bide/bide.h>

#include <string>

#define STOP_FIELDS(F) F(STR(16), name) F(LIST(F64, 2), position)
BIDE_STRUCT(stop, STOP_FIELDS)

#define TOUR_STATE(F)                                                                          \
    F(STR(32), title)                                                                          \
    F(BYTES(4), stamp)                                                                         \
    F(LIST(STRUCT(stop), 3), stops)                                                            \
    F(TOKEN, approval)

#define TOUR_SEGMENTS(S)                                                                       \
    S(plan)                                                                                    \
    S(planned)                                                                                 \
    S(decided)

static const struct bide_rename renames[] = { { "halts", "stops" }, { nullptr, nullptr } };

BIDE_TASK(tour, TOUR_STATE, TOUR_SEGMENTS, .id = "tour", .max_attempts = 2, .retry_min_ms = 10,
    .retry_factor = 1.5, .renamed = renames)

#define FALL_SEGMENTS(S) S(fall)
BIDE_TASK(falls, BIDE_NO_STATE, FALL_SEGMENTS, .id = "fall", .max_attempts = 1)

namespace cliff {
struct edge {
    __attribute__((noinline)) void step(const std::string &where)
    {
        volatile int *ground = nullptr;
        *ground = static_cast<int>(where.size());
    }
};
} // namespace cliff

static bide_next fall(bide_task *t)
{
    cliff::edge().step(bide_run_id(t));
    return bide_done(t);
}

static bide_next plan(bide_task *t)
{
    struct tour *s = bide_state(t);
    std::string title = std::string("Tour of ") + bide_str(t, bide_input(t), "country");

    bide_set_str(t, s->title, title.c_str());
    bide_set_bytes(t, s->stamp, "\1\2", 2);
    for (const char *name : { "Bern", "Basel" }) {
        stop &next = s->stops.item[s->stops.count++];
        bide_set_str(t, next.name, name);
        next.position.count = 2;
        next.position.item[0] = 46.9;
    }
    return bide_wait_for(t, 0, planned);
}

static bide_next planned(bide_task *t)
{
    struct tour *s = bide_state(t);
    if (!bide_bool(t, bide_input(t), "ask"))
        return decided(t);
    bide_token_opts opts{};
    opts.timeout_ms = BIDE_MINUTES(10);
    s->approval = bide_token_create(t, opts);
    bide_meta_str(t, "url", bide_token_url(t, &s->approval));
    return bide_wait_token(t, &s->approval, decided);
}

static bide_next decided(bide_task *t)
{
    struct tour *s = bide_state(t);
    bide_list *stops = bide_list_new(t);

    for (uint32_t i = 0; i < s->stops.count; i++)
        bide_add_str(t, stops, s->stops.item[i].name);
    bide_out_str(t, "title", s->title);
    bide_out_value(t, "stops", stops);
    bide_out_i64(t, "stamp_bytes", s->stamp.size);
    return bide_done(t);
}

BIDE_PLUGIN("cpp", "1.0.0", tour_task, falls_task)
