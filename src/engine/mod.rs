//! The only door to paid work and to disk.

pub mod answer_key;
pub mod assess;
pub mod cancel;
pub mod disk;
mod fence;
pub mod flight;
pub mod job;
pub mod journal;
mod judge;
mod lane;
pub mod options;
pub mod plan;
mod prepared;
pub mod provider;
pub mod recording;
pub mod reviews;
pub mod rules;
mod run;
pub mod secret;
pub mod store;
mod stores;
mod tally;
pub mod trust;
pub mod trusted_projects;
pub mod workspace;

pub use assess::Engine;
pub use cancel::Cancel;
pub use job::{AssessJob, AssessUpdate, JobTranscript, RunSummary};
pub use options::EngineOptions;
pub use plan::{JudgePlan, Plan};
pub use recording::RecordingWriter;
pub use trust::Trust;
