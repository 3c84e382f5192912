//! Does on crossbeam-channel what internal/bench/shape does on our channel and on
//! Go's, and says how long it took. A request is a line on standard input,
//!
//!     PATTERN SLOTS THREADS N
//!
//! and its answer a line on standard output: nanoseconds of time, and of CPU time
//! of this process, for N messages.

use crossbeam_channel::{bounded, Receiver, Select, Sender};
use std::io::{self, BufRead, Write};
use std::os::raw::c_long;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

type Work<'a> = Box<dyn FnOnce() + Send + 'a>;

extern "C" {
    // CPU time of the process; POSIX says in microseconds.
    fn clock() -> c_long;
}

fn cpu() -> Duration {
    // SAFETY: clock takes nothing and may be called at any time.
    Duration::from_micros(unsafe { clock() } as u64)
}

fn main() -> io::Result<()> {
    let mut out = io::stdout();
    for line in io::stdin().lock().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let [pattern, numbers @ ..] = &words[..] else { panic!("an empty request") };
        let numbers: Vec<usize> = numbers.iter().map(|w| w.parse().expect("a number")).collect();
        let [slots, threads, n] = numbers[..] else { panic!("not three numbers: {line}") };
        let (time, cpu) = run(pattern, slots, threads, n);
        writeln!(out, "{} {}", time.as_nanos(), cpu.as_nanos())?;
        out.flush()?;
    }
    Ok(())
}

fn run(pattern: &str, slots: usize, threads: usize, n: usize) -> (Duration, Duration) {
    let count = if pattern.starts_with("select") { threads } else { 1 };
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..count).map(|_| bounded(slots)).unzip();
    let (s, r) = (&senders, &receivers);
    match pattern {
        "seq" => timed(|| {
            send(&s[0], n);
            receive(&r[0], n);
        }),
        "spsc" => together(vec![boxed(|| send(&s[0], n)), boxed(|| receive(&r[0], n))]),
        "mpsc" => {
            let mut all: Vec<Work> = vec![boxed(|| receive(&r[0], n))];
            all.extend((0..threads).map(|i| boxed(move || send(&s[0], share(n, threads, i)))));
            together(all)
        }
        "mpmc" => {
            let mut all: Vec<Work> = vec![];
            for i in 0..threads {
                all.push(boxed(move || send(&s[0], share(n, threads, i))));
                all.push(boxed(move || receive(&r[0], share(n, threads, i))));
            }
            together(all)
        }
        "select_rx" => {
            let mut all: Vec<Work> = vec![boxed(|| receive_any(r, n))];
            all.extend((0..threads).map(|i| boxed(move || send(&s[i], share(n, threads, i)))));
            together(all)
        }
        "select_both" => {
            let mut all: Vec<Work> = vec![];
            for i in 0..threads {
                all.push(boxed(move || send_any(s, share(n, threads, i))));
                all.push(boxed(move || receive_any(r, share(n, threads, i))));
            }
            together(all)
        }
        _ => panic!("no pattern is called {pattern}"),
    }
}

fn boxed<'a>(work: impl FnOnce() + Send + 'a) -> Work<'a> {
    Box::new(work)
}

fn share(n: usize, k: usize, i: usize) -> usize {
    n / k + usize::from(i < n % k)
}

fn send(to: &Sender<usize>, n: usize) {
    for i in 0..n {
        to.send(i).unwrap();
    }
}

fn receive(from: &Receiver<usize>, n: usize) {
    for _ in 0..n {
        from.recv().unwrap();
    }
}

// One Select for all messages, as a Selector is on our side.
fn receive_any(from: &[Receiver<usize>], n: usize) {
    let mut select = Select::new();
    for r in from {
        select.recv(r);
    }
    for _ in 0..n {
        let chosen = select.select();
        let i = chosen.index();
        chosen.recv(&from[i]).unwrap();
    }
}

fn send_any(to: &[Sender<usize>], n: usize) {
    let mut select = Select::new();
    for s in to {
        select.send(s);
    }
    for v in 0..n {
        let chosen = select.select();
        let i = chosen.index();
        chosen.send(&to[i], v).unwrap();
    }
}

fn timed(work: impl FnOnce()) -> (Duration, Duration) {
    let (used, begin) = (cpu(), Instant::now());
    work();
    let took = begin.elapsed();
    (took, cpu() - used)
}

// All threads stand ready before the clock starts; it stops when the last is done.
fn together(all: Vec<Work>) -> (Duration, Duration) {
    let gate = Barrier::new(all.len() + 1);
    let gate = &gate;
    let done = Barrier::new(all.len() + 1);
    let done = &done;
    thread::scope(|scope| {
        for work in all {
            scope.spawn(move || {
                gate.wait();
                work();
                done.wait();
            });
        }
        thread::yield_now();
        timed(|| {
            gate.wait();
            done.wait();
        })
    })
}
