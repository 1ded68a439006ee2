//! Tokens: how many a text or a record is, in the target's own tokenizer and
//! chat template.
//!
//! Invariant: pure. Files are read by the caller; nothing here looks at the
//! disk, the clock or the environment, and nothing panics on user input.

pub mod counter;
pub mod hugging_face;
pub mod memo;
mod openai;
pub mod record;
pub mod template;

pub use counter::{CountError, Counter, Encoding};
pub use hugging_face::HfTokenizer;
pub use memo::Memo;
pub use record::{Precision, RecordCount, RecordCounter, RecordCounts, RecordError};
pub use template::input::{RenderInput, RenderMessage};
pub use template::{BUILT_IN, Specials, Template, TemplateError};
