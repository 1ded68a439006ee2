//! After which exchanges a transcript is cut.
//!
//! The published rule, point for point (`reference/workflow-rules.md` WR83, WR84):
//! Python's `random.Random(seed)` with the first 8 hex digits of SHA-256(id) as
//! the seed; first after 3 exchanges, then in steps of `randint(2, 5)`, and after
//! the last one always.

use rand_mt::Mt;
use sha2::{Digest as _, Sha256};

/// Exchanges in the shortest slice; a transcript with fewer has none.
pub const FIRST: usize = 3;

/// The seed of an id: the first four bytes of its SHA-256.
#[must_use]
pub fn seed(id: &str) -> u32 {
    let hash = Sha256::digest(id.as_bytes());
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}

/// The numbers of exchanges that the slices of a transcript have, ascending.
#[must_use]
pub fn points(id: &str, exchanges: usize) -> Vec<usize> {
    if exchanges < FIRST {
        return Vec::new();
    }
    // What CPython makes of an integer seed under 2^32: `init_by_array` with one word.
    let mut random = Mt::new_with_key([seed(id)]);
    let mut points = Vec::new();
    let mut point = FIRST;
    while point <= exchanges {
        points.push(point);
        point += gap(&mut random);
    }
    if points.last() != Some(&exchanges) {
        points.push(exchanges);
    }
    points
}

/// `randint(2, 5)`: the top three bits of a draw, drawn again while they are over 3.
fn gap(random: &mut Mt) -> usize {
    loop {
        let bits = random.next_u32() >> 29;
        if bits < 4 {
            return 2 + bits as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, exchanges: usize, expected: &[usize]) {
        assert_eq!(points(id, exchanges), expected, "{id} {exchanges}");
    }

    #[test]
    fn the_published_vectors() {
        check("transcript_1000", 50, &[3, 5, 9, 14, 18, 21, 23, 25, 29, 33, 36, 41, 45, 49, 50]);
        check("transcript_5000", 50, &[3, 5, 8, 13, 18, 21, 26, 31, 36, 41, 46, 49, 50]);
        check("transcript_5000", 25, &[3, 5, 8, 13, 18, 21, 25]);
        check("t1", 15, &[3, 6, 8, 13, 15]);
        check("t1", 3, &[3]);
        check("é-1", 25, &[3, 5, 9, 13, 17, 19, 22, 24, 25]);
    }

    #[test]
    fn seeds_are_the_published_ones() {
        assert_eq!(seed("transcript_1000"), 1_514_128_027);
        assert_eq!(seed("é-1"), 2_886_323_395);
    }

    #[test]
    fn too_short_has_none() {
        check("t1", 0, &[]);
        check("t1", 2, &[]);
        check("t1", 4, &[3, 4]);
    }
}
