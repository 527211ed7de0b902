/* What somebody does by hand to a token, or to what a run waits for. */
#include "http/api/routes.h"
#include "http/api/run_view.h"
#include "http/body/wait_body.h"
#include "http/server/reply.h"

static void act(struct request *request, const char *prefix, const char *unknown,
                enum command_kind kind)
{
    if (request_id(request, prefix, unknown, &request->command.token_complete.id) &&
        act_read(request, kind))
        request_submit(request, act_done);
}

/* ---- routes ------------------------------------------------------------------------------ */

void token_timeout(struct request *request)
{
    act(request, "waitpoint", TOKEN_UNKNOWN, COMMAND_TOKEN_TIMEOUT);
}

void token_close(struct request *request)
{
    act(request, "waitpoint", TOKEN_UNKNOWN, COMMAND_TOKEN_CLOSE);
}

void token_move(struct request *request)
{
    act(request, "waitpoint", TOKEN_UNKNOWN, COMMAND_TOKEN_MOVE);
}

void run_wait_complete(struct request *request)
{
    act(request, "run", RUN_UNKNOWN, COMMAND_WAIT_COMPLETE);
}

void run_wait_timeout(struct request *request)
{
    act(request, "run", RUN_UNKNOWN, COMMAND_WAIT_TIMEOUT);
}

void run_wait_skip(struct request *request)
{
    act(request, "run", RUN_UNKNOWN, COMMAND_WAIT_SKIP);
}

void run_wait_move(struct request *request)
{
    act(request, "run", RUN_UNKNOWN, COMMAND_WAIT_MOVE);
}
