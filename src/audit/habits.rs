//! Lengths, headers and praise: what is counted of each transcript, and adds up.

use super::words::{Word, run, words};
use crate::rubric::check::headers;
use crate::transcript::{Transcript, words as measure};

/// Exchanges under which a transcript has no early and late half.
const HALVES: usize = 4;
/// Replies with praise below which nothing is said of its course.
const PRAISE_MIN: usize = 5;

/// Phrases to look for, by their words.
#[derive(Clone, Debug, Default)]
pub struct Phrases {
    /// The hash of each phrase, its number of words, and its index.
    runs: Vec<(u64, usize, usize)>,
}

impl Phrases {
    /// Phrases by their words; one without words is never found.
    #[must_use]
    pub fn of(phrases: &[String]) -> Self {
        let runs = phrases.iter().enumerate().filter_map(|(index, phrase)| {
            let words = words(phrase);
            (!words.is_empty()).then(|| (run(&words), words.len(), index))
        });
        Self { runs: runs.collect() }
    }

    /// The first place of each phrase that the words have: its index and its words.
    #[must_use]
    pub fn found<'w>(&self, text: &'w [Word]) -> Vec<(usize, &'w [Word])> {
        let find = |&(hash, size, index): &(u64, usize, usize)| {
            let place = text.windows(size).find(|window| run(window) == hash)?;
            Some((index, place))
        };
        self.runs.iter().filter_map(find).collect()
    }
}

/// What adds up over transcripts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Transcripts.
    pub transcripts: usize,
    /// Exchanges with a reply.
    pub replies: usize,
    /// User's texts.
    pub asked: usize,
    /// Words of replies, and of the user's texts.
    pub words: (usize, usize),
    /// The sum of the words ratios of the exchanges.
    pub ratios: f64,
    /// Exchanges whose reply has over twice the user's words.
    pub over: usize,
    /// Transcripts of which every reply has the same number of headers, above the threshold.
    pub rigid: usize,
    /// Replies, and replies with praise, in the early halves.
    pub early: (usize, usize),
    /// Replies, and replies with praise, in the late halves.
    pub late: (usize, usize),
}

/// What was seen of one exchange.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// Its number.
    pub number: u32,
    /// Reply words for each user word.
    pub ratio: f64,
    /// Its reply praises.
    pub praises: bool,
    /// It is in the late half of a transcript that has halves.
    pub is_late: bool,
}

impl Tally {
    /// Counts a transcript; answers with what was seen of its exchanges, and whether
    /// its replies are all cut after one pattern.
    pub fn add(
        &mut self,
        transcript: &Transcript,
        headers_over: usize,
        praise: &Phrases,
    ) -> (Vec<Seen>, bool) {
        self.transcripts += 1;
        self.asked += transcript.exchanges.len();
        let count = transcript.complete_exchanges();
        let (mut seen, mut counts) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for exchange in &transcript.exchanges {
            let reply = transcript.reply(exchange);
            let user_words = measure::count(&transcript.user_text(exchange));
            self.words.1 += user_words;
            if transcript.reply_messages(exchange).next().is_none() {
                continue;
            }
            let reply_words = measure::count(&reply);
            self.words.0 += reply_words;
            self.replies += 1;
            let ratio = reply_words as f64 / user_words.max(1) as f64;
            self.ratios += ratio;
            self.over += usize::from(ratio > 2.0);
            counts.push(headers(&reply));
            let praises = !praise.found(&words(&reply)).is_empty();
            let is_late = count >= HALVES && seen.len() >= count / 2;
            if count >= HALVES {
                let half = if is_late { &mut self.late } else { &mut self.early };
                half.0 += 1;
                half.1 += usize::from(praises);
            }
            seen.push(Seen { number: exchange.number, ratio, praises, is_late });
        }
        let rigid = counts.len() > 1
            && counts[0] > headers_over
            && counts.iter().all(|count| *count == counts[0]);
        self.rigid += usize::from(rigid);
        (seen, rigid)
    }

    /// Takes in another one.
    pub fn merge(&mut self, other: &Self) {
        self.transcripts += other.transcripts;
        self.replies += other.replies;
        self.asked += other.asked;
        self.words = (self.words.0 + other.words.0, self.words.1 + other.words.1);
        self.ratios += other.ratios;
        self.over += other.over;
        self.rigid += other.rigid;
        self.early = (self.early.0 + other.early.0, self.early.1 + other.early.1);
        self.late = (self.late.0 + other.late.0, self.late.1 + other.late.1);
    }

    /// The mean words ratio of the exchanges; `None` without any.
    #[must_use]
    pub fn mean_ratio(&self) -> Option<f64> {
        (self.replies > 0).then(|| self.ratios / self.replies as f64)
    }

    /// The share of replies with over twice the user's words; `None` without any.
    #[must_use]
    pub fn over_share(&self) -> Option<f64> {
        (self.replies > 0).then(|| self.over as f64 / self.replies as f64)
    }

    /// How much more often late replies praise than early ones. An early half
    /// without any praise counts as one reply with it. `None` where there is too
    /// little praise to say.
    #[must_use]
    pub fn praise_growth(&self) -> Option<f64> {
        let rate = |(all, praising): (usize, usize)| praising as f64 / all.max(1) as f64;
        let early = (self.early.0, self.early.1.max(1));
        (self.late.1 >= PRAISE_MIN && self.early.0 > 0).then(|| rate(self.late) / rate(early))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::json::{DEPTH_LIMIT, parse};
    use crate::transcript::read;

    fn tally(record: &str) -> (Tally, Vec<Seen>, bool) {
        let transcript = read(record, &parse(record, DEPTH_LIMIT)).transcript.unwrap();
        let mut tally = Tally::default();
        let praise = Phrases::of(&["well done".to_owned()]);
        let (seen, rigid) = tally.add(&transcript, 1, &praise);
        (tally, seen, rigid)
    }

    #[test]
    fn lengths_and_praise_by_half() {
        let (tally, seen, rigid) =
            tally(r#"[["a b", "c"], ["a", "b c d"], ["a", "Well DONE!"], ["a", "well, done"]]"#);
        assert_eq!((tally.replies, tally.asked, tally.over, rigid), (4, 4, 1, false));
        assert_eq!((tally.early, tally.late), ((2, 0), (2, 2)));
        assert_eq!(seen[1].ratio, 3.0);
        assert_eq!(tally.mean_ratio(), Some((0.5 + 3.0 + 2.0 + 2.0) / 4.0));
        assert_eq!(tally.praise_growth(), None, "two are too few to say");
    }

    #[test]
    fn praise_without_an_early_one_is_measured_against_one() {
        let tally = Tally { early: (10, 0), late: (10, 6), ..Tally::default() };
        assert_eq!(tally.praise_growth().map(f64::round), Some(6.0));
        assert_eq!(Tally::default().praise_growth(), None);
        assert_eq!(Tally::default().mean_ratio(), None);
    }

    #[test]
    fn the_same_headers_everywhere_are_rigid() {
        let reply = "# A\\nx\\n# B\\ny";
        let same = format!(r#"[["a", "{reply}"], ["b", "{reply}"]]"#);
        assert!(tally(&same).2);
        let other = format!(r##"[["a", "{reply}"], ["b", "# A\nx"]]"##);
        assert!(!tally(&other).2);
    }
}
