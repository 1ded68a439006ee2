//! Rubricator: transcripts and rubrics as documents.
