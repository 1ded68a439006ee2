//! What the wire adds to the language server: lifecycle, encodings, versions,
//! order, liveness, cancellation. The features themselves are tested beside
//! their code.

mod assess;
mod client;
mod desk;
mod lifecycle;
mod liveness;
mod sync;
