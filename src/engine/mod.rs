//! The only door to paid work and to disk.

pub mod answer_key;
pub mod assess;
pub mod budget;
pub mod disk;
pub mod estimate;
mod fence;
pub mod flight;
pub mod job;
mod judge;
mod lane;
pub mod ledger;
pub mod options;
pub mod plan;
mod prepared;
pub mod prices;
pub mod provider;
pub mod recording;
pub mod reviews;
pub mod rules;
mod run;
pub mod secret;
pub mod spend;
pub mod store;
mod stores;
mod tally;
pub mod trust;
pub mod trusted_projects;
pub mod workspace;

pub use assess::Engine;
pub use budget::Budget;
pub use job::{AssessJob, AssessUpdate, JobTranscript, RunSummary};
pub use options::EngineOptions;
pub use plan::{JudgePlan, Plan};
pub use recording::RecordingWriter;
pub use trust::Trust;
