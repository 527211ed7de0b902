/*
 * kill9 [--kills N] [--seed N] [--clients N] [--max-ms N]: SIGKILL at random moments under
 * load.
 *
 *   clients ──trigger, complete, cancel──▶ server ✗ ──▶ server ✗ ──▶ … ──▶ server
 *      └── journal of what was acknowledged ──────── compared after each start, and at the end
 *
 * Nothing may be lost (an acknowledged run is there; an acknowledged completion or cancel
 * counts) and nothing doubled (one key, one run; one run, one child, one recorded charge, one
 * ending). A request that was cut off is sent again with its key, as real clients do, so at the
 * end everything is known.
 */
#include "kill9.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned option(int argc, char **argv, const char *name, unsigned otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return (unsigned)strtoul(argv[i + 1], NULL, 10);
    return otherwise;
}

static void play_set_up(struct play *play, bool is_up)
{
    pthread_mutex_lock(&play->lock);
    play->is_up = is_up;
    pthread_cond_broadcast(&play->changed);
    pthread_mutex_unlock(&play->lock);
}

/* What was acknowledged must be readable, and what has ended once must read the same for ever.
 */
static void check_order(struct play *play, unsigned n)
{
    struct order *order = &play->orders[n];
    if (!atomic_load(&order->is_known))
        return;
    char ended[sizeof order->ended];
    pthread_mutex_lock(&play->lock);
    memcpy(ended, order->ended, sizeof ended);
    pthread_mutex_unlock(&play->lock);
    const struct reply *run =
        server_call(&play->server, "GET", text("/api/v3/runs/%s", order->run), NULL);
    if (run->status != 200)
        give_up("order %u: lost: %ld %s", n, run->status, run->text);
    if (ended[0] == 0)
        return;
    const char *ending = ending_of(run);
    if (ending == NULL || strcmp(ending, ended) != 0)
        give_up("order %u: had ended as %s, now: %s", n, ended, run->text);
}

/* Before the clients are let on: a sample of old orders, and the newest ones. */
static void check_after_start(struct play *play, unsigned *dice)
{
    unsigned count = atomic_load(&play->order_count);
    for (unsigned i = 0; i < 40 && i < count; i++)
        check_order(play, count - 1 - i);
    for (unsigned i = 0; i < 40 && count > 0; i++)
        check_order(play, (unsigned)rand_r(dice) % count);
    client_forget();
}

/* Some servers do not get as far as saying that they listen. */
static void kill_while_it_starts(struct play *play, unsigned *dice)
{
    server_spawn(&play->server);
    pause_ms((int)(rand_r(dice) % 200));
    server_kill(&play->server);
}

static void play_kills(struct play *play, unsigned kills, unsigned max_ms)
{
    unsigned dice = play->seed;
    for (unsigned i = 0; i < kills; i++) {
        unsigned after = 1 + (unsigned)rand_r(&dice) % max_ms;
        pause_ms((int)after);
        server_kill(&play->server);
        play_set_up(play, false);
        bool is_early = rand_r(&dice) % 8 == 0 && i + 1 < kills;
        if (is_early) {
            kill_while_it_starts(play, &dice);
            i++;
        }
        long long start = now_ms();
        server_start(&play->server);
        long long ready = now_ms() - start;
        check_after_start(play, &dice);
        play_set_up(play, true);
        fprintf(stderr,
                "# kill %u of %u after %u ms%s; ready in %lld ms; %u orders, %llu answers\n",
                i + 1, kills, after, is_early ? ", and one while starting" : "", ready,
                atomic_load(&play->order_count),
                (unsigned long long)atomic_load(&play->answers));
    }
}

static void check_endings(struct play *play, unsigned count)
{
    long long deadline = now_ms() + 300000;
    for (unsigned n = 0; n < count; n++) {
        struct order *order = &play->orders[n];
        const struct reply *run = server_call(
            &play->server, "GET", text("/api/v3/runs/%s?wait=30s", order->run), NULL);
        while (ending_of(run) == NULL && now_ms() < deadline)
            run = server_call(&play->server, "GET",
                              text("/api/v3/runs/%s?wait=30s", order->run), NULL);
        const char *wrong = order_judge(play, n, run);
        if (wrong != NULL)
            give_up("order %u: %s: %s", n, wrong, run->text);
        if (order->ended[0] != 0 && strcmp(order->ended, ending_of(run)) != 0)
            give_up("order %u: had ended as %s, now: %s", n, order->ended, run->text);
        if (n % 64 == 0)
            client_forget();
    }
}

static unsigned count_runs(struct play *play, const char *task)
{
    unsigned count = 0;
    char after[200] = "";
    do {
        const struct reply *page = server_call(
            &play->server, "GET",
            text("/api/v1/runs?page%%5Bsize%%5D=100&filter%%5BtaskIdentifier%%5D=%s%s%s", task,
                 after[0] != 0 ? "&page%5Bafter%5D=" : "", after),
            NULL);
        if (page->status != 200)
            give_up("list: %ld %s", page->status, page->text);
        count += (unsigned)json_array_size(reply_at(page, "data"));
        snprintf(after, sizeof after, "%s", reply_text(page, "pagination.next"));
        client_forget();
    } while (after[0] != 0);
    return count;
}

