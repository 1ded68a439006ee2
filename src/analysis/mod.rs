//! From domain values to what is shown: findings, lenses, hints, hovers. Pure.

pub mod brief;
pub mod completion;
pub mod context;
pub mod critiques;
pub mod diagnostics;
pub mod file;
pub mod fixes;
pub mod folds;
pub mod hints;
pub mod hover;
pub mod judges;
pub mod lenses;
pub mod navigation;
pub mod place;
pub mod record;
pub mod reviews;
pub mod rubric_lenses;
#[cfg(test)]
mod samples;
pub mod sayings;
pub mod symbols;
