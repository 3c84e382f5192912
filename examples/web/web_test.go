package main

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// workAt makes a process of this test a worker.
const workAt = "HANDOFF_TEST_WORK"

func TestMain(m *testing.M) {
	if home := os.Getenv(workAt); home != "" {
		if err := work(context.Background(), home); err != nil {
			os.Stderr.WriteString(err.Error() + "\n")
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// serve opens a shop with a worker in a process of its own, whose number it
// returns.
func serve(t *testing.T) (s *shop, worker string) {
	t.Helper()
	s, err := openShop(t.Context(), "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), workAt+"="+s.channels)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s, strconv.Itoa(cmd.Process.Pid)
}

// TestPage: a real browser sends orders to a Go process and shows its bills.
func TestPage(t *testing.T) {
	s, worker := serve(t)
	page := browse(t, s.page)
	page.until(`document.getElementById("state")?.textContent === "connected"`)
	page.eval(`document.querySelector("button").click()`)
	page.until(`document.querySelectorAll("#bills tr").length === 1`)
	page.eval(`document.getElementById("count0").value = "100"; document.querySelector("button").click()`)
	page.until(`document.querySelectorAll("#bills tr").length === 2`)
	got := page.eval(`[...document.querySelectorAll("#bills tr")].map((tr) => [...tr.cells].map((td) => td.textContent).join(" ")).join("; ")`)
	if want := "2 49.80 " + worker + "; 1 6.60 " + worker; got != want {
		t.Errorf("the bills are %q, want %q", got, want)
	}
	page.eval(`document.getElementById("count1").value = "70000"; document.querySelector("button").click()`)
	page.until(`document.getElementById("state").className === "bad"`)
	if got, want := page.eval(`document.getElementById("state").textContent`), "orders.items[1].count is 70000, which is out of the range of uint16"; got != want {
		t.Errorf("the page says %q, want %q", got, want)
	}
	page.picture()
}

// TestForeignPage: a page of another site, in a real browser, reaches nothing.
func TestForeignPage(t *testing.T) {
	s, _ := serve(t)
	other, _ := serve(t) // another port is another site
	page := browse(t, other.page)
	page.until(`document.getElementById("state")?.textContent === "connected"`)
	for what, script := range map[string]string{
		"send":   `fetch("` + s.page + `v1/channels/words/send?slots=4", {method: "POST", body: "x", mode: "no-cors"}).then(() => "sent", () => "refused")`,
		"list":   `fetch("` + s.page + `v1/channels").then((r) => r.text(), () => "refused")`,
		"socket": `new Promise((done) => { const s = new WebSocket("` + strings.Replace(s.page, "http", "ws", 1) + `v1/socket"); s.onopen = () => done("open"); s.onerror = () => done("refused"); })`,
		"stream": `new Promise((done) => { const s = new EventSource("` + s.page + `v1/channels/orders/values"); s.onopen = () => done("open"); s.onerror = () => done("refused"); })`,
	} {
		got := page.eval(script)
		if what == "send" {
			// Nobody may see the answer; what counts is that nothing was made.
			for name := range s.home.Channels() {
				if name == "words" {
					t.Error("a foreign page has sent")
				}
			}
		} else if got != "refused" {
			t.Errorf("%s: %s", what, got)
		}
	}
}

// TestNode: a script for Node exchanges values with a Go process.
func TestNode(t *testing.T) {
	node := program(t, "node", "nodejs")
	s, _ := serve(t)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, node, "order.mjs", s.page, "3").CombinedOutput()
	want := "order 1: 2.75\norder 2: 5.25\norder 3: 7.75\nrefused: orders.items[1].count, type mismatch\n"
	if err != nil || string(out) != want {
		t.Errorf("%v, it printed:\n%swant:\n%s", err, out, want)
	}
}
