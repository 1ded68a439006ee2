//! What the wire adds to the language server: lifecycle, encodings, versions,
//! order, liveness, cancellation. The features themselves are tested beside
//! their code.

mod agree;
mod assess;
mod audit;
pub mod client;
pub mod desk;
mod features;
mod fixup;
mod generate;
mod judges;
mod lifecycle;
mod liveness;
mod model;
mod navigate;
mod process;
mod project;
mod review;
mod slice;
mod supersede;
mod sync;
mod together;
