//! Rubricator: a language server and a command line that treat chat transcripts
//! and rubrics as documents. This page is the map of the code.
//!
//! # Layers
//! A module uses only what stands above it here; `tests/it/tidy.rs` checks it.
//!
//! | module | what it is for |
//! |---|---|
//! | `text` | spans; JSON and YAML that keep every span and never fail; escapes; rope documents; minimal edits |
//! | `finding` | one thing to tell the user, at exact words, with its fixes |
//! | `transcript` | conversations in every shape, their digests, and files of them that follow edits |
//! | `rubric` | criteria, weights, gates, calibration examples; the computed checks |
//! | `tokens` | exact token counts and chat templates |
//! | `config` | `rubricator.toml` and the other sources of settings |
//! | `assessment` | what judges said, as data: replies → outcomes → scorecards → standing; quotes → ranges |
//! | `fixup` | which replies may be rewritten, what a rewrite must prove before it is an edit, and where a transcript may be cut off |
//! | `review` | what people said of transcripts, verdicts and batches; the gate |
//! | `audit` | what is wrong with a data set as a whole: phrases, habits, near-duplicates |
//! | `doctor` | what a trainer makes of a record: what it refuses, drops, cuts off, loses without a word |
//! | `slice` | prefixes of a transcript as training examples: where, on which side, in what words |
//! | `generate` | personas sampled from a template and a taxonomy, what each message is to be like, and the record that comes of it |
//! | `convert` | a record from one shape into another, and what that loses |
//! | `report` | the state of a data set as a page, a text and tables |
//! | `prompt` | what a judge is asked, and the models that play a conversation |
//! | `analysis` | everything an editor shows, as pure functions: findings, lenses, hints, hovers, symbols, completion |
//! | `engine` | the only door to paid work and to disk: trust, keys, judges, store, single flight, workspace |
//! | `server` | the language server: one loop owns the session, an outbox talks to the editor |
//! | `cli` | the same engine on the command line; the only place that prints |
//!
//! # Invariants
//! 1. **Place.** A span counts from the start of a named text. Findings about a
//!    record count from the record's first byte and are placed when shown, so they
//!    follow their words ([`text::escape::EscapeMap`], [`transcript::Message::source_of`]).
//! 2. **Verdict.** [`assessment::Outcome::Unscored`] is neither YES nor NO: it never
//!    passes and is never stored.
//! 3. **Money.** An answer is keyed by everything that changes it and nothing else;
//!    a key that has an answer, or is being asked, is not asked again.
//! 4. **Text.** An edit replaces the fewest bytes inside one string, in that record's
//!    own escaping style; it is made for one version of one document.
//! 5. **Purity.** Left of `engine` nothing awaits, reads, writes, or looks at the
//!    clock or the environment.

pub mod analysis;
pub mod assessment;
pub mod audit;
pub mod cli;
pub mod config;
pub mod convert;
pub mod doctor;
pub mod engine;
pub mod finding;
pub mod fixup;
pub mod generate;
pub mod prompt;
pub mod report;
pub mod review;
pub mod rubric;
pub mod server;
pub mod slice;
pub mod text;
pub mod tokens;
pub mod transcript;

#[cfg(test)]
pub(crate) mod testing;
