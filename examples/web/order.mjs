// Sends orders to the Go processes of a shop, and prints their bills:
//
//   node order.mjs http://localhost:8080 3
//
// It uses nothing but fetch: a request sends, another one waits for a bill. A bill is
// taken, printed and only then confirmed, so that none is lost if this is killed.

const [home = "http://localhost:8080", count = "1"] = process.argv.slice(2);

async function ask(path, body) {
  const response = await fetch(new URL(`/v1/${path}`, home), {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: body === undefined ? "" : JSON.stringify(body),
  });
  const answer = response.status === 204 ? undefined : await response.json();
  if (!response.ok) throw Object.assign(new Error(answer.error.message), answer.error);
  return answer;
}

const customer = Math.floor(Math.random() * 2 ** 32);
const item = (count, price) => ({ count, price });

for (let number = 1; number <= Number(count); number++) {
  await ask("channels/orders/send?slots=4", { customer, number, items: [item(number, 2.5), item(1, 0.25), item(0, 9)] });
}
for (let left = Number(count); left > 0; ) {
  const taken = await ask(`channels/bills-${customer}/take?slots=16&timeout=20s`);
  if (!taken) throw new Error("no bill came");
  const { number, total } = taken.value;
  console.log(`order ${number}: ${total.toFixed(2)}`);
  await ask(`holds/${taken.hold}/confirm`);
  left--;
}

// What is no order is refused, with the field that is wrong.
try {
  await ask("channels/orders/send", { customer, number: 0, items: [item(1, 1), item(-1, 1), item(1, 1)] });
} catch (error) {
  console.log(`refused: ${error.field}, ${error.cause}`);
}
