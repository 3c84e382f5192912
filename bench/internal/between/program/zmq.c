/* libzmq: PUSH and PULL over TCP. "sink", or "source ENDPOINT". For each line with
 * a number, so many messages are sent or received and checked; then "0". */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

enum { size = 64 };

static void must(int ok, const char *what) {
    if (!ok) {
        fprintf(stderr, "zmq: %s: %s\n", what, zmq_strerror(zmq_errno()));
        exit(1);
    }
}

static void answer(void) {
    puts("0");
    fflush(stdout);
}

int main(int argc, char **argv) {
    int sink = argc == 2 && strcmp(argv[1], "sink") == 0;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, sink ? ZMQ_PULL : ZMQ_PUSH);
    char at[256] = "";
    if (sink) {
        size_t room = sizeof at;
        must(zmq_bind(socket, "tcp://127.0.0.1:*") == 0, "bind");
        must(zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, at, &room) == 0, "endpoint");
    } else {
        must(argc == 3 && zmq_connect(socket, argv[2]) == 0, "connect");
    }
    printf("ready %s\n", at);
    fflush(stdout);

    uint64_t next = 0;
    unsigned char m[size] = {0};
    for (long n; scanf("%ld", &n) == 1; answer()) {
        for (long i = 0; i < n; i++, next++) {
            uint64_t number = next;
            if (sink) {
                must(zmq_recv(socket, m, size, 0) == size, "receive");
                memcpy(&number, m, sizeof number);
                if (number != next) {
                    fprintf(stderr, "zmq: message %lu came where %lu was due\n", (unsigned long)number, (unsigned long)next);
                    return 1;
                }
            } else {
                memcpy(m, &number, sizeof number);
                must(zmq_send(socket, m, size, 0) == size, "send");
            }
        }
    }
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
