//! Transcripts that say nearly the same.
//!
//! Likeness is the share of word shingles in common (Jaccard): of all runs of five
//! words that one of two transcripts has, those that both have. A signature of 64
//! minima finds pairs that may be alike without comparing all with all; what is
//! found is then verified on the shingles themselves, so a pair that is named is
//! one. At a likeness of 0.8 the bands miss 2 pairs in 10,000.

use std::collections::HashSet;

use super::words::{mix, run, words};
use crate::transcript::{Role, Transcript};

/// Words of a shingle.
const SHINGLE: usize = 5;
/// Minima in a signature.
const MINIMA: usize = 64;
/// Minima that must agree for two transcripts to be compared.
const BAND: usize = 4;
/// With how many of those found before it a transcript is compared, in one band.
const COMPARED: usize = 8;

/// Hashes of shingles, in order, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shingles(Vec<u64>);

impl FromIterator<u64> for Shingles {
    fn from_iter<T: IntoIterator<Item = u64>>(hashes: T) -> Self {
        let mut all: Vec<u64> = hashes.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        Self(all)
    }
}

/// The hashes of a transcript's shingles; a short one is a shingle of its own.
#[must_use]
pub fn shingles(transcript: &Transcript) -> Shingles {
    let mut all = Vec::new();
    for message in transcript.messages.iter().filter(|m| m.role != Role::System) {
        all.extend(words(&message.text));
    }
    if all.len() < SHINGLE {
        return std::iter::once(run(&all)).collect();
    }
    all.windows(SHINGLE).map(run).collect()
}

/// The share of shingles in common.
#[must_use]
pub fn likeness(one: &Shingles, other: &Shingles) -> f64 {
    let (mut rest, mut common) = (other.0.iter().peekable(), 0);
    for hash in &one.0 {
        while rest.next_if(|other| *other < hash).is_some() {}
        common += usize::from(rest.next_if_eq(&hash).is_some());
    }
    let all = one.0.len() + other.0.len() - common;
    if all == 0 { 1.0 } else { common as f64 / all as f64 }
}

/// Minima of a transcript's shingles under 64 orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature([u32; MINIMA]);

impl AsRef<Self> for Signature {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl Signature {
    /// The signature of shingles.
    #[must_use]
    pub fn of(shingles: &Shingles) -> Self {
        let mut minima = [u32::MAX; MINIMA];
        for shingle in &shingles.0 {
            // Two hashes make as many orders as wanted (Kirsch and Mitzenmacher).
            let (first, step) = (mix(*shingle), mix(shingle ^ 0x9e37_79b9_7f4a_7c15) | 1);
            let mut order = first;
            for least in &mut minima {
                *least = (*least).min((order >> 32) as u32);
                order = order.wrapping_add(step);
            }
        }
        Self(minima)
    }

    /// About the likeness.
    #[must_use]
    pub fn likeness(&self, other: &Self) -> f64 {
        let same = self.0.iter().zip(&other.0).filter(|(a, b)| a == b).count();
        same as f64 / MINIMA as f64
    }
}

/// Pairs that may be at least so alike, by index, each once, the later one first found with.
#[must_use]
pub fn candidates(signed: &[impl AsRef<Signature>], likeness: f64) -> Vec<(usize, usize)> {
    let signature = |index: usize| signed[index].as_ref();
    // The estimate's spread is 0.06 at most: a pair is not lost to it.
    let least = likeness - 0.2;
    let mut pairs = HashSet::new();
    for band in 0..MINIMA / BAND {
        let key = |index: &usize| {
            let minima = &signature(*index).0[band * BAND..(band + 1) * BAND];
            minima.iter().fold(0, |hash: u64, one| mix(hash.rotate_left(7) ^ u64::from(*one)))
        };
        let mut keyed: Vec<(u64, usize)> =
            (0..signed.len()).map(|index| (key(&index), index)).collect();
        keyed.sort_unstable();
        for group in keyed.chunk_by(|a, b| a.0 == b.0) {
            for (at, (_, later)) in group.iter().enumerate().skip(1) {
                let before = group[..at].iter().take(COMPARED).map(|(_, earlier)| *earlier);
                let near =
                    |&earlier: &usize| signature(earlier).likeness(signature(*later)) >= least;
                pairs.extend(before.filter(near).map(|earlier| (earlier, *later)));
            }
        }
    }
    let mut pairs: Vec<(usize, usize)> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shingles of which `share` are those of the first set.
    fn set(from: u64, own: u64) -> Shingles {
        (0..from)
            .map(|n| mix(n + 1))
            .chain((0..own).map(|n| mix(n + 1_000_000 * (own + 1))))
            .collect()
    }

    #[test]
    fn likeness_is_the_share_in_common() {
        let (one, other) = (set(300, 0), set(300, 100));
        assert_eq!(likeness(&one, &one), 1.0);
        assert_eq!(likeness(&one, &other), 0.75);
        assert_eq!(likeness(&Shingles::default(), &Shingles::default()), 1.0);
    }

    #[test]
    fn signatures_are_near_the_truth() {
        let (one, other) = (set(400, 0), set(400, 100));
        let about = Signature::of(&one).likeness(&Signature::of(&other));
        assert!((about - likeness(&one, &other)).abs() < 0.2, "{about}");
    }

    #[test]
    fn pairs_are_found_and_strangers_are_not() {
        let sets = [set(400, 0), set(0, 350), set(400, 60), set(0, 500), set(400, 0)];
        let signatures: Vec<Signature> = sets.iter().map(Signature::of).collect();
        assert_eq!(candidates(&signatures, 0.8), [(0, 2), (0, 4), (2, 4)]);
    }
}
