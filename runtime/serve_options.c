#include "serve_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static int usage(FILE *out, int code)
{
    fputs("usage: bide serve [-c FILE] [--listen HOST:PORT] [--data DIR] [--plugins DIR]\n"
          "                  [--schemas DIR] [--start-paused] [--backup-before-migrate]\n\n"
          "Run the server. Prints one line, \"listening on http://...\", when it is ready; "
          "stops\n"
          "cleanly on SIGTERM or SIGINT.\n\n"
          "  -c, --config FILE   configuration, default config/bide.yaml\n"
          "      --listen H:P    address to listen on; port 0 takes any that is free\n"
          "      --data DIR      database, keys and private copies of plugins\n"
          "      --plugins DIR   watched for .so files\n"
          "      --schemas DIR   one YAML file a task\n"
          "      --start-paused  pause all environments before anything is started\n"
          "      --backup-before-migrate\n"
          "                      keep a copy of a database of an older format beside it\n\n"
          "Exit codes: 0 stopped cleanly, 1 it could not run, 2 wrong use or configuration.\n",
          out);
    return code;
}

int serve_options_read(int argc, char **argv, struct serve_options *options)
{
    static const struct option names[] = {
        { "config", required_argument, NULL, 'c' },
        { "listen", required_argument, NULL, 'l' },
        { "data", required_argument, NULL, 'd' },
        { "plugins", required_argument, NULL, 'p' },
        { "schemas", required_argument, NULL, 's' },
        { "start-paused", no_argument, NULL, 'P' },
        { "backup-before-migrate", no_argument, NULL, 'B' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option;

    *options = (struct serve_options){ .config = "config/bide.yaml" };
    optind = 1;
    while ((option = getopt_long(argc, argv, "c:h", names, NULL)) != -1) {
        if (optarg != NULL && optarg[0] == '\0') {
            fputs("bide serve: an option's value is empty; leave it out, or give it one\n",
                  stderr);
            return usage(stderr, 2);
        }
        switch (option) {
        case 'c':
            options->config = optarg;
            break;
        case 'l':
            options->listen = optarg;
            break;
        case 'd':
            options->data = optarg;
            break;
        case 'p':
            options->plugins = optarg;
            break;
        case 's':
            options->schemas = optarg;
            break;
        case 'P':
            options->starts_paused = true;
            break;
        case 'B':
            options->copies_older = true;
            break;
        case 'h':
            return usage(stdout, 0);
        default:
            return usage(stderr, 2);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bide serve: \"%s\" is not an option\n", argv[optind]);
        return usage(stderr, 2);
    }
    return -1;
}

bool serve_listen_read(struct config *config, const char *text)
{
    const char *colon = strrchr(text, ':');
    char *end;

    if (colon == NULL || colon == text || colon[1] == '\0')
        return false;
    errno = 0;
    long port = strtol(colon + 1, &end, 10);
    if (errno != 0 || *end != '\0' || port < 0 || port > 65535)
        return false;
    struct slice host = { text, (size_t)(colon - text) };
    if (host.size > 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct slice){ host.data + 1, host.size - 2 };
    config->host = arena_text(&config->arena, host);
    config->port = (uint16_t)port;
    return true;
}
