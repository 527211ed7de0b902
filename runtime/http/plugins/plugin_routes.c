/* Plugins: what is loaded, and what was refused and why. */
#include "http/api/routes.h"
#include "http/server/reply.h"

void plugin_list(struct request *request)
{
    const struct http_options *options = &request->http->options;
    struct value plugins = value_list();
    struct out out = reply_out(request);

    if (options->plugins != NULL)
        plugins = options->plugins(options->context, &request->arena);
    out_map(&out, NULL);
    out_value(&out, "data", &plugins);
    out_end_map(&out);
    reply_send(request, HTTP_OK);
}
