//! A pass over all transcripts of a project, in the background: what is known of
//! them, what assessing the rest would take, and the findings of files that are
//! not open.
//!
//! Invariant: nothing is sent; memory is bounded by a chunk of transcripts, the
//! digests of what lacks answers, and the findings that are shown. A pass that
//! was cancelled says nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;
use tower_lsp_server::gen_lsp_types::Uri;

use crate::analysis::context::{Context, Memo};
use crate::analysis::record::check_results;
use crate::assessment::statistics::Counted;
use crate::assessment::{Mark, Outcome, agree, checked};
use crate::config::layer;
use crate::engine::workspace::{self, Outside, Workspace};
use crate::engine::{AssessJob, Cancel, Engine, JobTranscript, Plan, Spending, Stopped, Trust};
use crate::prompt::Template;
use crate::review::roster::{About, Roster};
use crate::rubric::Criterion;
use crate::text::document::{Document, Encoding};
use crate::transcript::TranscriptDigest;
use crate::transcript::records::Layout;

use super::judgements::{Judgements, View, said};
use super::of_record::of_record;
use super::open_document::OpenDocument;
use super::panel::Panel;
use super::projects::Live;
use super::publication;
use super::source::{Read, Source};
use super::uri;

/// Transcripts looked up, and asked about, together.
pub const CHUNK: usize = 500;
/// Bytes of records looked up together.
const CHUNK_BYTES: usize = 16 << 20;
/// Files that are not open whose findings are shown.
const FILES_SHOWN: usize = 100;
/// The protocol's number of a warning; an error's is smaller.
const WARNING: u64 = 2;
/// Transcripts in such files whose answers are kept to show them.
const TRANSCRIPTS_SHOWN: usize = 5000;

/// What is passed over.
#[derive(Debug)]
pub struct Sweep {
    /// The number of the run it belongs to.
    pub number: u64,
    /// The project.
    pub live: Arc<Live>,
    /// Judges and criteria.
    pub panel: Arc<Panel>,
    /// Whether the project is trusted.
    pub trust: Trust,
    /// How judges are asked.
    pub template: Arc<Template>,
    /// The editor's settings, which may name other transcripts.
    pub settings: Value,
    /// The documents of the project that are open.
    pub open: Vec<Source>,
    /// How columns are counted.
    pub encoding: Encoding,
    /// Findings of files that are not open are wanted.
    pub shows: bool,
    /// Ends the pass early.
    pub cancel: Cancel,
    /// Judges that are not asked any more.
    pub stopped: Stopped,
    /// What all of it may spend.
    pub spending: Spending,
    /// When it was started.
    pub began: Instant,
}

/// What a pass found.
#[derive(Debug, Default)]
pub struct Swept {
    /// Per wording of a criterion.
    pub counted: HashMap<[u8; 32], Counted>,
    /// What assessing the rest would take.
    pub plan: Plan,
    /// What lacks answers, by file.
    pub lacking: Vec<Lacking>,
    /// What judges found in files that are not open: JSON arrays of diagnostics.
    pub shown: Vec<(PathBuf, Uri, Vec<u8>)>,
    /// Every transcript, as review sees it.
    pub roster: Roster,
    /// The files, as the roster numbers them.
    pub files: Vec<Uri>,
}

/// The transcripts of a file that lack answers.
#[derive(Clone, Debug)]
pub struct Lacking {
    /// The file.
    pub source: Source,
    /// Which record, and its digest; in order.
    pub transcripts: Vec<(usize, TranscriptDigest)>,
}

impl Sweep {
    /// Runs the pass; `None` when it was cancelled.
    #[must_use]
    pub fn run(&self, engine: &Engine) -> Option<Swept> {
        let sources = self.sources();
        let mut pass = Pass {
            sweep: self,
            engine,
            context: self.live.context(),
            memo: Memo::default(),
            chunk: Vec::new(),
            bytes: 0,
            kept: Judgements::default(),
            kept_count: 0,
            failing: HashSet::new(),
            swept: Swept {
                roster: Roster::new(
                    &self.panel.rubric,
                    self.panel.judges.iter().map(|judge| judge.name.clone()),
                ),
                ..Swept::default()
            },
        };
        for source in &sources {
            pass.file(source);
            if self.cancel.is_cancelled() {
                return None;
            }
        }
        pass.settle();
        pass.show();
        let Swept { roster, lacking, files, .. } = &mut pass.swept;
        roster.name_batches(|file, size| lacking[file].source.batch(&self.live, size));
        files.extend(sources.into_iter().map(|source| source.uri));
        pass.swept.lacking.retain(|lacking| !lacking.transcripts.is_empty());
        (!self.cancel.is_cancelled()).then_some(pass.swept)
    }

