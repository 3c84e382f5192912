// A client of a home over its WebSocket, as docs/spec/http.md has it. It is all that
// a page needs: each operation is a promise.

export class Home {
  // connect opens the socket of the home that serves the page.
  static connect(url = new URL("/v1/socket", location.href)) {
    url = new URL(url);
    url.protocol = url.protocol.replace("http", "ws");
    const home = new Home();
    home.socket = new WebSocket(url);
    home.socket.onmessage = (message) => home.answer(JSON.parse(message.data));
    home.socket.onclose = () => home.end();
    return new Promise((resolve, reject) => {
      home.socket.onopen = () => resolve(home);
      home.socket.onerror = () => reject(new Error("the home cannot be reached"));
    });
  }

  last = 0;
  under = new Map(); // requests under way, by number

  // ask sends a request. Its promise has cancel, which ends one that waits.
  ask(request) {
    const id = ++this.last;
    const answer = new Promise((resolve, reject) => this.under.set(id, { resolve, reject }));
    answer.cancel = () => this.socket.send(JSON.stringify({ id, op: "cancel" }));
    this.socket.send(JSON.stringify({ id, ...request }));
    return answer;
  }

  answer({ id, error, ...answer }) {
    const { resolve, reject } = this.under.get(id);
    this.under.delete(id);
    if (error) reject(Object.assign(new Error(error.message), error));
    else resolve(answer);
  }

  end() {
    for (const { reject } of this.under.values()) reject(new Error("the home has gone"));
    this.under.clear();
    this.onend?.();
  }

  open(channel, as = {}) { return this.ask({ op: "open", channel, ...as }); }
  send(channel, value, more = {}) { return this.ask({ op: "send", channel, value, ...more }); }
  receive(channel, more = {}) { return this.ask({ op: "receive", channel, ...more }); }
  take(channel, more = {}) { return this.ask({ op: "take", channel, ...more }); }
  confirm(hold) { return this.ask({ op: "confirm", hold }); }
  giveBack(hold) { return this.ask({ op: "return", hold }); }
  select(cases, more = {}) { return this.ask({ op: "select", cases, ...more }); }
  info(channel) { return this.ask({ op: "info", channel }).then((answer) => answer.info); }
}
