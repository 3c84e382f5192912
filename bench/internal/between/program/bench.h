/* What the programs here have in common: they say "ready" and where they are, and
 * answer each line with a number by having done so many operations. */
#pragma once
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { size = 64 };

static inline void must(int ok, const char *what) {
    if (!ok) {
        perror(what);
        exit(1);
    }
}

static inline void ready(const char *at) {
    printf("ready %s\n", at);
    fflush(stdout);
}

/* How many operations are asked for next; 0 at the end. */
static inline long asked(void) {
    long n;
    return scanf("%ld", &n) == 1 ? n : 0;
}

static inline uint64_t now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The answer of who does not know how long it took. */
static inline void answer(void) {
    puts("0");
    fflush(stdout);
}

/* The number of the next message, written into it or seen in it. */
static inline void number(void *m, uint64_t *next) {
    memcpy(m, next, sizeof *next);
    ++*next;
}

static inline void see(const void *m, uint64_t *next) {
    uint64_t got;
    memcpy(&got, m, sizeof got);
    if (got != *next) {
        fprintf(stderr, "message %llu came where %llu was due\n", (unsigned long long)got, (unsigned long long)*next);
        exit(1);
    }
    ++*next;
}

/* Has each of n operations timed, as all others do, and answers. */
#define ALONE(n, operate)                                             \
    do {                                                              \
        uint64_t *each = (uint64_t *)malloc((size_t)(n) * sizeof *each); \
        uint64_t begin = now(), last = begin;                         \
        for (long i = 0; i < (n); i++) {                              \
            operate;                                                  \
            uint64_t t = now();                                       \
            each[i] = t - last;                                       \
            last = t;                                                 \
        }                                                             \
        printf("%llu", (unsigned long long)(last - begin));           \
        for (long i = 0; i < (n); i++)                                \
            printf(" %llu", (unsigned long long)each[i]);             \
        puts("");                                                     \
        fflush(stdout);                                               \
        free(each);                                                   \
    } while (0)