    fn sources(&self) -> Vec<Source> {
        sources(self.open.clone(), &self.live, &self.settings)
    }

    /// The texts of a batch.
    #[must_use]
    pub fn members(&self, batch: &str) -> Vec<TranscriptDigest> {
        let limits = &self.live.settings().limits;
        let mut members = Vec::new();
        for source in self.sources() {
            let mut of_file: Vec<(Option<String>, TranscriptDigest)> = Vec::new();
            source.each(
                limits,
                |_| true,
                |read| {
                    of_file.push((read.transcript.batch, read.digest));
                    true
                },
            );
            let own = source.batch(&self.live, of_file.len());
            let of_batch = |(named, digest): (Option<String>, TranscriptDigest)| {
                (named.as_ref().or(own.as_ref()).is_some_and(|name| name == batch))
                    .then_some(digest)
            };
            members.extend(of_file.into_iter().filter_map(of_batch));
        }
        members
    }

    /// A job about these transcripts.
    #[must_use]
    pub fn job(&self, transcripts: Vec<JobTranscript>) -> AssessJob {
        AssessJob {
            generation: self.number,
            transcripts,
            rubric: Arc::clone(&self.panel.rubric),
            judges: self.panel.judges.clone(),
            settings: self.live.settings().assess.clone(),
            template: Arc::clone(&self.template),
            trust: self.trust,
            project_dir: self.live.project.root.clone(),
            spending: self.spending.clone(),
            stopped: self.stopped.clone(),
        }
    }
}

/// The open documents of a project, then the other files that its globs name.
/// `settings` are the editor's, which may name other transcripts.
#[must_use]
pub fn sources(open: Vec<Source>, live: &Live, settings: &Value) -> Vec<Source> {
    let mut all = open;
    let Some(root) = &live.project.root else { return all };
    let open: HashSet<_> = all.iter().filter_map(|source| source.path.clone()).collect();
    let outside = Outside::read().with(layer::from_editor(settings));
    let mut workspace = Workspace::new(outside, None);
    for path in workspace::transcripts_in(&mut workspace, root) {
        let own = workspace.project_of(&path).root.as_ref() == Some(root);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let Some(layout) = Layout::of_name(&name).filter(|_| own && !open.contains(&path)) else {
            continue;
        };
        let uri = uri::from_path(&path);
        all.push(Source { uri, path: Some(path), open: None, layout });
    }
    all
}

/// A transcript that waits for the rest of its chunk.
struct Waiting {
    file: usize,
    ordinal: usize,
    line: usize,
    exchanges: usize,
    /// What the computed criteria said.
    checks: BTreeMap<String, Outcome>,
    job: JobTranscript,
}

/// A pass under way.
struct Pass<'a> {
    sweep: &'a Sweep,
    engine: &'a Engine,
    context: Context,
    memo: Memo,
    chunk: Vec<Waiting>,
    bytes: usize,
    /// What was said of transcripts that fail, to show it.
    kept: Judgements,
    kept_count: usize,
    /// The files they are in: indices into `swept.lacking`.
    failing: HashSet<usize>,
    swept: Swept,
}

