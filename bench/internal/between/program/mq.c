/* POSIX message queues: "echo NAME", "caller NAME", "sink NAME" or "source NAME". The
 * first of the two makes the queues, with as many messages as the system's default
 * allows. */
#include "bench.h"
#include <fcntl.h>
#include <mqueue.h>

static mqd_t queue(const char *name, const char *end, int make) {
    char path[200];
    snprintf(path, sizeof path, "/%s-%s", name, end);
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = size};
    mqd_t q = make ? mq_open(path, O_RDWR | O_CREAT | O_EXCL, 0600, &attr) : mq_open(path, O_RDWR);
    must(q != (mqd_t)-1, path);
    if (!make)
        must(mq_unlink(path) == 0, path);
    return q;
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const char *role = argv[1];
    int make = strcmp(role, "echo") == 0 || strcmp(role, "sink") == 0;
    mqd_t there = queue(argv[2], "there", make), back = queue(argv[2], "back", make);
    ready(argv[2]);
    char m[size] = {0};
    uint64_t sent = 0, came = 0;
    for (long n; (n = asked()) > 0;) {
        if (strcmp(role, "caller") == 0) {
            ALONE(n, {
                number(m, &sent);
                must(mq_send(there, m, size, 0) == 0, "send");
                must(mq_receive(back, m, size, NULL) == size, "receive");
                see(m, &came);
            });
            continue;
        }
        for (long i = 0; i < n; i++) {
            if (strcmp(role, "source") == 0) {
                number(m, &sent);
            } else {
                must(mq_receive(there, m, size, NULL) == size, "receive");
                see(m, &came);
            }
            if (strcmp(role, "source") == 0)
                must(mq_send(there, m, size, 0) == 0, "send");
            else if (strcmp(role, "echo") == 0)
                must(mq_send(back, m, size, 0) == 0, "send");
        }
        answer();
    }
    return 0;
}
