//! One transcript, cut.

use super::Choice;
use crate::slice::{Side, Sliceable, Split, System, split};
use crate::text::json;
use crate::tokens::RecordCounter;
use crate::transcript::{digest, read};

/// What every transcript is cut with.
#[derive(Debug)]
pub struct Cutter<'a> {
    /// Which transcripts are cut.
    pub choice: &'a Choice,
    /// How tokens are counted.
    pub counter: RecordCounter,
    /// Tokens a slice may have.
    pub limit: usize,
    /// How they are split.
    pub split: Split,
    /// Their system message.
    pub system: System<'a>,
    /// The examples are wanted, not only where they end.
    pub writes: bool,
    /// Levels JSON may nest.
    pub depth: usize,
}

/// A slice under the limit.
#[derive(Debug)]
pub struct Piece {
    /// Exchanges it has.
    pub point: usize,
    /// Tokens as rendered.
    pub tokens: usize,
    /// The digest of what it says.
    pub digest: [u8; 32],
    /// The training example, where that is wanted.
    pub example: String,
}

/// A transcript that was cut.
#[derive(Debug)]
pub struct Cut {
    /// Its id.
    pub id: String,
    /// Its side.
    pub side: Side,
    /// It has too few exchanges for any slice.
    pub is_short: bool,
    /// Its slices, shortest first.
    pub pieces: Vec<Piece>,
    /// Slices that are over the limit, with their tokens.
    pub over: Vec<(usize, usize)>,
    /// Slices that could not be counted, and why.
    pub uncounted: Vec<(usize, String)>,
}

impl Cutter<'_> {
    /// Cuts the transcript of a record; `None` when it is not to be cut.
    pub fn cut(&self, record: &str) -> Option<Cut> {
        let json = json::parse(record, self.depth);
        let transcript = read(record, &json).transcript.ok()?;
        if !self.choice.has(digest::of(record, &transcript), &transcript.id) {
            return None;
        }
        let group = split::group(json.root(record), &transcript.id);
        let sliceable = Sliceable::of(record, &transcript, self.system);
        let points = sliceable.points();
        let mut cut = Cut {
            side: self.split.side(&group),
            is_short: points.is_empty(),
            pieces: Vec::new(),
            over: Vec::new(),
            uncounted: Vec::new(),
            id: transcript.id.clone(),
        };
        for point in points {
            match sliceable.tokens(point, &self.counter) {
                Err(why) => cut.uncounted.push((point, why.to_string())),
                Ok(tokens) if tokens > self.limit => cut.over.push((point, tokens)),
                Ok(tokens) => {
                    let digest = sliceable.digest(point);
                    let example =
                        if self.writes { sliceable.example(point) } else { String::new() };
                    cut.pieces.push(Piece { point, tokens, digest, example });
                }
            }
        }
        Some(cut)
    }
}