impl Pass<'_> {
    fn file(&mut self, source: &Source) {
        let limits = self.sweep.live.settings().limits.clone();
        self.swept.lacking.push(Lacking { source: source.clone(), transcripts: Vec::new() });
        source.each(
            &limits,
            |_| true,
            |read| {
                self.take(read);
                !self.sweep.cancel.is_cancelled()
            },
        );
    }

    fn take(&mut self, read: Read<'_>) {
        let checks = self.count_checks(&read);
        self.bytes += read.record.len();
        self.chunk.push(Waiting {
            file: self.swept.lacking.len() - 1,
            ordinal: read.ordinal,
            line: read.line,
            checks,
            exchanges: read.transcript.complete_exchanges(),
            job: of_record(
                read.record,
                read.transcript,
                read.digest,
                &self.sweep.live,
                &self.sweep.panel,
            ),
        });
        if self.chunk.len() >= CHUNK || self.bytes >= CHUNK_BYTES {
            self.settle();
        }
    }

    fn count_checks(&mut self, read: &Read<'_>) -> BTreeMap<String, Outcome> {
        let rubric = &*self.sweep.panel.rubric;
        let Self { context, memo, .. } = self;
        let results = check_results(read.record, &read.transcript, context, memo);
        let outcomes = checked::outcomes(rubric, &read.transcript, &results);
        for criterion in &rubric.criteria {
            if let Some(outcome) = outcomes.get(&criterion.id) {
                self.count(criterion, [Mark::of(Some(outcome))]);
            }
        }
        outcomes
    }

    fn count(&mut self, criterion: &Criterion, marks: impl IntoIterator<Item = Mark>) {
        if let Some(key) = self.sweep.panel.criterion_key(&criterion.id) {
            self.swept.counted.entry(key).or_default().note(criterion, marks);
        }
    }

    /// Looks up what is known of the chunk and what the rest would take.
    fn settle(&mut self) {
        let chunk = std::mem::take(&mut self.chunk);
        self.bytes = 0;
        if chunk.is_empty() || self.sweep.cancel.is_cancelled() {
            return;
        }
        let job = self.sweep.job(chunk.iter().map(|waiting| waiting.job.clone()).collect());
        let panel = Arc::clone(&self.sweep.panel);
        let mut known = Judgements::default();
        if panel.asks() {
            for (transcript, said) in said(self.engine.recall(&job), &panel) {
                known.note(transcript, said);
            }
            self.swept.plan.add(self.engine.plan(&job));
        }
        for waiting in &chunk {
            self.settle_one(waiting, &known, &panel);
        }
    }

    fn settle_one(&mut self, waiting: &Waiting, known: &Judgements, panel: &Panel) {
        let digest = waiting.job.digest;
        let view = known.view(digest, None, panel);
        self.enrol(waiting, &view, panel);
        if known.lacks(digest, waiting.exchanges, panel) {
            self.swept.lacking[waiting.file].transcripts.push((waiting.ordinal, digest));
        }
        let mut fails = false;
        for criterion in panel.rubric.criteria.iter().filter(|c| c.is_question()) {
            let outcomes = view.now.iter().filter_map(|judge| judge.outcomes.get(&criterion.id));
            let marks: Vec<Mark> = outcomes.map(|outcome| Mark::of(Some(outcome))).collect();
            fails |= marks.iter().any(|mark| mark.fails(criterion));
            self.count(criterion, marks);
        }
        let unopened = self.swept.lacking[waiting.file].source.open.is_none();
        if fails && unopened && self.sweep.shows && self.kept_count < TRANSCRIPTS_SHOWN {
            self.kept_count += 1;
            self.kept.take_over(known, digest);
            self.failing.insert(waiting.file);
        }
    }

    /// Adds a transcript to the roster.
    fn enrol(&mut self, waiting: &Waiting, view: &View, panel: &Panel) {
        let JobTranscript { transcript, digest, .. } = &waiting.job;
        let card = agree::scorecard(
            &panel.rubric,
            transcript,
            &waiting.checks,
            &view.now,
            panel.aggregation,
        );
        let about = About {
            id: &transcript.id,
            batch: transcript.batch.as_deref(),
            digest: *digest,
            file: waiting.file,
            line: waiting.line,
        };
        self.swept.roster.add(about, &card, &view.now);
    }

    /// What judges found in files that are not open.
    fn show(&mut self) {
        let limits = self.sweep.live.settings().limits.clone();
        let mut files: Vec<usize> = self.failing.iter().copied().collect();
        files.sort_unstable();
        for file in files.into_iter().take(FILES_SHOWN) {
            let source = &self.swept.lacking[file].source;
            let (Some(path), Some(text)) = (&source.path, source.text_to_show(&limits)) else {
                continue;
            };
            if self.sweep.cancel.is_cancelled() {
                return;
            }
            let (list, fails) = self.judged(&source.uri, &text);
            if fails {
                self.swept.shown.push((path.clone(), source.uri.clone(), list));
            }
        }
    }

    /// What judges found in a file, and whether any of it fails.
    fn judged(&self, uri: &Uri, text: &str) -> (Vec<u8>, bool) {
        let live = Arc::clone(&self.sweep.live);
        let text = Document::new(text);
        let mut document = OpenDocument::new(uri.clone(), 0, text, live, self.sweep.encoding);
        document.finish(&self.kept);
        let all = publication::diagnostics(&mut document);
        let mut list: Vec<Value> = serde_json::from_slice(&all).unwrap_or_default();
        list.retain(|d| d["data"]["judged"] == true);
        let fails = list.iter().any(|d| d["severity"].as_u64().is_some_and(|s| s <= WARNING));
        (Value::Array(list).to_string().into_bytes(), fails)
    }
}
