/*
 * stages: writes the mark of its input behind the others in its state, saves, and begins again,
 * until there are five; then it ends as its input says: "fail", or with all of them. "plain" is
 * the same, and keeps its last save point alone.
 *
 * Input: { mark, ends: "fail"|"well" }.
 */
#include <bide/bide.h>
#include <string.h>

#define STAGES_STATE(F)    F(STR(40), marks)
#define STAGES_SEGMENTS(S) S(stage)

BIDE_TASK(plain, STAGES_STATE, STAGES_SEGMENTS, .id = "plain", .max_attempts = 1)
BIDE_TASK(stages, STAGES_STATE, STAGES_SEGMENTS, .id = "stages", .max_attempts = 1,
          .keep_states = 3)

static bide_next stage(bide_task *t)
{
    struct stages *s = bide_state(t);
    size_t count = strlen(s->marks);

    s->marks[count++] = bide_str(t, bide_input(t), "mark")[0];
    s->marks[count] = '\0';
    if (count < 5)
        return bide_save(t, stage);
    if (strcmp(bide_str(t, bide_input(t), "ends"), "fail") == 0)
        return bide_fail(t, "no", "it is to fail");
    bide_out(t, bide_of_str(t, s->marks));
    return bide_done(t);
}

BIDE_PLUGIN("stages", "1.0.0", plain_task, stages_task)
