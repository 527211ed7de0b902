/* SQL of lanes. */
#ifndef LANE_SQL_SQLITE_H
#define LANE_SQL_SQLITE_H

/* clang-format off */
#define LANE_COLUMNS "id, environment, queue, key, created_ms"

#define SQL_LANE_MAP(X)                                                                        \
    X(LANE_INSERT, "insert lane", "INSERT INTO lane (" LANE_COLUMNS ", live)"                  \
        " VALUES (?1, ?2, ?3, ?4, ?5, 0)")                                                     \
    X(LANE_COUNT, "count runs", "UPDATE lane SET live = live + ?2 WHERE id = ?1")              \
    X(LANE_DELETE, "delete lane", "DELETE FROM lane WHERE id = ?1")                            \
    /* From lane to lane through the index, however many runs each of them has. */             \
    X(LANES, "list lanes", "WITH RECURSIVE next (lane) AS (SELECT (SELECT min(lane) FROM"      \
        " run_ready WHERE queue = ?1 AND lane > ?2) UNION ALL SELECT (SELECT min(lane)"        \
        " FROM run_ready WHERE queue = ?1 AND lane > next.lane) FROM next"                     \
        " WHERE next.lane IS NOT NULL LIMIT ?3)"                                               \
        " SELECT lane FROM next WHERE lane IS NOT NULL")                                       \
    X(LANE_NAMED, "load lane", "SELECT " LANE_COLUMNS " FROM lane"                             \
        " WHERE queue = ?1 AND key = ?2")                                                      \
    X(LANES_IDLE, "find idle lanes", "SELECT " LANE_COLUMNS " FROM lane INDEXED BY lane_idle"  \
        " WHERE live = 0 ORDER BY id LIMIT ?1")
/* clang-format on */

#endif
