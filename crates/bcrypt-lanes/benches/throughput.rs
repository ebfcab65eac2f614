//! Hashes per second on one core, relative to the `bcrypt` crate in the same run.
//!
//! `cargo bench -p bcrypt-lanes` prints a table. All variants take turns, so that other load on the machine affects each of
//! them; the result of each is its fastest turn.
#![expect(clippy::cast_precision_loss, clippy::print_stdout, clippy::unwrap_used, reason = "it is a benchmark")]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bcrypt_lanes::{Digest, Input, digests};

const TURNS: u32 = 30;
const INPUT: Input<'static> = Input { password: b"correct horse battery staple\0", salt: [7; 16], cost: 8 };

/// Computes a number of hashes.
struct Variant {
    name: &'static str,
    hashes: usize,
    run: fn() -> Vec<Digest>,
}

fn with_lanes<const N: usize>() -> Vec<Digest> {
    digests::<N>(&black_box([INPUT; N])).unwrap()
}

fn main() {
    // `cargo test` also runs benches, with nothing to measure.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let variants = [
        Variant {
            name: "bcrypt crate",
            hashes: 1,
            run: || vec![bcrypt::bcrypt(INPUT.cost, INPUT.salt, black_box(INPUT.password))],
        },
        Variant { name: "1 lane", hashes: 1, run: with_lanes::<1> },
        Variant { name: "2 lanes", hashes: 2, run: with_lanes::<2> },
        Variant { name: "3 lanes", hashes: 3, run: with_lanes::<3> },
        Variant { name: "4 lanes", hashes: 4, run: with_lanes::<4> },
        Variant { name: "5 lanes", hashes: 5, run: with_lanes::<5> },
        Variant { name: "6 lanes", hashes: 6, run: with_lanes::<6> },
    ];
    let mut fastest = variants.each_ref().map(|_| Duration::MAX);
    for _ in 0..TURNS {
        for (variant, fastest) in variants.iter().zip(&mut fastest) {
            let start = Instant::now();
            black_box((variant.run)());
            *fastest = start.elapsed().min(*fastest);
        }
    }
    println!("| cost {} | hashes/s | relative to the `bcrypt` crate |\n|---|---|---|", INPUT.cost);
    let mut baseline = None;
    for (variant, fastest) in variants.iter().zip(fastest) {
        let per_second = variant.hashes as f64 / fastest.as_secs_f64();
        let baseline = *baseline.get_or_insert(per_second);
        println!("| {} | {per_second:.0} | {:.2} |", variant.name, per_second / baseline);
    }
}
