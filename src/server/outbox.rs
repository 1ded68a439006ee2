//! The only one that talks to the client: everything the server sends of its own
//! accord goes through here and nobody waits for it: diagnostics straight to the
//! writer, the rest by one task.
//!
//! Invariants: a refresh is sent only to a client that supports it, and bursts become
//! one; progress begins only after the client created it; a client that never
//! answers a request delays nothing else.

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tower_lsp_server::Client;
use tower_lsp_server::gen_lsp_types::{
    LspNotificationMethod, MessageActionItem, MessageDirection, MessageType, Notification,
    ProgressNotification, ProgressParams, ProgressToken, Range, Registration, ShowDocumentParams,
    Uri, WorkDoneProgressBegin, WorkDoneProgressEnd, WorkDoneProgressReport, WorkspaceEdit,
};

use super::event::{Event, EventSender, Offer};
use super::publication;
use super::writer::Writer;

/// How long an unanswered refresh keeps the next one of its kind back.
const REFRESH_PATIENCE: Duration = Duration::from_secs(2);

/// What can be refreshed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surface {
    /// Code lenses.
    Lenses,
    /// Inlay hints.
    Hints,
}

/// One thing to send.
enum Parcel {
    Refresh(Surface),
    Message(MessageType, String),
    Offer { message: String, offers: Vec<Offer> },
    Register(Vec<Registration>),
    Progress { token: String, title: String, steps: watch::Receiver<Step> },
    Status(serde_json::Value),
    Show(Uri, Range),
    Apply(Box<Application>),
}

/// An edit for the client to apply, and what is said of it afterwards.
#[derive(Debug)]
pub struct Application {
    /// The edit.
    pub edit: WorkspaceEdit,
    /// Said when it was applied.
    pub done: String,
    /// Said when it was not.
    pub refused: String,
    /// Shown when it was applied.
    pub show: Option<(Uri, Range)>,
    /// Happens when it was applied.
    pub then: Option<Event>,
}

/// How far a job is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// One line: count, elapsed, cost.
    pub message: String,
    /// 0 to 100.
    pub percentage: u32,
    /// The job is over.
    pub done: bool,
}

/// `rubricator/status`: what a status bar shows.
#[derive(Debug)]
pub enum StatusNotification {}

impl Notification for StatusNotification {
    const METHOD: LspNotificationMethod<'static> =
        LspNotificationMethod::Custom("rubricator/status");
    const MESSAGE_DIRECTION: MessageDirection = MessageDirection::ServerToClient;
    type Params = serde_json::Value;
}

/// A handle to the outbox. Every method returns at once.
#[derive(Clone, Debug)]
pub struct Outbox {
    parcels: mpsc::UnboundedSender<Parcel>,
    writer: Writer,
}

impl Outbox {
    /// Starts the outbox's task on the current runtime.
    #[must_use]
    pub fn start(client: Client, writer: Writer, events: EventSender) -> Self {
        let (parcels, waiting) = mpsc::unbounded_channel();
        tokio::spawn(Courier { client, events, refreshing: HashMap::new() }.run(waiting));
        Self { parcels, writer }
    }

    /// Shows these diagnostics (a JSON array) in place of the document's earlier
    /// ones. `version`: the one they belong to; `None` for a document that is not open.
    pub fn publish(&self, uri: &Uri, version: Option<i32>, list: &[u8]) {
        let message = publication::message(uri, version, list);
        self.writer.diagnostics(uri.clone(), message);
    }

    /// Asks the client to ask again.
    pub fn refresh(&self, surface: Surface) {
        self.send(Parcel::Refresh(surface));
    }

    /// Shows a message.
    pub fn message(&self, kind: MessageType, text: impl Into<String>) {
        self.send(Parcel::Message(kind, text.into()));
    }

    /// Shows a message with one button; pressing it becomes an [`Event::Accepted`].
    pub fn offer(&self, message: impl Into<String>, offer: Offer) {
        self.choose(message, vec![offer]);
    }

