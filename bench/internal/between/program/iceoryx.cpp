/* iceoryx: "ROLE NAME HOW BYTES", where ROLE is echo, caller, sink or source, and HOW
 * is wait (a WaitSet) or spin. Messages are loaned, and read in place. A publisher
 * waits for a subscriber whose queue is full. */
#include "bench.h"
#include "iceoryx_hoofs/log/logmanager.hpp"
#include "iceoryx_posh/popo/untyped_publisher.hpp"
#include "iceoryx_posh/popo/untyped_subscriber.hpp"
#include "iceoryx_posh/popo/wait_set.hpp"
#include "iceoryx_posh/runtime/posh_runtime.hpp"
#include <memory>
#include <string>
#include <thread>

using namespace iox;

struct Out {
    popo::UntypedPublisher port;
    uint64_t sent = 0;
    explicit Out(const capro::ServiceDescription &at) : port(at, options()) {}
    static popo::PublisherOptions options() {
        popo::PublisherOptions o;
        o.subscriberTooSlowPolicy = popo::ConsumerTooSlowPolicy::WAIT_FOR_CONSUMER;
        return o;
    }
    void send(uint32_t bytes) {
        for (bool done = false; !done;) {
            port.loan(bytes).and_then([&](auto &m) {
                number(m, &sent);
                port.publish(m);
                done = true;
            });
        }
    }
};

struct In {
    popo::UntypedSubscriber port;
    std::unique_ptr<popo::WaitSet<>> waits;
    uint64_t came = 0;
    In(const capro::ServiceDescription &at, bool wait, uint32_t bytes) : port(at, options(bytes)) {
        if (wait) {
            waits = std::make_unique<popo::WaitSet<>>();
            waits->attachState(port, popo::SubscriberState::HAS_DATA).or_else([](auto) { must(0, "attach"); });
        }
    }
    static popo::SubscriberOptions options(uint32_t bytes) {
        popo::SubscriberOptions o;
        o.queueCapacity = bytes > 1 << 20 ? 4 : 256; // of the largest chunks the daemon has 10
        o.queueFullPolicy = popo::QueueFullPolicy::BLOCK_PRODUCER;
        return o;
    }
    void receive() {
        for (bool done = false; !done;) {
            port.take()
                .and_then([&](const void *m) {
                    see(m, &came);
                    port.release(m);
                    done = true;
                })
                .or_else([&](auto) {
                    if (waits)
                        waits->wait();
                });
        }
    }
};

static const capro::IdString_t text(const std::string &s) { return capro::IdString_t(cxx::TruncateToCapacity, s.c_str()); }

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    const std::string role = argv[1], name = argv[2];
    const bool wait = std::string(argv[3]) == "wait";
    const uint32_t bytes = (uint32_t)atol(argv[4]);
    log::LogManager::GetLogManager().SetDefaultLogLevel(log::LogLevel::kError, log::LogLevelOutput::kHideLogLevel);
    runtime::PoshRuntime::initRuntime(RuntimeName_t(cxx::TruncateToCapacity, (name + "-" + role).c_str()));
    const capro::ServiceDescription there{"bench", text(name), "there"}, back{"bench", text(name), "back"};
    std::unique_ptr<Out> out;
    std::unique_ptr<In> in;
    if (role != "sink")
        out = std::make_unique<Out>(role == "echo" ? back : there);
    if (role != "source")
        in = std::make_unique<In>(role == "caller" ? back : there, wait, bytes);
    ready(argv[2]);
    for (long n; (n = asked()) > 0;) {
        while ((out && !out->port.hasSubscribers()) || (in && in->port.getSubscriptionState() != SubscribeState::SUBSCRIBED))
            std::this_thread::sleep_for(std::chrono::milliseconds(1)); // they find each other once
        if (role == "caller" && wait) {
            ALONE(n, {
                out->send(bytes);
                in->receive();
            });
            continue;
        }
        const uint64_t begin = now();
        for (long i = 0; i < n; i++) {
            if (role == "caller")
                out->send(bytes);
            if (in)
                in->receive();
            if (out && role != "caller")
                out->send(bytes);
        }
        if (role == "caller") {
            printf("%llu\n", (unsigned long long)(now() - begin));
            fflush(stdout);
        } else {
            answer();
        }
    }
    return 0;
}
