/* Log lines of many threads, while the level changes: each line whole, none in another. */
#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 4, LINES = 500 };

static void *writer(void *context)
{
    const char *name = context;

    for (int i = 0; i < LINES; i++) {
        if (i % 50 == 0)
            log_set_level(i % 100 == 0 ? LOG_INFO : LOG_DEBUG);
        log_info("thread.line", "name=%s line=%d end=here", name, i);
    }
    return NULL;
}

int main(void)
{
    static char names[THREADS][2] = { "a", "b", "c", "d" };
    char path[] = "/tmp/bide-log-XXXXXX", line[256];
    pthread_t threads[THREADS];
    int count = 0, next[THREADS] = { 0 }, kept = dup(STDERR_FILENO);
    int fd = mkstemp(path);

    if (fd < 0 || kept < 0 || dup2(fd, STDERR_FILENO) < 0)
        return 1;
    unlink(path);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, writer, names[i]) != 0)
            abort();
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    dup2(kept, STDERR_FILENO); /* a sanitizer has something to say there */

    FILE *file = fdopen(fd, "r");
    rewind(file);
    while (fgets(line, sizeof line, file) != NULL) {
        const char *at = strstr(line, " info thread.line name=");
        char name;
        int number;
        if (at == NULL ||
            sscanf(at, " info thread.line name=%c line=%d", &name, &number) != 2 ||
            strcmp(line + strlen(line) - 10, " end=here\n") != 0 || name < 'a' ||
            name >= 'a' + THREADS || next[name - 'a']++ != number) {
            printf("not ok - tsan::log\n# %s", line);
            return 1;
        }
        count++;
    }
    fclose(file);
    if (count != THREADS * LINES) {
        printf("not ok - tsan::log\n# %d lines of %d\n", count, THREADS * LINES);
        return 1;
    }
    printf("1..1\nok - tsan::log\n");
    return 0;
}
