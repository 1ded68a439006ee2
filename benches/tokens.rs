//! Token counting against `tiktoken-rs`, on the same generated text: megabytes a
//! second and the ratio, the first time a text is met and the second.
//!
//! The text is made here from a fixed seed: conversations of plain English-like
//! words, code, numbers and other scripts, with message lengths spread as in real
//! transcripts (mean 2.4 KB). Only the ratio is meant to hold on other machines.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Instant;

use rubricator::tokens::{
    Counter, Encoding, Memo, RecordCounter, RenderInput, RenderMessage, Template,
};

const MESSAGES: usize = 4_000;
const ROUNDS: usize = 5;

fn main() -> std::io::Result<()> {
    let messages = corpus();
    let bytes: usize = messages.iter().map(String::len).sum();
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} messages, {:.1} MB; best of {ROUNDS}, MB/s",
        messages.len(),
        megabytes(bytes)
    )?;
    for encoding in [Encoding::Cl100kBase, Encoding::O200kBase] {
        let counter = Counter::OpenAi(encoding);
        let reference = match encoding {
            Encoding::Cl100kBase => tiktoken_rs::cl100k_base_singleton(),
            _ => tiktoken_rs::o200k_base_singleton(),
        };
        let ours = |text: &str| counter.count(text).unwrap_or_default();
        let theirs = |text: &str| reference.encode_ordinary(text).len();
        assert_eq!(total(&messages, ours), total(&messages, theirs), "the counts are equal");
        let memo = Memo::default();
        let remembered = |text: &str| memo.count(&counter, text).unwrap_or_default();
        let (first, again) = (speed(bytes, &messages, ours), {
            total(&messages, remembered);
            speed(bytes, &messages, remembered)
        });
        let peer = speed(bytes, &messages, theirs);
        writeln!(
            out,
            "{:<12} first pass {first:>7.1}  again {again:>8.1}  tiktoken-rs {peer:>6.1}  ratio {:.1}x",
            encoding.name(),
            first / peer
        )?;
    }
    for name in ["openai", "chatml", "llama3", "qwen3"] {
        writeln!(out, "{}", records(name, bytes, &messages))?;
    }
    Ok(())
}

/// Whole records of 40 messages: counted the first time, and after one message changed.
fn records(name: &str, bytes: usize, messages: &[String]) -> String {
    let Some(template) = Template::built_in(name).map(Arc::new) else { return String::new() };
    let counter = Counter::OpenAi(Encoding::O200kBase);
    let roles = ["user", "assistant"];
    let input = |texts: &[String]| {
        let message = |(i, t): (usize, &String)| RenderMessage::new(roles[i % 2], t.clone());
        let messages = texts.iter().enumerate().map(message).collect();
        RenderInput { messages, ..RenderInput::default() }
    };
    let mut inputs: Vec<RenderInput<'_>> = messages.chunks(40).map(input).collect();
    let counter = RecordCounter::new(counter, template, Arc::default());
    let count = |input: &RenderInput<'_>| counter.record_tokens(input).map_or(0, |c| c.tokens);
    let begun = Instant::now();
    black_box(inputs.iter().map(count).sum::<usize>());
    let first = megabytes(bytes) / begun.elapsed().as_secs_f64();
    for input in &mut inputs {
        if let Some(message) = input.messages.get_mut(7) {
            *message = RenderMessage::new("assistant", "a short reply in place of the old one");
        }
    }
    let begun = Instant::now();
    black_box(inputs.iter().map(count).sum::<usize>());
    let micros = begun.elapsed().as_secs_f64() * 1e6 / inputs.len() as f64;
    format!("records, {name:<7} first pass {first:>7.1}  after an edit {micros:>6.1} us a record")
}

fn total(messages: &[String], count: impl Fn(&str) -> usize) -> usize {
    messages.iter().map(|m| count(m)).sum()
}

fn speed(bytes: usize, messages: &[String], count: impl Fn(&str) -> usize) -> f64 {
    let once = || {
        let begun = Instant::now();
        black_box(total(messages, &count));
        begun.elapsed().as_secs_f64()
    };
    let best = (0..ROUNDS).map(|_| once()).fold(f64::INFINITY, f64::min);
    megabytes(bytes) / best
}

fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

/// A small generator (xorshift), so that every run sees the same text.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % n.max(1)
    }
}

fn corpus() -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let words = vocabulary(&mut random);
    (0..MESSAGES)
        .map(|_| {
            let length = 300 + random.below(1_500) + random.below(1_500) + random.below(1_500);
            message(&mut random, &words, length)
        })
        .collect()
}

/// Words built from syllables, the short ones first: frequent words are short.
fn vocabulary(random: &mut Random) -> Vec<String> {
    let syllables = [
        "the", "an", "in", "re", "ion", "er", "st", "con", "ment", "al", "ow", "ly", "ing", "be",
        "to", "pro",
    ];
    let word = |i: usize, random: &mut Random| -> String {
        (0..1 + i / 600).map(|_| syllables[random.below(syllables.len())]).collect()
    };
    (0..2_400).map(|i| word(i, random)).collect()
}

fn message(random: &mut Random, words: &[String], length: usize) -> String {
    let rare = [
        "\n\n",
        "\n- ",
        " 2024",
        " 3.14",
        "’s",
        " — ",
        " naïve",
        " 日本語",
        " 👍🏽",
        " `let x = y;`",
        ": ",
        "? ",
    ];
    let mut text = String::new();
    while text.len() < length {
        match random.below(20) {
            0 => text.push_str(rare[random.below(rare.len())]),
            1 => text.push_str(". "),
            _ => {
                // Squaring favours the front of the list, as language does.
                let place = random.below(words.len()) * random.below(words.len()) / words.len();
                text.push(' ');
                text.push_str(&words[place]);
            }
        }
    }
    text
}
