//! The one thread that writes to the client.
//!
//! Invariants: nobody waits for it, however slowly the client reads; of the
//! diagnostics waiting for one document only the latest are written; all else is
//! written in the order it was given.

use std::io::Write;
use std::sync::mpsc::{self, Receiver, Sender};

use serde::Serialize;
use tokio::sync::oneshot;
use tower_lsp_server::gen_lsp_types::Uri;

use super::wire;

/// The way to the client. Every method returns at once.
#[derive(Clone, Debug)]
pub struct Writer(Sender<Parcel>);

/// One thing to write: JSON.
#[derive(Debug)]
enum Parcel {
    Message(Vec<u8>),
    /// The diagnostics of a document.
    Diagnostics(Uri, Vec<u8>),
    /// Nothing more comes; tells when all is written.
    Last(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the operating system gives us no thread.
    pub fn start(output: impl Write + Send + 'static) -> std::io::Result<Self> {
        let (parcels, waiting) = mpsc::channel();
        let run = move || run(output, &waiting);
        std::thread::Builder::new().name("writer".into()).spawn(run)?;
        Ok(Self(parcels))
    }

    /// Writes a message.
    pub fn message(&self, message: &impl Serialize) {
        match serde_json::to_vec(message) {
            Ok(body) => self.send(Parcel::Message(body)),
            Err(error) => tracing::error!(%error, "a message could not be written as JSON"),
        }
    }

    /// Writes the message that publishes a document's diagnostics.
    pub fn diagnostics(&self, uri: Uri, message: Vec<u8>) {
        self.send(Parcel::Diagnostics(uri, message));
    }

    /// Resolves when all that was given so far is written, or never will be.
    pub async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        self.send(Parcel::Last(done));
        let _ = finished.await;
    }

    fn send(&self, parcel: Parcel) {
        // Fails only when the client is gone, and then nobody wants it.
        let _ = self.0.send(parcel);
    }
}

fn run(mut output: impl Write, waiting: &Receiver<Parcel>) {
    let mut buffer = Vec::new();
    while let Ok(first) = waiting.recv() {
        let batch = std::iter::once(first).chain(waiting.try_iter()).collect();
        for parcel in latest(batch) {
            let body = match parcel {
                Parcel::Message(body) | Parcel::Diagnostics(_, body) => body,
                Parcel::Last(written) => {
                    // Fails only when nobody waits for it any more.
                    let _ = written.send(());
                    return;
                }
            };
            if let Err(error) = wire::write(&mut output, &mut buffer, &body) {
                tracing::debug!(%error, "the client does not read any more");
                return;
            }
        }
    }
}

/// The parcels without those that a later one makes pointless.
fn latest(mut batch: Vec<Parcel>) -> Vec<Parcel> {
    let mut later: Vec<Uri> = Vec::new();
    batch.reverse();
    batch.retain(|parcel| {
        let Parcel::Diagnostics(uri, _) = parcel else { return true };
        let is_latest = !later.contains(uri);
        if is_latest {
            later.push(uri.clone());
        }
        is_latest
    });
    batch.reverse();
    batch
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_burst_only_the_latest_diagnostics_are_written() {
        let diagnostics =
            |uri: &str, version: &str| Parcel::Diagnostics(Uri(uri.into()), version.into());
        let message = |text: &str| Parcel::Message(text.into());
        let batch = vec![
            diagnostics("a", "a1"),
            message("one"),
            diagnostics("b", "b1"),
            diagnostics("a", "a2"),
            message("two"),
        ];
        let kept: Vec<String> = latest(batch)
            .into_iter()
            .map(|parcel| match parcel {
                Parcel::Message(body) | Parcel::Diagnostics(_, body) => {
                    String::from_utf8(body).unwrap()
                }
                Parcel::Last(_) => String::new(),
            })
            .collect();
        assert_eq!(kept, ["one", "b1", "a2", "two"]);
    }
}
