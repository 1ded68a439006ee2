//! Where findings come from, one family a module.

pub mod checks;
pub mod rubric;
pub mod structure;
pub mod tokens;
pub mod verdict;
