//! What the wire adds to the language server: lifecycle, encodings, versions,
//! order, liveness, cancellation. The features themselves are tested beside
//! their code.

mod agree;
mod assess;
mod client;
mod desk;
mod features;
mod lifecycle;
mod liveness;
mod model;
mod process;
mod project;
mod supersede;
mod sync;
