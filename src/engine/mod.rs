//! The only door to paid work and to disk.

pub mod disk;
pub mod rules;
pub mod trusted_projects;
pub mod workspace;
