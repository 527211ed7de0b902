/* Health: is the process alive, and is it of use. */
#include "http/reply.h"
#include "http/routes.h"

void health_show(struct request *request)
{
    struct out out = reply_out(request);

    out_map(&out, NULL);
    out_word(&out, "status", "ok");
    out_word(&out, "version", BIDE_VERSION);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}

/* Ready: plugins are loaded, and the last batch could be written. */
void ready_show(struct request *request)
{
    const struct http *http = request->http;
    struct pump_stats stats;
    const char *status = "ready";

    pump_stats(http->options.pump, &stats);
    if (http->is_stopping)
        status = "stopping";
    else if (http->catalog == NULL)
        status = "starting";
    else if (!stats.store_ok)
        status = "store refuses changes";
    bool ready = strcmp(status, "ready") == 0;
    struct out out = reply_out(request);
    out_map(&out, NULL);
    out_word(&out, "status", status);
    if (!ready)
        out_word(&out, "error", status);
    out_end_map(&out);
    reply_send(request, ready ? HTTP_OK : HTTP_SERVICE_UNAVAILABLE);
}