    /// Shows a message with a button for each offer; pressing one becomes an
    /// [`Event::Accepted`].
    pub fn choose(&self, message: impl Into<String>, offers: Vec<Offer>) {
        self.send(Parcel::Offer { message: message.into(), offers });
    }

    /// Registers for notifications of the client.
    pub fn register(&self, registrations: Vec<Registration>) {
        self.send(Parcel::Register(registrations));
    }

    /// Shows progress under `token` until a step is done or the sender is dropped.
    #[must_use]
    pub fn progress(&self, token: &str, title: impl Into<String>) -> watch::Sender<Step> {
        let (steps, shown) = watch::channel(Step::default());
        let token = token.to_owned();
        self.send(Parcel::Progress { token, title: title.into(), steps: shown });
        steps
    }

    /// Has a place shown, in a client that can.
    pub fn show(&self, uri: &Uri, range: Range) {
        self.send(Parcel::Show(uri.clone(), range));
    }

    /// Has an edit applied, in a client that can.
    pub fn apply(&self, application: Application) {
        self.send(Parcel::Apply(Box::new(application)));
    }

    /// Tells the status bar.
    pub fn status(&self, status: serde_json::Value) {
        self.send(Parcel::Status(status));
    }

    fn send(&self, parcel: Parcel) {
        // Fails only when the client is gone, and then nobody wants it.
        let _ = self.parcels.send(parcel);
    }
}

struct Courier {
    client: Client,
    events: EventSender,
    refreshing: HashMap<&'static str, tokio::task::JoinHandle<()>>,
}

impl Courier {
    async fn run(mut self, mut waiting: mpsc::UnboundedReceiver<Parcel>) {
        let mut batch = Vec::new();
        while waiting.recv_many(&mut batch, usize::MAX).await > 0 {
            for parcel in latest(std::mem::take(&mut batch)) {
                self.deliver(parcel).await;
            }
        }
    }

    async fn deliver(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Message(kind, text) => self.client.show_message(kind, text).await,
            Parcel::Status(status) => {
                self.client.send_notification::<StatusNotification>(status).await;
            }
            Parcel::Refresh(surface) => self.refresh(surface),
            Parcel::Offer { message, offers } => {
                tokio::spawn(make_offer(self.client.clone(), self.events.clone(), message, offers));
            }
            Parcel::Register(registrations) => {
                let client = self.client.clone();
                tokio::spawn(async move {
                    if let Err(error) = client.register_capability(registrations).await {
                        tracing::warn!(%error, "the client refused a registration");
                    }
                });
            }
            Parcel::Show(uri, selection) => {
                tokio::spawn(show(self.client.clone(), uri, selection));
            }
            Parcel::Apply(application) => {
                tokio::spawn(apply(self.client.clone(), self.events.clone(), *application));
            }
            Parcel::Progress { token, title, steps } => {
                tokio::spawn(show_progress(self.client.clone(), token, title, steps));
            }
        }
    }

    /// At most one refresh of a kind is under way, and one more may wait behind it.
    fn refresh(&mut self, surface: Surface) {
        let client = self.client.clone();
        let key = match surface {
            Surface::Lenses => "lenses",
            Surface::Hints => "hints",
        };
        let earlier = self.refreshing.remove(key);
        let task = tokio::spawn(async move {
            if let Some(earlier) = earlier {
                let _ = tokio::time::timeout(REFRESH_PATIENCE, earlier).await;
            }
            let answer = match surface {
                Surface::Lenses => client.code_lens_refresh().await,
                Surface::Hints => client.inlay_hint_refresh().await,
            };
            if let Err(error) = answer {
                tracing::debug!(%error, "the client refused a refresh");
            }
        });
        self.refreshing.insert(key, task);
    }
}

/// Drops what a later parcel of the same batch replaces.
fn latest(batch: Vec<Parcel>) -> Vec<Parcel> {
    let mut kept: Vec<Parcel> = Vec::with_capacity(batch.len());
    for parcel in batch {
        kept.retain(|earlier| !replaces(&parcel, earlier));
        kept.push(parcel);
    }
    kept
}

