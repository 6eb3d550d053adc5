//! Products of this package compared with those of other crates, one thread, in turns.
//!
//! `fastmlp-bench-gemm [f32|f64] [part of a case's name]`

mod cases;
mod peers;

use std::hint::black_box;
use std::time::{Duration, Instant};

use cases::{CASES, Case};
use fastmlp_core::internals::{Operand, product_scratch_len};
use peers::{Compared, Peer};

/// How long a peer is timed in one round, and all peers in one case.
const TURN: Duration = Duration::from_micros(500);
const CASE: Duration = Duration::from_millis(1500);
const FEWEST_ROUNDS: usize = 9;

/// Operands of a case, and memory for its results.
struct Work<T> {
    case: Case,
    a: Vec<T>,
    b: Vec<T>,
    c: Vec<T>,
    scratch: Vec<T>,
}

impl<T: Compared> Work<T> {
    fn new(case: Case) -> Self {
        let Case { m, n, k, .. } = case;
        let numbers = |factor: usize, count: usize| {
            (0..count).map(|i| T::from_f64((i * factor % 257) as f64 / 128.0 - 1.0)).collect()
        };
        let scratch = vec![T::ZERO; product_scratch_len::<T>(m, n, k)];
        Self { case, a: numbers(31, m * k), b: numbers(73, k * n), c: vec![T::ZERO; m * n], scratch }
    }

    fn run(&mut self, peer: &Peer<T>) {
        let Case { m, n, k, a_is_transposed, b_is_transposed, .. } = self.case;
        let a = Operand { data: &self.a, rows: m, cols: k, is_transposed: a_is_transposed };
        let b = Operand { data: &self.b, rows: k, cols: n, is_transposed: b_is_transposed };
        (peer.product)(black_box(a), black_box(b), &mut self.c, &mut self.scratch);
        black_box(&mut self.c);
    }

    fn seconds(&mut self, peer: &Peer<T>, calls: u32) -> f64 {
        let start = Instant::now();
        for _ in 0..calls {
            self.run(peer);
        }
        start.elapsed().as_secs_f64() / f64::from(calls)
    }

    /// Asserts that the peer computes the product that the first peer left in `want`.
    fn check(&mut self, peer: &Peer<T>, want: &[T]) {
        self.c.fill(T::from_f64(f64::NAN));
        self.run(peer);
        let tolerance = self.case.k as f64 * 1e-5;
        for (&got, &want) in self.c.iter().zip(want) {
            let error = (got.into() - want.into()).abs();
            assert!(error <= tolerance, "{} has {got} for {want} in {}", peer.name, self.case.name);
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Times all peers in turns; prints our minimum time as a rate, and for each other peer the median of the
/// ratios of its times to ours of the same round.
fn compare<T: Compared>(case: Case) {
    let peers: Vec<_> = T::peers().into_iter().filter(|peer| case.m * case.n <= peer.most_elements).collect();
    let mut work = Work::<T>::new(case);
    work.run(&peers[0]);
    let want = work.c.clone();
    for peer in &peers {
        work.check(peer, &want);
    }

    let once = work.seconds(&peers[0], 3);
    let calls = (TURN.as_secs_f64() / once).clamp(1.0, 1e5) as u32;
    let start = Instant::now();
    let mut times = vec![vec![]; peers.len()];
    while start.elapsed() < CASE || times[0].len() < FEWEST_ROUNDS {
        let first = times[0].len();
        for turn in 0..peers.len() {
            let i = (first + turn) % peers.len();
            times[i].push(work.seconds(&peers[i], calls));
        }
    }

    let Case { name, m, n, k, a_is_transposed, b_is_transposed } = case;
    let layout = [if a_is_transposed { 'T' } else { 'N' }, if b_is_transposed { 'T' } else { 'N' }];
    let least = times[0].iter().copied().fold(f64::INFINITY, f64::min);
    let rate = 2e-9 * (m * n * k) as f64 / least;
    let shape = format!("{m} x {n} x {k} {}", layout.iter().collect::<String>());
    print!("| {name:26} | {shape:22} | {:9.2} | {rate:6.1} |", least * 1e6);
    for i in 1..T::peers().len() {
        match times.get(i) {
            Some(theirs) => {
                print!(
                    " {:16.2} |",
                    median(theirs.iter().zip(&times[0]).map(|(their, our)| their / our).collect())
                );
            }
            None => print!(" {:>16} |", ""),
        }
    }
    println!();
}

fn table<T: Compared>(part: &str) {
    print!("\n| {:26} | {:22} | {:>9} | {:>6} |", T::NAME, "m x n x k, A B", "us", "GF/s");
    let others = T::peers().split_off(1);
    others.iter().for_each(|peer| print!(" {:>16} |", peer.name));
    print!("\n| --- | --- | --: | --: |");
    println!("{}", " --: |".repeat(others.len()));
    for case in CASES.iter().filter(|case| case.name.contains(part)) {
        compare::<T>(*case);
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let is_type = |argument: &String| argument == f32::NAME || argument == f64::NAME;
    let element = arguments.iter().find(|argument| is_type(argument)).map(String::as_str);
    let part = arguments.iter().find(|argument| !is_type(argument)).map_or("", String::as_str);
    if element != Some(f64::NAME) {
        table::<f32>(part);
    }
    if element != Some(f32::NAME) {
        table::<f64>(part);
    }
}
