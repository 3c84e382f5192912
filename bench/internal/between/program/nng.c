/* nng: PUSH and PULL over TCP. "sink", or "source ENDPOINT". For each line with a
 * number, so many messages are sent or received and checked; then "0". */
#include <arpa/inet.h>
#include <nng/nng.h>
#include <nng/protocol/pipeline0/pull.h>
#include <nng/protocol/pipeline0/push.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { size = 64 };

static void must(int code, const char *what) {
    if (code != 0) {
        fprintf(stderr, "nng: %s: %s\n", what, nng_strerror(code));
        exit(1);
    }
}

static void answer(void) {
    puts("0");
    fflush(stdout);
}

int main(int argc, char **argv) {
    int sink = argc == 2 && strcmp(argv[1], "sink") == 0;
    nng_socket socket;
    char at[64] = "";
    if (sink) {
        nng_listener listener;
        nng_sockaddr local;
        must(nng_pull0_open(&socket), "open");
        must(nng_listen(socket, "tcp://127.0.0.1:0", &listener, 0), "listen");
        must(nng_listener_get_addr(listener, NNG_OPT_LOCADDR, &local), "address");
        snprintf(at, sizeof at, "tcp://127.0.0.1:%d", ntohs(local.s_in.sa_port));
    } else {
        must(nng_push0_open(&socket), "open");
        must(argc == 3 ? nng_dial(socket, argv[2], NULL, 0) : NNG_EINVAL, "dial");
    }
    /* As many as libzmq has by default; where a socket has no such buffer it stays as it is. */
    nng_socket_set_int(socket, sink ? NNG_OPT_RECVBUF : NNG_OPT_SENDBUF, 1000);
    printf("ready %s\n", at);
    fflush(stdout);

    uint64_t next = 0;
    unsigned char m[size] = {0};
    for (long n; scanf("%ld", &n) == 1; answer()) {
        for (long i = 0; i < n; i++, next++) {
            uint64_t number = next;
            if (sink) {
                size_t length = size;
                must(nng_recv(socket, m, &length, 0), "receive");
                memcpy(&number, m, sizeof number);
                if (length != size || number != next) {
                    fprintf(stderr, "nng: message %lu came where %lu was due\n", (unsigned long)number, (unsigned long)next);
                    return 1;
                }
            } else {
                memcpy(m, &number, sizeof number);
                must(nng_send(socket, m, size, 0), "send");
            }
        }
    }
    nng_close(socket);
    return 0;
}
