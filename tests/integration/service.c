#include "service.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ORDERS = 256, MAX_BODY = 1 << 16 };

struct service {
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    json_t *orders[MAX_ORDERS];
    unsigned order_count, broken, broken_status;
};

struct upload {
    size_t size;
    char bytes[MAX_BODY];
};

static unsigned order_take(struct service *service, const struct upload *upload)
{
    unsigned status = 202;
    pthread_mutex_lock(&service->lock);
    if (service->broken > 0) {
        service->broken--;
        status = service->broken_status;
    } else if (service->order_count < MAX_ORDERS) {
        service->orders[service->order_count++] =
            json_loadb(upload->bytes, upload->size, JSON_DECODE_ANY, NULL);
    }
    pthread_mutex_unlock(&service->lock);
    return status;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *bytes, size_t *size, void **state)
{
    (void)url;
    (void)version;
    struct upload *upload = *state;
    if (upload == NULL) {
        *state = calloc(1, sizeof *upload);
        return MHD_YES;
    }
    if (*size > 0) {
        size_t take = *size < MAX_BODY - upload->size ? *size : MAX_BODY - upload->size;
        memcpy(upload->bytes + upload->size, bytes, take);
        upload->size += take;
        *size = 0;
        return MHD_YES;
    }
    unsigned status = strcmp(method, "POST") == 0 ? order_take(context, upload) : 405;
    static char answer[] = "{\"accepted\": true, \"job\": \"job-1\", \"id\": \"job-1\"}";
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(answer), answer, MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static void on_end(void *context, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*state);
}

struct service *service_start(void)
{
    struct service *service = calloc(1, sizeof *service);
    pthread_mutex_init(&service->lock, NULL);
    service->daemon =
        MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, on_request, service,
                         MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (service->daemon == NULL)
        give_up("the third party does not start");
    return service;
}

void service_stop(struct service *service)
{
    MHD_stop_daemon(service->daemon);
    for (unsigned i = 0; i < service->order_count; i++)
        json_decref(service->orders[i]);
    free(service);
}

const char *service_url(struct service *service)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(service->daemon, MHD_DAEMON_INFO_BIND_PORT);
    return text("http://127.0.0.1:%u/render", (unsigned)info->port);
}

void service_break(struct service *service, unsigned count, unsigned status)
{
    pthread_mutex_lock(&service->lock);
    service->broken = count;
    service->broken_status = status;
    pthread_mutex_unlock(&service->lock);
}

unsigned service_orders(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    unsigned count = service->order_count;
    pthread_mutex_unlock(&service->lock);
    return count;
}

json_t *service_order(struct service *service, unsigned index)
{
    long long deadline = now_ms() + 20000;
    while (service_orders(service) <= index) {
        if (now_ms() > deadline)
            give_up("order %u never comes", index);
        pause_ms(10);
    }
    return service->orders[index];
}
