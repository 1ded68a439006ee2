//! YES, NO or NA: what an answer can say. "Could not judge" is not among them.

/// The answer to a criterion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The criterion holds.
    Yes,
    /// It does not.
    No,
    /// It does not apply.
    Na,
}

impl Verdict {
    /// `YES`, `NO` or `NA`: the only spellings read and written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yes => "YES",
            Self::No => "NO",
            Self::Na => "NA",
        }
    }

    /// The verdict spelled exactly so.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Yes, Self::No, Self::Na].into_iter().find(|v| v.name() == name)
    }
}
