//! From domain values to what is shown: findings, lenses, hints, hovers. Pure.

pub mod diagnostics;
pub mod fixes;
pub mod record;
