//! `[audit]`: when something about a whole data set is flagged.

/// When something is flagged.
#[derive(Clone, Debug, PartialEq)]
pub struct Audit {
    /// Share of replies over which a phrase is flagged.
    pub phrase_share: f64,
    /// Share of replies from which a phrase is flagged when the user's side hardly has it.
    pub overused_share: f64,
    /// How much more often than on the user's side that is.
    pub overused_times: f64,
    /// Share of replies that may begin, or end, with the same words.
    pub opener_share: f64,
    /// Mean words ratio over which the data set is flagged.
    pub mean_ratio: f64,
    /// Share of replies with over twice the user's words.
    pub over_ratio_share: f64,
    /// The same number of headers in every reply is flagged above this many.
    pub headers: usize,
    /// Late praise against early praise.
    pub late_praise: f64,
    /// Word shingles two transcripts have in common, as a share of all of both.
    pub similarity: f64,
    /// Phrases that are looked for whatever their share among n-grams.
    pub phrases: Vec<String>,
    /// What counts as praise.
    pub praise: Vec<String>,
}

/// Phrases that count as praise where nobody says otherwise.
pub const PRAISE: &[&str] = &[
    "great question",
    "good question",
    "great job",
    "good job",
    "well done",
    "good for you",
    "proud of you",
    "that's great",
    "that's wonderful",
    "that's amazing",
    "that's fantastic",
    "i love that",
    "you're doing great",
    "so impressive",
];

impl Default for Audit {
    fn default() -> Self {
        Self {
            phrase_share: 0.5,
            overused_share: 0.05,
            overused_times: 4.0,
            opener_share: 0.25,
            mean_ratio: 2.0,
            over_ratio_share: 0.5,
            headers: 3,
            late_praise: 2.0,
            similarity: 0.8,
            phrases: Vec::new(),
            praise: PRAISE.iter().map(|phrase| (*phrase).to_owned()).collect(),
        }
    }
}
