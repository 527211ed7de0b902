/* Server: what the files of this folder share of the running HTTP server. */
#ifndef SERVER_H
#define SERVER_H

#include "base/list.h"
#include "http/http.h"
#include "http/server/connection.h"
#include "http/server/long_poll.h"
#include "http/server/read_pool.h"
#include "http/server/recent_runs.h"
#include "http/server/request_counts.h"
#include "http/server/status.h"

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
    uv_prepare_t before; /* replies of this turn of the loop leave before it sleeps … */
    uv_check_t after;    /* … and right after what it woke up for */
    uv_timer_t last_call;
    uv_timer_t tidy;    /* gives memory back */
    size_t freed_bytes; /* since it last did */
    uint32_t handles;   /* open; the server is freed when none is left */

    struct world *worlds; /* environments */
    uint32_t world_count;
    const struct catalog *catalog;
    struct arena scratch; /* trees of request bodies; reset at each */
    size_t body_bytes;    /* all bodies under way */
    size_t reply_bytes;   /* all replies that wait for their readers */
    struct buffer out;    /* what is answered while requests are read */
    struct head head;     /* the one that is being read */
    char date[96];        /* as replies say it */
    int64_t date_s;

    struct connections connections;
    struct read_pool read_pool;
    struct long_polls long_polls;
    struct recent_runs recent_runs;
    struct request_counts request_counts;
    struct list scrapes; /* requests for /metrics that wait for the next count */
    bool is_scraping;
    struct list requests; /* under way */
    struct list answered; /* as well; their replies have not left yet */
    struct list spare;    /* finished ones, to be used again */
    uint32_t request_count, spare_count;

    bool is_stopping, is_late;
    void (*stopped)(void *context);
    void *stopped_context;
};

/* A connection came; it is gone, and its memory. */
void server_opened(struct http *http);
void server_closed(struct http *http);
/* Something big was freed: the system gets it back soon. */
void server_freed(struct http *http, size_t bytes);
/* A request is finished: is that what http_stop waits for? */
void server_settle(struct http *http);

#endif
