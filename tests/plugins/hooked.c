/* hooked: a task that logs each hook that is called. Input: { ends: "wait"|"done"|"fail" }. */
#include <bide/bide.h>
#include <string.h>

#define HOOKED(S) S(begin) S(behind)

#define HOOK(name)                        \
    static void name##_hook(bide_task *t) \
    {                                     \
        bide_log_info(t, #name);          \
    }
HOOK(on_start)
HOOK(on_suspend)
HOOK(on_resume)
HOOK(on_success)
HOOK(on_failure)
HOOK(on_cancel)
HOOK(cleanup)

BIDE_TASK(hooked, BIDE_NO_STATE, HOOKED, .id = "hooked", .on_start = on_start_hook,
          .on_suspend = on_suspend_hook, .on_resume = on_resume_hook,
          .on_success = on_success_hook, .on_failure = on_failure_hook,
          .on_cancel = on_cancel_hook, .cleanup = cleanup_hook)

static bide_next begin(bide_task *t)
{
    const char *ends = bide_str(t, bide_input(t), "ends");

    bide_log_info(t, "segment");
    if (strcmp(ends, "fail") == 0)
        return bide_fail(t, "no", "it is to fail");
    return strcmp(ends, "wait") == 0 ? bide_save(t, behind) : bide_done(t);
}

static bide_next behind(bide_task *t)
{
    return begin(t);
}

BIDE_PLUGIN("hooked", "1.0.0", hooked_task)
