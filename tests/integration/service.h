/*
 * Service: a third party on loopback that takes orders over HTTP and calls a webhook later, the
 * way image renderers and payment providers do. It answers from a thread of its own.
 */
#ifndef INTEGRATION_SERVICE_H
#define INTEGRATION_SERVICE_H

#include "client.h"

struct service;

struct service *service_start(void);
void service_stop(struct service *service);
const char *service_url(struct service *service);
/* The next so many orders are answered with this status instead of 202. */
void service_break(struct service *service, unsigned count, unsigned status);
unsigned service_orders(struct service *service);
/* The body of an order as JSON; waits for it at most 20 s. Lives until the process ends. */
json_t *service_order(struct service *service, unsigned index);

#endif
