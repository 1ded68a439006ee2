//! A seeded corpus with the length distribution of real transcript collections:
//! messages of 2.4 KB on average (at most 9 KB), records of 8 KB to 570 KB with a
//! median near 75 KB, some non-ASCII text, some escapes. The same seed gives the
//! same bytes on every machine.

#![allow(dead_code, reason = "each benchmark uses its part")]

/// SplitMix64: small, seeded, good enough to vary text.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

const WORDS: &[&str] = &[
    "the",
    "a",
    "to",
    "and",
    "of",
    "it",
    "is",
    "that",
    "was",
    "in",
    "for",
    "you",
    "with",
    "on",
    "this",
    "have",
    "but",
    "not",
    "what",
    "so",
    "your",
    "about",
    "like",
    "feel",
    "really",
    "just",
    "when",
    "could",
    "one",
    "small",
    "step",
    "tomorrow",
    "manager",
    "deadline",
    "conversation",
    "together",
    "something",
    "because",
    "breathing",
    "honestly",
    "week",
    "it’s",
    "don’t",
    "café",
    "naïve",
    "—",
    "responsibility",
    "sleep",
    "plan",
    "email",
    "maybe",
    "first",
    "would",
    "help",
];

/// Prose of about `bytes` bytes, as it stands between the quotes of a JSON string.
pub fn prose(random: &mut Random, bytes: usize) -> String {
    let mut out = String::with_capacity(bytes + 32);
    let mut sentence = 0;
    while out.len() < bytes {
        out.push_str(WORDS[random.below(WORDS.len())]);
        sentence += 1;
        if sentence > 6 && random.below(8) == 0 {
            let ends = [". ", "? ", ".\\n\\n", "! ", ", \\\"yes\\\". "];
            out.push_str(ends[random.below(ends.len())]);
            sentence = 0;
        } else {
            out.push(' ');
        }
    }
    out
}

/// Every so many records, the last role is misspelt: a finding that an edit
/// before it moves, so that fresh findings can be told from old ones.
pub const MARKED: usize = 8;

/// One record: `{"id", "messages"}` on one line, without the line end.
pub fn record(random: &mut Random, number: usize) -> String {
    // Product of two uniforms: many middling records, a thin tail of long ones.
    let exchanges = 2 + random.below(10) + random.below(4) * random.below(14);
    let mut out = format!("{{\"id\": \"bench-{number:06}\", \"messages\": [");
    for index in 0..exchanges * 2 {
        let role = match index % 2 {
            0 => "user",
            _ if number.is_multiple_of(MARKED) && index + 1 == exchanges * 2 => "Assistant",
            _ => "assistant",
        };
        let size = 200 + random.below(1200) + random.below(3) * random.below(3400);
        let text = prose(random, size);
        let comma = if index == 0 { "" } else { ", " };
        out.push_str(&format!("{comma}{{\"role\": \"{role}\", \"content\": \"{text}\"}}"));
    }
    out.push_str("]}");
    out
}

/// JSONL of at least `bytes` bytes.
pub fn jsonl(bytes: usize) -> String {
    let mut random = Random::new(42);
    let mut out = String::with_capacity(bytes + 600_000);
    let mut number = 0;
    while out.len() < bytes {
        out.push_str(&record(&mut random, number));
        out.push('\n');
        number += 1;
    }
    out
}

/// The middle of three or more timings, in seconds.
pub fn median(mut run: impl FnMut() -> f64, times: usize) -> f64 {
    let mut seconds: Vec<f64> = (0..times).map(|_| run()).collect();
    seconds.sort_by(f64::total_cmp);
    seconds[times / 2]
}

/// How long `work` takes, in seconds.
pub fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let begun = std::time::Instant::now();
    std::hint::black_box(work());
    begun.elapsed().as_secs_f64()
}
