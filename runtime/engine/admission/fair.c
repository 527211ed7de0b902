#include "fair.h"

#include "base/memory.h"
#include "engine/admission/rings.h"
#include "engine/rows/labels.h"

#include <stdlib.h>

enum { CORRECT_MOST = 16 /* starts that a segment may cost more */, MEAN_OF = 16 };

struct fair *fair_create(void)
{
    struct fair *fair = memory_zeroed(1, sizeof *fair);

    list_init(&fair->active);
    list_init(&fair->resting);
    list_init(&fair->rested);
    return fair;
}

int64_t tenant_id(struct slice name)
{
    return label_of_tag(0, name) | 1;
}

struct tenant_hint *fair_tenant(const struct fair *fair, int64_t id)
{
    return (struct tenant_hint *)(void *)id_map_find(&fair->tenants, id); /* its first member */
}

static int64_t higher(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* Where who has nothing begins: before those that are level with him. */
static int64_t level(const struct fair *fair)
{
    LIST_EACH(&fair->active, link, after)
    {
        const struct tenant_hint *tenant = container_of(link, struct tenant_hint, link);
        if (tenant->node.id != FAIR_UNKNOWN)
            return tenant->tag <= fair->floor ? tenant->tag - 1 : fair->floor;
    }
    return fair->floor;
}

int64_t fair_tag(const struct fair *fair, const struct tenant_hint *tenant)
{
    if (tenant == NULL)
        return level(fair);
    return tenant->lane_count > 0 ? tenant->tag : higher(tenant->tag, level(fair));
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

/* What has nothing and is not above the others says nothing any more. */
static void resting_sweep(struct fair *fair)
{
    int64_t least = level(fair);

    LIST_EACH(&fair->resting, link, after)
    {
        struct tenant_hint *tenant = container_of(link, struct tenant_hint, link);
        if (tenant->tag > least && fair->resting_count <= FAIR_RESTING)
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

/* From there, where it has nothing. */
static struct tenant_hint *tenant_get(struct fair *fair, int64_t id, int64_t from)
{
    struct tenant_hint *tenant = fair_tenant(fair, id);

    if (tenant != NULL && tenant->lane_count == 0)
        tenant->tag = higher(tenant->tag, from);
    if (tenant != NULL)
        return tenant;
    tenant = memory_zeroed(1, sizeof *tenant);
    id_map_add(&fair->tenants, &tenant->node, id);
    tenant->tag = from;
    tenant->born = ++fair->born;
    tenant->weight = 1;
    list_init(&tenant->link);
    list_init(&tenant->lanes);
    return tenant;
}

static struct lane_rest *rest_find(const struct fair *fair, int64_t lane,
                                   const struct tenant_hint *tenant)
{
    struct lane_rest *rest =
        (struct lane_rest *)(void *)id_map_find(&fair->rests, lane); /* its first member */

    return rest != NULL && tenant != NULL && rest->born == tenant->born ? rest : NULL;
}

static void rest_drop(struct fair *fair, struct lane_rest *rest)
{
    list_remove(&rest->link);
    id_map_remove(&fair->rests, &rest->node);
    free(rest);
}

void fair_destroy(struct fair *fair)
{
    while (!list_is_empty(&fair->rested))
        rest_drop(fair, container_of(fair->rested.next, struct lane_rest, link));
    id_map_finish(&fair->rests);
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

void fair_lane_rest(struct fair *fair, struct lane_hint *lane)
{
    struct tenant_hint *tenant = lane->tenant;

    if (tenant->node.id != FAIR_UNKNOWN && lane->tag > tenant->floor) {
        struct lane_rest *rest = memory_zeroed(1, sizeof *rest);
        *rest = (struct lane_rest){ .born = tenant->born,
                                    .tag = lane->tag,
                                    .weight = lane->weight };
        id_map_add(&fair->rests, &rest->node, lane->node.id);
        list_push(&fair->rested, &rest->link);
        if (fair->rests.count > FAIR_RESTING)
            rest_drop(fair, container_of(fair->rested.next, struct lane_rest, link));
    }
    fair_lane_leave(fair, lane);
}

int64_t fair_lane_tag(const struct fair *fair, int64_t lane, const struct tenant_hint *tenant,
                      int64_t floor)
{
    const struct lane_rest *rest = rest_find(fair, lane, tenant);

    return rest == NULL ? floor : higher(rest->tag, floor);
}

void fair_lane_join(struct fair *fair, struct lane_hint *lane, int64_t id, int64_t floor)
{
    struct tenant_hint *tenant = tenant_get(fair, id, level(fair));
    struct id_node *rest = id_map_find(&fair->rests, lane->node.id);

    if (lane->tenant == tenant)
        return;
    tenant->lane_count++;
    tenant_settle(fair, tenant);
    if (lane->tenant != NULL)
        fair_lane_leave(fair, lane);
    lane->tenant = tenant;
    lane->tag =
        fair_lane_tag(fair, lane->node.id, tenant, floor == FAIR_NOW ? tenant->floor : floor);
    if (rest != NULL && id != FAIR_UNKNOWN)
        rest_drop(fair, (struct lane_rest *)(void *)rest);
}

/* ---- tags -------------------------------------------------------------------------------- */

void fair_charge(struct fair *fair, int64_t id, int64_t from, int64_t more, int64_t floor,
                 uint32_t weight)
{
    struct tenant_hint *tenant = tenant_get(fair, id, from);

    tenant->tag += more;
    tenant->floor = higher(tenant->floor, floor);
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

void fair_correct(struct fair *fair, int64_t lane, struct lane_hint *hint, int64_t id,
                  int64_t busy_us)
{
    struct tenant_hint *tenant = fair_tenant(fair, id);
    struct lane_rest *rest = hint == NULL ? rest_find(fair, lane, tenant) : NULL;
    int64_t mean_us = fair->mean_us > 0 ? fair->mean_us : 1;

    busy_us = busy_us > 0 ? busy_us : 1;
    fair->mean_us += fair->mean_us == 0 ? busy_us : (busy_us - fair->mean_us) / MEAN_OF;
    if (tenant == NULL || mean_us == 1)
        return;
    int64_t most = mean_us * CORRECT_MOST;
    int64_t more = ((busy_us < most ? busy_us : most) - mean_us) * FAIR_START / mean_us;
    tenant->tag += more / tenant->weight;
    tenant_settle(fair, tenant);
    if (rest != NULL)
        rest->tag += more / rest->weight;
    if (hint == NULL || hint->tenant != tenant)
        return;
    hint->tag += more / hint->weight;
    if (hint->state == LANE_OPEN)
        fair_lane_open(fair, hint);
}
