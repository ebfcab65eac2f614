//! bcrypt computations that start at any time beside others: each has the digest that the `bcrypt` crate computes.
#![no_main]

use bcrypt_lanes::{COSTS, Digest, Error, Input, Lanes, MAX_LANES, MAX_PASSWORD_LENGTH};
use libfuzzer_sys::fuzz_target;

/// More would only slow down the fuzzer.
const MAX_STEPS: usize = 12;

/// What is done, a parameter, and a password.
type Step = (u8, u8, Vec<u8>);

fuzz_target!(|data: (u8, Vec<Step>)| {
    let (lanes, steps) = data;
    match usize::from(lanes) % MAX_LANES {
        0 => run::<1>(&steps),
        1 => run::<2>(&steps),
        2 => run::<3>(&steps),
        3 => run::<4>(&steps),
        4 => run::<5>(&steps),
        _ => run::<6>(&steps),
    }
});

fn run<const N: usize>(steps: &[Step]) {
    let mut lanes = Lanes::<Digest, N>::new();
    for (step, parameter, password) in steps.iter().take(MAX_STEPS) {
        match step % 4 {
            0 => assert!(lanes.run(u32::from(*parameter)) <= u32::from(*parameter)),
            1 => drop(take(&mut lanes)),
            _ => {
                let cost = [4, 4, 5, 6, 3, 32][usize::from(*parameter) % 6];
                start(&mut lanes, &Input { password, salt: [*parameter; 16], cost });
            }
        }
    }
    while !lanes.is_empty() {
        lanes.run(u32::MAX);
        assert!(take(&mut lanes).is_some());
    }
}

fn start<const N: usize>(lanes: &mut Lanes<Digest, N>, input: &Input<'_>) {
    let is_valid = (1..=MAX_PASSWORD_LENGTH).contains(&input.password.len()) && COSTS.contains(&input.cost);
    let used = lanes.len();
    let can_start = is_valid && used < N;
    let expected = if can_start { bcrypt::bcrypt(input.cost, input.salt, input.password) } else { [0; 24] };
    match lanes.start(expected, input) {
        Ok(()) => assert!(can_start && lanes.len() == used + 1),
        Err(Error::Full) => assert!(is_valid && used == N && lanes.is_full()),
        Err(Error::PasswordLength | Error::Cost) => assert!(!is_valid && lanes.len() == used),
    }
}

/// Takes a finished computation, whose tag is the expected digest.
fn take<const N: usize>(lanes: &mut Lanes<Digest, N>) -> Option<()> {
    let (expected, digest) = lanes.take()?;
    assert_eq!(digest, expected);
    Some(())
}