static void expect(const char *what, unsigned long long is, unsigned long long should)
{
    if (is != should)
        give_up("%s: %llu, should be %llu", what, is, should);
}

/* One key, one run, one ending: the engine's own totals count the endings. */
static void check_totals(struct play *play, unsigned count)
{
    unsigned kinds[ORDER_KIND_COUNT] = { 0 };
    for (unsigned n = 0; n < count; n++)
        kinds[play->orders[n].kind]++;
    expect("runs of hello", count_runs(play, "hello"), kinds[ORDER_ECHO]);
    expect("runs of ledger", count_runs(play, "ledger"),
           kinds[ORDER_APPROVE] + kinds[ORDER_CANCEL]);
    expect("runs of ledger-child", count_runs(play, "ledger-child"), kinds[ORDER_APPROVE]);

    static const char *const tasks[] = { "hello", "ledger", "ledger-child" };
    unsigned completed[] = { kinds[ORDER_ECHO], kinds[ORDER_APPROVE], kinds[ORDER_APPROVE] };
    for (unsigned i = 0; i < 3; i++) {
        const struct reply *queue =
            server_call(&play->server, "GET",
                        text("/api/v1/queues/%s/statistics?type=task", tasks[i]), NULL);
        expect(text("%s: endings counted", tasks[i]),
               (unsigned long long)reply_number(queue, "completed"), completed[i]);
        expect("failed", (unsigned long long)reply_number(queue, "failed"), 0);
        expect("still running", (unsigned long long)reply_number(queue, "running"), 0);
        expect("still queued", (unsigned long long)reply_number(queue, "queued"), 0);
        expect("still waiting", (unsigned long long)reply_number(queue, "waiting"), 0);
    }
}

struct charge {
    char run[40];
    long long number;
};

static int charge_compare(const void *a, const void *b)
{
    return strcmp(((const struct charge *)a)->run, ((const struct charge *)b)->run);
}

/* However often `start` ran for a run, it always went on with the number that was recorded
 * first. */
static void check_charges(struct play *play, unsigned *reruns)
{
    size_t count = 0, room = 1024;
    struct charge *charges = malloc(room * sizeof *charges);
    FILE *file = fopen(play->ledger, "r");
    while (file != NULL &&
           fscanf(file, "%39s %lld", charges[count].run, &charges[count].number) == 2)
        if (++count == room)
            charges = realloc(charges, (room *= 2) * sizeof *charges);
    if (file != NULL)
        fclose(file);
    qsort(charges, count, sizeof *charges, charge_compare);
    for (size_t i = 1; i < count; i++)
        if (strcmp(charges[i].run, charges[i - 1].run) == 0) {
            ++*reruns;
            if (charges[i].number != charges[i - 1].number)
                give_up("%s was charged twice: %lld and %lld", charges[i].run,
                        charges[i - 1].number, charges[i].number);
        }
    free(charges);
}

static void play_init(struct play *play, int argc, char **argv)
{
    play->seed = option(argc, argv, "--seed", (unsigned)time(NULL) ^ (unsigned)getpid());
    play->clients = option(argc, argv, "--clients", 6);
    pthread_mutex_init(&play->lock, NULL);
    pthread_cond_init(&play->changed, NULL);
    play->orders = calloc(MAX_ORDERS, sizeof *play->orders);
    server_init(&play->server);
    server_add_plugin(&play->server, "hello");
    server_add_plugin(&play->server, "ledger");
    play->ledger = strdup(server_path(&play->server, "ledger.txt"));
}

int main(int argc, char **argv)
{
    unsigned kills = option(argc, argv, "--kills", 20);
    unsigned max_ms = option(argc, argv, "--max-ms", 600);
    static struct play play;
    pthread_t threads[64];

    play_init(&play, argc, argv);
    fprintf(stderr, "# kill9: seed %u, %u kills, %u clients\n", play.seed, kills, play.clients);
    server_start(&play.server);
    play_set_up(&play, true);
    for (unsigned i = 0; i < play.clients && i < 64; i++)
        pthread_create(&threads[i], NULL, client_main, &play);

    play_kills(&play, kills, max_ms);
    atomic_store(&play.is_over, true);
    for (unsigned i = 0; i < play.clients && i < 64; i++)
        pthread_join(threads[i], NULL);

    unsigned count = atomic_load(&play.order_count), reruns = 0;
    check_endings(&play, count);
    check_totals(&play, count);
    check_charges(&play, &reruns);
    if (server_stop(&play.server) != 0)
        give_up("the last server did not end cleanly");
    server_destroy(&play.server);
    printf("1..1\nok - kill9::nothing_lost_nothing_doubled\n"
           "# %u kills, %u runs ordered, %llu requests answered, %llu cut off, %u segments "
           "rerun\n",
           kills, count, (unsigned long long)atomic_load(&play.answers),
           (unsigned long long)atomic_load(&play.broken), reruns);
    free(play.orders);
    client_close();
    return 0;
}
