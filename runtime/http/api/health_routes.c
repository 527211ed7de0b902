/* Health: is the process alive, and is it of use. */
#include "http/api/routes.h"
#include "http/server/reply.h"

void health_show(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_word(&out, "status", "ok");
    out_word(&out, "version", BIDE_VERSION);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

/* Ready: plugins are loaded, the last batch could be written, and there is room for more. */
void ready_show(struct request *request)
{
    const struct http *http = request->http;
    struct pump_stats stats;
    struct room room;
    const char *status = "ready";

    pump_stats(http->options.pump, &stats);
    http->options.store->ops->room(http->options.store, &room);
    if (http->is_stopping)
        status = "stopping";
    else if (http->catalog == NULL)
        status = "starting";
    else if (!stats.store_ok)
        status = "store refuses changes";
    else if (room.is_low)
        status = room.file_bytes > 0
                     ? "a limit on the size of files is reached; triggers are refused"
                     : "the disk is nearly full; triggers are refused";
    bool ready = strcmp(status, "ready") == 0;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_word(&out, "status", status);
    if (!ready)
        out_word(&out, "error", status);
    out_end_map(&out);
    reply_send(request, ready ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE);
}
