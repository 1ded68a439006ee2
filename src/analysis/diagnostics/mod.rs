//! Where findings come from, one family a module.

pub mod checks;
pub mod tokens;
pub mod structure;
pub mod rubric;
