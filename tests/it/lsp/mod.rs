//! What the wire adds to the language server: lifecycle, encodings, versions,
//! order, liveness, cancellation. The features themselves are tested beside
//! their code.

mod client;
mod lifecycle;
mod liveness;
mod sync;
