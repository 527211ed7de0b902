/* Server: what the files of this folder share of the running HTTP server. */
#ifndef SERVER_H
#define SERVER_H

#include "base/list.h"
#include "http/fresh.h"
#include "http/http.h"
#include "http/job.h"
#include "http/longpoll.h"
#include "http/peer.h"
#include "http/tally.h"

struct MHD_Daemon;

/* An environment with what every request needs of it at hand. */
struct world {
    const struct config_environment *environment;
    struct slice key;
    char *claims; /* {"sub":"dev","pub":true} */
};

struct http {
    struct http_options options;
    const struct config *config;
    char *origin;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;   /* of MHD's epoll descriptor */
    uv_timer_t again; /* MHD has more to do, or a timeout of its own */
    uv_check_t check; /* run MHD at once for the replies of this turn of the loop */
    uv_timer_t last_call;
    uint32_t handles; /* open; the server is freed when none is left */
    bool woken;       /* a suspended request has got its reply */

    struct world *worlds; /* environments */
    uint32_t world_count;
    const struct catalog *catalog;
    struct arena scratch; /* trees of request bodies; reset at each */
    size_t body_bytes;    /* all bodies under way */

    struct peers peers;
    struct jobs jobs;
    struct longpolls longpolls;
    struct fresh_runs fresh;
    struct tally tally;
    struct list scrapes; /* requests for /metrics that wait for the next count */
    bool is_scraping;
    struct list requests; /* under way */
    struct list spare;    /* finished ones, to be used again */
    uint32_t request_count, spare_count;

    bool is_stopping, is_late;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* A suspended request has got its reply: let MHD look at it in this turn of the loop. */
void server_wake(struct http *http);
/* A request is finished: is that what http_stop waits for? */
void server_settle(struct http *http);

#endif
