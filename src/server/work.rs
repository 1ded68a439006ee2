//! What a run asks about: one job, or a project's rest chunk by chunk.
//!
//! Invariant: a chunk is read when it is its turn, so that memory is bounded; a
//! transcript that no longer says what was planned is left out.

use std::collections::HashMap;
use std::sync::Arc;

use crate::engine::{AssessJob, JobTranscript};
use crate::transcript::TranscriptDigest;

use super::source::Source;
use super::sweep::{CHUNK, Lacking, Sweep};

/// The jobs of a run.
#[derive(Debug)]
pub enum Work {
    /// One, ready.
    One(Box<AssessJob>),
    /// A project's.
    Chunks(Chunks),
    /// None is left.
    Done,
}

impl Work {
    /// The next job. Reads files.
    pub fn next(&mut self) -> Option<AssessJob> {
        match std::mem::replace(self, Self::Done) {
            Self::One(job) => Some(*job),
            Self::Chunks(mut chunks) => {
                let job = chunks.next();
                *self = Self::Chunks(chunks);
                job
            }
            Self::Done => None,
        }
    }
}

/// The transcripts of a sweep that lack answers, in order.
#[derive(Debug)]
pub struct Chunks {
    sweep: Arc<Sweep>,
    rest: std::collections::VecDeque<Lacking>,
}

impl Chunks {
    /// All of them.
    #[must_use]
    pub fn new(sweep: Arc<Sweep>, lacking: Vec<Lacking>) -> Self {
        Self { sweep, rest: lacking.into() }
    }

    fn next(&mut self) -> Option<AssessJob> {
        let mut chunk = Vec::new();
        while chunk.len() < CHUNK
            && let Some(mut file) = self.rest.pop_front()
        {
            let room = (CHUNK - chunk.len()).min(file.transcripts.len());
            let later = file.transcripts.split_off(room);
            self.read(&file.source, &file.transcripts, &mut chunk);
            if !later.is_empty() {
                self.rest.push_front(Lacking { transcripts: later, ..file });
            }
        }
        (!chunk.is_empty()).then(|| self.sweep.job(chunk))
    }

    fn read(
        &self,
        source: &Source,
        wanted: &[(usize, TranscriptDigest)],
        chunk: &mut Vec<JobTranscript>,
    ) {
        let last = wanted.last().map_or(0, |(ordinal, _)| *ordinal);
        let wanted: HashMap<usize, TranscriptDigest> = wanted.iter().copied().collect();
        let limits = &self.sweep.live.settings().limits;
        source.each(
            limits,
            |ordinal| wanted.contains_key(&ordinal) || ordinal > last,
            |read| {
                if wanted.get(&read.ordinal) == Some(&read.digest) {
                    let transcript = Arc::new(read.transcript);
                    chunk.push(JobTranscript { transcript, digest: read.digest });
                }
                read.ordinal <= last
            },
        );
    }
}
