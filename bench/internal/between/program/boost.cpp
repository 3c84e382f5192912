/* Boost.Interprocess: its message queue, "echo NAME", "caller NAME", "sink NAME" or
 * "source NAME". */
#include "bench.h"
#include <boost/interprocess/ipc/message_queue.hpp>
#include <memory>
#include <string>

using boost::interprocess::message_queue;
namespace bi = boost::interprocess;

static const size_t room = 4096;

static std::unique_ptr<message_queue> queue(const std::string &name, bool make) {
    if (make) {
        message_queue::remove(name.c_str());
        return std::make_unique<message_queue>(bi::create_only, name.c_str(), room, size);
    }
    auto q = std::make_unique<message_queue>(bi::open_only, name.c_str());
    message_queue::remove(name.c_str()); // both have it mapped now
    return q;
}

static void receive(message_queue &q, char *m) {
    message_queue::size_type got;
    unsigned priority;
    q.receive(m, size, got, priority);
    must(got == size, "receive");
}

int main(int argc, char **argv) {
    if (argc != 3)
        return 2;
    const std::string role = argv[1], name = argv[2];
    const bool make = role == "echo" || role == "sink";
    auto there = queue(name + "-there", make), back = queue(name + "-back", make);
    ready(argv[2]);
    char m[size] = {0};
    uint64_t sent = 0, came = 0;
    for (long n; (n = asked()) > 0;) {
        if (role == "caller") {
            ALONE(n, {
                number(m, &sent);
                there->send(m, size, 0);
                receive(*back, m);
                see(m, &came);
            });
            continue;
        }
        for (long i = 0; i < n; i++) {
            if (role == "source") {
                number(m, &sent);
                there->send(m, size, 0);
                continue;
            }
            receive(*there, m);
            see(m, &came);
            if (role == "echo")
                back->send(m, size, 0);
        }
        answer();
    }
    return 0;
}
