//! Digests are equal to those of the `bcrypt` crate.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shared;

use bcrypt_lanes::{Digest, Error, Input, Lanes};
use proptest::{collection::vec, prelude::*, test_runner::TestRunner};
use shared::{terminated, with_lanes};

/// The digest by the `bcrypt` crate.
fn expected(input: &Input<'_>) -> Digest {
    bcrypt::bcrypt(input.cost, input.salt, input.password)
}

/// Passwords and salts that differ from each other.
fn material(count: u8) -> Vec<(Vec<u8>, [u8; 16])> {
    (0..count).map(|number| (vec![number + 1; 1 + usize::from(number) * 5 % 72], [number; 16])).collect()
}

#[test]
fn all_costs_from_4_to_12_match_in_one_batch() {
    let material = material(9);
    let inputs: Vec<_> =
        (4..=12).zip(&material).map(|(cost, (password, salt))| Input { password, salt: *salt, cost }).collect();
    let expected: Vec<_> = inputs.iter().map(expected).collect();
    assert_eq!(with_lanes(6, &inputs).unwrap(), expected);
}

#[test]
fn all_numbers_of_lanes_match_with_mixed_costs_in_any_order() {
    let material = material(8);
    for costs in [[4, 4, 4, 4, 4, 4, 4, 4], [4, 5, 6, 7, 4, 4, 5, 4], [7, 4, 6, 4, 5, 4, 4, 4]] {
        let inputs: Vec<_> = costs
            .into_iter()
            .zip(&material)
            .map(|(cost, (password, salt))| Input { password, salt: *salt, cost })
            .collect();
        let expected: Vec<_> = inputs.iter().map(expected).collect();
        for lanes in 1..=6 {
            for count in [1, 2, 3, 5, 8] {
                assert_eq!(with_lanes(lanes, &inputs[..count]).unwrap(), expected[..count], "{lanes} lanes, {costs:?}");
            }
        }
    }
}

#[test]
fn computations_may_start_while_others_run() {
    let material = material(6);
    for rounds in [1, 3, 16, 17] {
        let mut lanes = Lanes::<_, 4>::new();
        let mut waiting = material.iter().zip([7, 4, 6, 5, 4, 7]);
        let mut finished = 0;
        while finished < material.len() {
            if !lanes.is_full()
                && let Some(((password, salt), cost)) = waiting.next()
            {
                let input = Input { password, salt: *salt, cost };
                lanes.start(input, &input).unwrap();
            }
            assert!(lanes.run(rounds) <= rounds);
            while let Some((input, digest)) = lanes.take() {
                assert_eq!(digest, expected(&input));
                finished += 1;
            }
        }
        assert!(lanes.is_empty());
    }
}

#[test]
fn nuls_and_all_lengths_are_significant_as_in_the_crate() {
    let passwords: Vec<Vec<u8>> = (1..=72)
        .map(|length| vec![b'x'; length])
        .chain([b"\0".to_vec(), b"\0\0".to_vec(), b"p\0p".to_vec(), b"p\0p\0".to_vec(), b"\0p".to_vec(), vec![0; 72]])
        .collect();
    let inputs: Vec<_> = passwords.iter().map(|password| Input { password, salt: [0x5a; 16], cost: 4 }).collect();
    let expected: Vec<_> = inputs.iter().map(expected).collect();
    assert_eq!(with_lanes(6, &inputs).unwrap(), expected);
}

#[test]
fn terminated_passwords_match_the_hashes_of_the_crate() {
    for password in [&b""[..], b"a", &[b'x'; 71], &[b'x'; 72], &[b'x'; 73]] {
        let terminated = terminated(password);
        let digest = with_lanes(1, &[Input { password: &terminated, salt: [9; 16], cost: 4 }]).unwrap()[0];
        let hash = bcrypt::hash_with_salt(password, 4, [9; 16]).unwrap();
        assert_eq!(hash, format!("$2b$04${}{}", hash.get_salt(), encode(&digest[..23])).parse().unwrap());
    }
}

fn encode(bytes: &[u8]) -> String {
    use base64::Engine;
    bcrypt::BASE_64.encode(bytes)
}

#[test]
fn inputs_that_the_crate_refuses_are_errors() {
    let input = |length, cost| Input { password: &[b'x'; 73][..length], salt: [0; 16], cost };
    for (input, error) in [
        (input(0, 4), Error::PasswordLength),
        (input(73, 4), Error::PasswordLength),
        (input(8, 3), Error::Cost),
        (input(8, 32), Error::Cost),
    ] {
        assert_eq!(Lanes::<_, 1>::new().start((), &input), Err(error));
        assert_eq!(with_lanes(2, &[self::input(), input]), Err(error));
    }
}

fn input() -> Input<'static> {
    Input { password: b"correct horse", salt: [1; 16], cost: 4 }
}

#[test]
fn full_lanes_refuse_another_computation_and_complete_their_own() {
    let mut lanes = Lanes::<_, 2>::new();
    assert_eq!((lanes.len(), lanes.run(1)), (0, 0));
    lanes.start(1, &input()).unwrap();
    lanes.start(2, &input()).unwrap();
    assert!(lanes.is_full());
    assert_eq!(lanes.start(3, &input()), Err(Error::Full));
    assert_eq!((lanes.run(10), lanes.take()), (10, None));
    assert_eq!((lanes.run(10), lanes.run(10)), (6, 0));
    let expected = expected(&input());
    assert_eq!((lanes.take(), lanes.take(), lanes.take()), (Some((1, expected)), Some((2, expected)), None));
}

#[test]
fn debug_output_has_neither_password_nor_salt() {
    assert_eq!(format!("{:?}", input()), "Input { cost: 4, .. }");
    let mut lanes = Lanes::<_, 3>::new();
    lanes.start("tag", &input()).unwrap();
    assert_eq!(format!("{lanes:?}"), "1 of 3 lanes in use");
}

/// Ten random passwords in each of 500 batches.
fn random_batches_match(lanes: std::ops::RangeInclusive<usize>) {
    let batch = (lanes, vec((vec(any::<u8>(), 1..=72), any::<[u8; 16]>()), 10));
    let mut runner = TestRunner::new(ProptestConfig { cases: 500, ..ProptestConfig::default() });
    let result = runner.run(&batch, |(lanes, material)| {
        let inputs: Vec<_> = material.iter().map(|(password, salt)| Input { password, salt: *salt, cost: 4 }).collect();
        let expected: Vec<_> = inputs.iter().map(expected).collect();
        prop_assert_eq!(with_lanes(lanes, &inputs).unwrap(), expected);
        Ok(())
    });
    result.unwrap();
}

// Two tests, which run in parallel.

#[test]
fn random_passwords_match_with_1_to_3_lanes() {
    random_batches_match(1..=3);
}

#[test]
fn random_passwords_match_with_4_to_6_lanes() {
    random_batches_match(4..=6);
}
