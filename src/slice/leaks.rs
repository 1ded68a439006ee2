//! Nothing that is trained on may be validated on.
//!
//! Split by group, no transcript and no persona is on both sides; but the same
//! text may come under two ids, or one transcript may begin as another does.
//! Those share a slice, and that is what is looked for: by the digest of what the
//! slice says, whatever its id, shape or escaping.
//!
//! What grows: 17 bytes and a place for every slice.

use std::collections::HashMap;

use super::Side;

/// Slices on both sides that say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leak<P> {
    /// Where it was seen first, and on which side.
    pub first: (P, Side),
    /// Where it was seen again, on the other side.
    pub again: (P, Side),
    /// Exchanges the slice has.
    pub point: usize,
}

/// What was seen on which side.
#[derive(Clone, Debug)]
pub struct Sides<P> {
    seen: HashMap<[u8; 16], (P, Side)>,
}

impl<P> Default for Sides<P> {
    fn default() -> Self {
        Self { seen: HashMap::new() }
    }
}

impl<P: Copy> Sides<P> {
    /// Notes a slice; answers with a leak when the other side has it.
    pub fn note(
        &mut self,
        digest: [u8; 32],
        place: P,
        side: Side,
        point: usize,
    ) -> Option<Leak<P>> {
        let mut key = [0; 16];
        key.copy_from_slice(&digest[..16]);
        let first = *self.seen.entry(key).or_insert((place, side));
        if first.1 != side {
            return Some(Leak { first, again: (place, side), point });
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_on_both_sides_are_a_leak() {
        let mut sides = Sides::default();
        assert_eq!(sides.note([1; 32], 10, Side::Training, 3), None);
        assert_eq!(sides.note([1; 32], 11, Side::Training, 3), None);
        assert_eq!(sides.note([2; 32], 12, Side::Validation, 3), None);
        let leak = sides.note([1; 32], 13, Side::Validation, 3).unwrap();
        let expected =
            Leak { first: (10, Side::Training), again: (13, Side::Validation), point: 3 };
        assert_eq!(leak, expected);
    }
}