fn replaces(later: &Parcel, earlier: &Parcel) -> bool {
    match (later, earlier) {
        (Parcel::Refresh(a), Parcel::Refresh(b)) => a == b,
        (Parcel::Status(_), Parcel::Status(_)) => true,
        _ => false,
    }
}

async fn show(client: Client, uri: Uri, selection: Range) {
    let params = ShowDocumentParams {
        uri,
        external: None,
        take_focus: Some(true),
        selection: Some(selection),
    };
    if let Err(error) = client.show_document(params).await {
        tracing::debug!(%error, "the client showed nothing");
    }
}

async fn apply(client: Client, events: EventSender, application: Application) {
    let Application { edit, done, refused, show: place, then } = application;
    if client.apply_edit(edit).await.is_ok_and(|answer| answer.applied) {
        then.into_iter().for_each(|event| events.send(event));
        client.show_message(MessageType::Info, done).await;
        if let Some((uri, range)) = place {
            show(client, uri, range).await;
        }
    } else {
        client.show_message(MessageType::Warning, refused).await;
    }
}

async fn make_offer(client: Client, events: EventSender, message: String, offers: Vec<Offer>) {
    let button = |offer: &Offer| MessageActionItem {
        title: offer.button.clone(),
        properties: HashMap::default(),
    };
    let buttons = offers.iter().map(button).collect();
    let answer = client.show_message_request(MessageType::Info, message, Some(buttons)).await;
    let Ok(Some(chosen)) = answer else { return };
    if let Some(offer) = offers.into_iter().find(|offer| offer.button == chosen.title) {
        events.send(Event::Accepted(Box::new(offer)));
    }
}

/// No `$/progress` may be sent for a token before its creation succeeded.
async fn show_progress(
    client: Client,
    token: String,
    title: String,
    mut steps: watch::Receiver<Step>,
) {
    let token = ProgressToken::String(token);
    if client.create_work_done_progress(token.clone()).await.is_err() {
        return;
    }
    let first = steps.borrow_and_update().clone();
    let begin = WorkDoneProgressBegin {
        title,
        cancellable: Some(true),
        message: Some(first.message),
        percentage: Some(first.percentage),
    };
    report(&client, &token, "begin", serde_json::to_value(begin)).await;
    let mut last = first.done.then(|| steps.borrow().message.clone());
    while last.is_none() && steps.changed().await.is_ok() {
        let step = steps.borrow_and_update().clone();
        if step.done {
            last = Some(step.message);
            break;
        }
        let step = WorkDoneProgressReport {
            cancellable: Some(true),
            message: Some(step.message),
            percentage: Some(step.percentage),
        };
        report(&client, &token, "report", serde_json::to_value(step)).await;
    }
    let end = WorkDoneProgressEnd { message: last };
    report(&client, &token, "end", serde_json::to_value(end)).await;
}

async fn report(
    client: &Client,
    token: &ProgressToken,
    kind: &'static str,
    value: serde_json::Result<serde_json::Value>,
) {
    let Ok(serde_json::Value::Object(mut value)) = value else { return };
    value.insert("kind".into(), kind.into());
    let params = ProgressParams { token: token.clone(), value: value.into() };
    client.send_notification::<ProgressNotification>(params).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_burst_only_the_latest_is_sent() {
        let batch = vec![
            Parcel::Refresh(Surface::Lenses),
            Parcel::Status(1.into()),
            Parcel::Refresh(Surface::Hints),
            Parcel::Refresh(Surface::Lenses),
            Parcel::Status(2.into()),
        ];
        let kept: Vec<String> = latest(batch)
            .iter()
            .map(|parcel| match parcel {
                Parcel::Status(status) => status.to_string(),
                Parcel::Refresh(surface) => format!("{surface:?}"),
                _ => String::new(),
            })
            .collect();
        assert_eq!(kept, ["Hints", "Lenses", "2"]);
    }
}
