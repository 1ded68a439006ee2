//! `--shard i/n`: one machine's part of the work.
//!
//! Invariant: the parts of one `n` share nothing and leave nothing out, whichever
//! machine does which. `assess` parts the transcripts by what they say, so that one
//! text is asked about once; `check` and `audit` part the files by their order.

use std::str::FromStr;

use crate::transcript::TranscriptDigest;

/// A part: the `index`th of `of`, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: u64,
    of: u64,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(index, of)| Some((index.parse::<u64>().ok()?, of.parse::<u64>().ok()?)));
        match parts {
            Some((index @ 1.., of)) if index <= of => Ok(Self { index: index - 1, of }),
            _ => Err("a shard is i/n, as in 2/8: the second of eight".into()),
        }
    }
}

impl Shard {
    /// True when this text belongs to it.
    #[must_use]
    pub fn has(self, digest: TranscriptDigest) -> bool {
        let mut first = [0; 8];
        first.copy_from_slice(&digest.0[..8]);
        u64::from_be_bytes(first) % self.of == self.index
    }

    /// The files that belong to it.
    pub fn files<T>(shard: Option<Self>, files: &mut Vec<T>) {
        let Some(shard) = shard else { return };
        let mut number = 0;
        files.retain(|_| {
            number += 1;
            (number - 1) % shard.of == shard.index
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_one_of_several() {
        for bad in ["0/2", "3/2", "1", "1/0", "a/b", "-1/2"] {
            assert!(bad.parse::<Shard>().is_err(), "{bad}");
        }
        assert_eq!("2/8".parse(), Ok(Shard { index: 1, of: 8 }));
    }

    #[test]
    fn parts_share_nothing_and_leave_nothing_out() {
        let shards: Vec<Shard> = (1..=3).map(|n| format!("{n}/3").parse().unwrap()).collect();
        for byte in 0..=255 {
            let digest = TranscriptDigest([byte; 32]);
            assert_eq!(shards.iter().filter(|shard| shard.has(digest)).count(), 1);
        }
        let part = |shard: &Shard| {
            let mut files = vec!["a", "b", "c", "d"];
            Shard::files(Some(*shard), &mut files);
            files
        };
        let parts: Vec<Vec<&str>> = shards.iter().map(part).collect();
        assert_eq!(parts, [vec!["a", "d"], vec!["b"], vec!["c"]]);
    }
}
