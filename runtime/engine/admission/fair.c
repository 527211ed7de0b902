#include "fair.h"

#include "base/memory.h"
#include "engine/admission/rings.h"

#include <stdlib.h>

enum { CORRECT_MOST = 16 /* starts that a segment may cost more */, MEAN_OF = 16 };

struct fair *fair_create(void)
{
    struct fair *fair = memory_zeroed(1, sizeof *fair);

    list_init(&fair->active);
    list_init(&fair->resting);
    return fair;
}

int64_t tenant_id(struct slice name)
{
    return tag_number(0, name) | 1;
}

struct tenant_hint *fair_tenant(const struct fair *fair, int64_t id)
{
    return (struct tenant_hint *)(void *)id_map_find(&fair->tenants, id); /* its first member */
}

int64_t fair_tag(const struct fair *fair, const struct tenant_hint *tenant)
{
    return tenant == NULL ? fair->floor : tenant->tag;
}

/* ---- orders ------------------------------------------------------------------------------ */

static int64_t tenant_tag(struct list *link)
{
    return container_of(link, struct tenant_hint, link)->tag;
}

static int64_t lane_tag(struct list *link)
{
    return container_of(link, struct lane_hint, link)->tag;
}

/* Behind those of the same tag. Who was just served belongs near the end. */
static void order_put(struct list *order, struct list *link, int64_t (*tag_of)(struct list *))
{
    struct list *at = order->previous;

    while (at != order && tag_of(at) > tag_of(link))
        at = at->previous;
    list_push(at->next, link); /* before it */
}

static bool is_active(const struct tenant_hint *tenant)
{
    return !list_is_empty(&tenant->lanes);
}

/* What has nothing and is below the floor says nothing any more. */
static void resting_sweep(struct fair *fair)
{
    LIST_EACH(&fair->resting, link, after)
    {
        struct tenant_hint *tenant = container_of(link, struct tenant_hint, link);
        if (tenant->tag > fair->floor && fair->resting_count <= FAIR_RESTING)
            continue;
        list_remove(&tenant->link);
        fair->resting_count--;
        id_map_remove(&fair->tenants, &tenant->node);
        free(tenant);
    }
}

/* Where it belongs, after a change of its tag or its lanes. */
static void tenant_settle(struct fair *fair, struct tenant_hint *tenant)
{
    fair->resting_count -= tenant->is_resting;
    list_remove(&tenant->link);
    tenant->is_resting = tenant->lane_count == 0;
    fair->resting_count += tenant->is_resting;
    if (is_active(tenant))
        order_put(&fair->active, &tenant->link, tenant_tag);
    else if (tenant->is_resting)
        list_push(&fair->resting, &tenant->link);
    if (fair->resting_count > FAIR_RESTING)
        resting_sweep(fair);
}

static struct tenant_hint *tenant_get(struct fair *fair, int64_t id)
{
    struct tenant_hint *tenant = fair_tenant(fair, id);

    if (tenant != NULL)
        return tenant;
    tenant = memory_zeroed(1, sizeof *tenant);
    id_map_add(&fair->tenants, &tenant->node, id);
    tenant->tag = fair->floor;
    tenant->weight = 1;
    list_init(&tenant->link);
    list_init(&tenant->lanes);
    return tenant;
}

void fair_destroy(struct fair *fair)
{
    fair_floor(fair, INT64_MAX); /* all of them */
    id_map_finish(&fair->tenants);
    free(fair);
}

/* ---- lanes ------------------------------------------------------------------------------- */

void fair_lane_shut(struct fair *fair, struct lane_hint *lane)
{
    list_remove(&lane->link);
    if (!is_active(lane->tenant))
        tenant_settle(fair, lane->tenant);
}

void fair_lane_open(struct fair *fair, struct lane_hint *lane)
{
    struct tenant_hint *tenant = lane->tenant;

    list_remove(&lane->link);
    bool was_alone = !is_active(tenant);
    order_put(&tenant->lanes, &lane->link, lane_tag);
    if (was_alone)
        tenant_settle(fair, tenant);
}

void fair_lane_leave(struct fair *fair, struct lane_hint *lane)
{
    struct tenant_hint *tenant = lane->tenant;

    list_remove(&lane->link);
    tenant->lane_count--;
    lane->tenant = NULL;
    if (!is_active(tenant))
        tenant_settle(fair, tenant);
}

void fair_lane_join(struct fair *fair, struct lane_hint *lane, int64_t id)
{
    struct tenant_hint *tenant = tenant_get(fair, id);

    if (lane->tenant == tenant)
        return;
    tenant->tag = fair_tag(fair, tenant);
    tenant->lane_count++;
    tenant_settle(fair, tenant);
    if (lane->tenant != NULL)
        fair_lane_leave(fair, lane);
    lane->tenant = tenant;
    lane->tag = tenant->floor;
}

/* ---- tags -------------------------------------------------------------------------------- */

void fair_charge(struct fair *fair, int64_t id, int64_t more, int64_t floor, uint32_t weight)
{
    struct tenant_hint *tenant = tenant_get(fair, id);

    tenant->tag = fair_tag(fair, tenant) + more;
    tenant->floor = floor > tenant->floor ? floor : tenant->floor;
    tenant->weight = weight;
    tenant_settle(fair, tenant);
}

void fair_floor(struct fair *fair, int64_t floor)
{
    if (floor <= fair->floor)
        return;
    fair->floor = floor;
    resting_sweep(fair);
}

void fair_correct(struct fair *fair, struct lane_hint *lane, int64_t id, int64_t busy_us)
{
    struct tenant_hint *tenant = fair_tenant(fair, id);
    int64_t mean_us = fair->mean_us > 0 ? fair->mean_us : 1;

    busy_us = busy_us > 0 ? busy_us : 1;
    fair->mean_us += fair->mean_us == 0 ? busy_us : (busy_us - fair->mean_us) / MEAN_OF;
    if (tenant == NULL || mean_us == 1)
        return;
    int64_t most = mean_us * CORRECT_MOST;
    int64_t more = ((busy_us < most ? busy_us : most) - mean_us) * FAIR_START / mean_us;
    tenant->tag += more / tenant->weight;
    tenant_settle(fair, tenant);
    if (lane == NULL || lane->tenant != tenant)
        return;
    lane->tag += more;
    if (lane->state == LANE_OPEN)
        fair_lane_open(fair, lane);
}
