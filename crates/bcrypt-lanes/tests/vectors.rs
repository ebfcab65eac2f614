//! Published test vectors.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod shared;

use base64::Engine;
use bcrypt_lanes::{Digest, Input};
use shared::{terminated, with_lanes};

/// By Damien Miller of OpenBSD, for jBCrypt. The tests of the `bcrypt` crate have some of them.
const OPENBSD: [(&str, &str); 20] = [
    ("", "$2a$06$DCq7YPn5Rq63x1Lad4cll.TV4S6ytwfsfvkgY8jIucDrjc8deX1s."),
    ("", "$2a$08$HqWuK6/Ng6sg9gQzbLrgb.Tl.ZHfXLhvt/SgVyWhQqgqcZ7ZuUtye"),
    ("", "$2a$10$k1wbIrmNyFAPwPVPSVa/zecw2BCEnBwVS2GbrmgzxFUOqW9dk4TCW"),
    ("", "$2a$12$k42ZFHFWqBp3vWli.nIn8uYyIkbvYRvodzbfbK18SSsY.CsIQPlxO"),
    ("a", "$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe"),
    ("a", "$2a$08$cfcvVd2aQ8CMvoMpP2EBfeodLEkkFJ9umNEfPD18.hUF62qqlC/V."),
    ("a", "$2a$10$k87L/MF28Q673VKh8/cPi.SUl7MU/rWuSiIDDFayrKk/1tBsSQu4u"),
    ("a", "$2a$12$8NJH3LsPrANStV6XtBakCez0cKHXVxmvxIlcz785vxAIZrihHZpeS"),
    ("abc", "$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i"),
    ("abc", "$2a$08$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm"),
    ("abc", "$2a$10$WvvTPHKwdBJ3uk0Z37EMR.hLA2W6N9AEBhEgrAOljy2Ae5MtaSIUi"),
    ("abc", "$2a$12$EXRkfkdmXn2gzds2SSitu.MW9.gAVqa9eLS1//RYtYCmB1eLHg.9q"),
    ("abcdefghijklmnopqrstuvwxyz", "$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC"),
    ("abcdefghijklmnopqrstuvwxyz", "$2a$08$aTsUwsyowQuzRrDqFflhgekJ8d9/7Z3GV3UcgvzQW3J5zMyrTvlz."),
    ("abcdefghijklmnopqrstuvwxyz", "$2a$10$fVH8e28OQRj9tqiDXs1e1uxpsjN0c7II7YPKXua2NAKYvM6iQk7dq"),
    ("abcdefghijklmnopqrstuvwxyz", "$2a$12$D4G5f18o7aMMfwasBL7GpuQWuP3pkrZrOAnqP.bmezbMng.QwJ/pG"),
    ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO"),
    ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$08$Eq2r4G/76Wv39MzSX262huzPz612MZiYHVUJe/OcOql2jo4.9UxTW"),
    ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$10$LgfYWkbzEvQ4JakH7rOvHe0y8pHKF9OaFgwUZ2q7W2FFZmZzJYlfS"),
    ("~!@#$%^&*()      ~!@#$%^&*()PNBFRD", "$2a$12$WApznUOJfkEGSmYRfnkrPOr466oFDCaj4b6HY3EXGvfxm43seyhgC"),
];

/// By Openwall, for crypt_blowfish: bytes that are not ASCII, and passwords that are longer than 72 bytes.
const OPENWALL: [(&[u8], &str); 8] = [
    (b"U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
    (b"U*U*", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK"),
    (b"U*U*U", "$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a"),
    (
        b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789chars after 72 are ignored",
        "$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui",
    ),
    (b"\xff\xff\xa3", "$2b$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e"),
    (b"\xa3", "$2b$05$/OK.fbVrR/bpIqNJ5ianF.Sa7shbm4.OzKpvFnX1pQLmQW96oUlCq"),
    (b"\xff\xa334\xff\xff\xff\xa3345", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.o./n25XVfn6oAPaUvHe.Csk4zRfsYPi"),
    (b"\xff\xa3345", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.nRht2l/HRhr6zmCp9vYUvvsqynflf9e"),
];

/// The cost, salt and digest of a hash. The digest lacks its last byte.
fn parse(hash: &str) -> (u32, [u8; 16], Vec<u8>) {
    let salt = bcrypt::BASE_64.decode(&hash[7..29]).unwrap().try_into().unwrap();
    (hash[4..6].parse().unwrap(), salt, bcrypt::BASE_64.decode(&hash[29..]).unwrap())
}

fn check(lanes: usize, vectors: &[(&[u8], &str)]) {
    let passwords: Vec<_> = vectors.iter().map(|(password, _)| terminated(password)).collect();
    let hashes: Vec<_> = vectors.iter().map(|(_, hash)| parse(hash)).collect();
    let inputs: Vec<_> = passwords
        .iter()
        .zip(&hashes)
        .map(|(password, (cost, salt, _))| Input { password, salt: *salt, cost: *cost })
        .collect();
    let digests: Vec<Digest> = with_lanes(lanes, &inputs).unwrap();
    for ((digest, (_, _, expected)), (_, hash)) in digests.iter().zip(&hashes).zip(vectors) {
        assert_eq!(digest[..23], expected[..], "{hash} with {lanes} lanes");
    }
}

#[test]
fn openbsd_vectors_match() {
    let vectors = OPENBSD.map(|(password, hash)| (password.as_bytes(), hash));
    check(6, &vectors);
    // The cheaper ones with each other number of lanes.
    let cheap: Vec<_> = vectors.into_iter().filter(|(_, hash)| parse(hash).0 <= 8).collect();
    assert_eq!(cheap.len(), 10);
    for lanes in 1..6 {
        check(lanes, &cheap);
    }
}

#[test]
fn openwall_vectors_match() {
    for lanes in 1..=6 {
        check(lanes, &OPENWALL);
    }
}
