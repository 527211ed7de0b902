#include "pump_faulty.h"

#include <stdatomic.h>

static const struct store_ops *real_ops;
static struct store_ops faulty_ops;
static atomic_bool refuses_changes;
static atomic_int begin_in;

static bool on_begin(struct store *store, struct err *err)
{
    if (atomic_load(&begin_in) > 0 && atomic_fetch_sub(&begin_in, 1) == 1)
        return err_set(err, ERR_STORE, "this batch was to fail");
    return real_ops->begin(store, err);
}

static bool on_flush(struct store *store, struct rows *rows, struct err *err)
{
    if (atomic_load(&refuses_changes))
        return err_set(err, ERR_STORE, "no space left on the device");
    return real_ops->flush(store, rows, err);
}

static bool on_commit(struct store *store, struct err *err)
{
    if (atomic_load(&refuses_changes))
        return err_set(err, ERR_STORE, "no space left on the device");
    return real_ops->commit(store, err);
}

void faulty_install(struct store *store)
{
    real_ops = store->ops;
    faulty_ops = *real_ops;
    faulty_ops.begin = on_begin;
    faulty_ops.flush = on_flush;
    faulty_ops.commit = on_commit;
    store->ops = &faulty_ops;
}

void faulty_refuse(bool refuses)
{
    atomic_store(&refuses_changes, refuses);
}

void faulty_begin(int count)
{
    atomic_store(&begin_in, count);
}
