//! What is generated: personas sampled from a template and a taxonomy, what each of
//! their messages is to be like, and the record that comes of it.
//!
//! Invariant: everything here follows from the two files, the seed and the number of
//! the transcript; every roll is named by what it decides ([`Rolls`]), so a transcript
//! is the same whatever was rolled before, and whenever it is taken up again.
//!
//! Deliberately absent: what models are asked (`prompt::generate`), and asking them
//! (`engine::generate`).

mod parse;
mod persona;
mod recipe;
mod record;
mod rolls;
mod turn;
pub mod version;

pub use parse::{Read, read};
pub use persona::{Level, Persona, TopicSeed, sample};
pub use recipe::{Attribute, Bounds, Choice, Flaws, Recipe, Stages, Style, Topic};
pub use record::{Exchange, Maker, Said, Speaker, Violation, batch, id, record};
pub use rolls::Rolls;
pub use turn::{Stage, Turn, turn};
