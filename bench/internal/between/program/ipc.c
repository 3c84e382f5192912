/* libzmq over ipc: "echo PATH" and "caller PATH" are PAIRs, "sink PATH" and "source
 * PATH" PULL and PUSH. */
#include "bench.h"
#include <zmq.h>

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const char *role = argv[1];
    int pair = strcmp(role, "echo") == 0 || strcmp(role, "caller") == 0;
    int first = strcmp(role, "echo") == 0 || strcmp(role, "sink") == 0;
    int source = strcmp(role, "source") == 0;
    void *context = zmq_ctx_new();
    void *socket = zmq_socket(context, pair ? ZMQ_PAIR : source ? ZMQ_PUSH : ZMQ_PULL);
    char at[200];
    snprintf(at, sizeof at, "ipc://%s", argv[2]);
    must((first ? zmq_bind(socket, at) : zmq_connect(socket, at)) == 0, at);
    ready(argv[2]);
    char m[size] = {0};
    uint64_t sent = 0, came = 0;
    for (long n; (n = asked()) > 0;) {
        if (strcmp(role, "caller") == 0) {
            ALONE(n, {
                number(m, &sent);
                must(zmq_send(socket, m, size, 0) == size, "send");
                must(zmq_recv(socket, m, size, 0) == size, "receive");
                see(m, &came);
            });
            continue;
        }
        for (long i = 0; i < n; i++) {
            if (source) {
                number(m, &sent);
            } else {
                must(zmq_recv(socket, m, size, 0) == size, "receive");
                see(m, &came);
            }
            if (source || pair)
                must(zmq_send(socket, m, size, 0) == size, "send");
        }
        answer();
    }
    int linger = 0;
    zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof linger);
    zmq_close(socket);
    zmq_ctx_term(context);
    return 0;
}
