/* SQL of lanes. */
#ifndef LANE_SQL_SQLITE_H
#define LANE_SQL_SQLITE_H

/* clang-format off */
#define SQL_LANE_MAP(X)                                                                        \
    X(LANE_COUNT, "count runs", "UPDATE lane SET delayed = delayed + ?2, queued = queued + ?3,"\
        " parked = parked + ?4, running = running + ?5, waiting = waiting + ?6,"               \
        " live = live + ?2 + ?3 + ?4 + ?5 + ?6 WHERE id = ?1")                                 \
    X(LANE_NAMED, "load lane", "SELECT " LANE_COLUMNS QUEUE_COUNTS " FROM lane"                \
        " WHERE queue = ?1 AND key = ?2")                                                      \
    X(LANES_LIVE, "list lanes", "SELECT " LANE_COLUMNS QUEUE_COUNTS " FROM lane"               \
        " WHERE queue = ?1 AND live > 0 ORDER BY key LIMIT ?2")                                \
    /* From lane to lane through the index, however many runs each of them has. */             \
    X(LANES, "list lanes", "WITH RECURSIVE next (lane) AS (SELECT (SELECT min(lane) FROM"      \
        " run_ready WHERE queue = ?1 AND lane > ?2) UNION ALL SELECT (SELECT min(lane)"        \
        " FROM run_ready WHERE queue = ?1 AND lane > next.lane) FROM next"                     \
        " WHERE next.lane IS NOT NULL LIMIT ?3)"                                               \
        " SELECT lane FROM next WHERE lane IS NOT NULL")                                       \
    X(CROWD, "count what waits", "SELECT delayed + queued + parked FROM queue WHERE id = ?1")      \
    X(OLDEST, "find oldest runs", "SELECT run_id FROM (SELECT run_id FROM run_ready"           \
        " WHERE queue = ?1 ORDER BY lane, rank_ms, run_id LIMIT ?2) ORDER BY run_id LIMIT ?3") \
    X(LANES_IDLE, "find idle lanes", "SELECT " LANE_COLUMNS "live FROM lane INDEXED BY lane_idle"  \
        " WHERE live = 0 AND id > ?1 ORDER BY id LIMIT ?2")
/* clang-format on */

#endif
