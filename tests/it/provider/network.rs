//! What happens below HTTP: connections that break, bodies that never end.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rubricator::engine::{Engine, EngineOptions};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Reply, Wire, World, common, detail, job, judge_of, noting, play, run};

/// A server that treats every connection so; counts them.
async fn raw<F>(treat: impl Fn(TcpStream) -> F + Send + 'static) -> (String, Arc<AtomicUsize>)
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address: SocketAddr = listener.local_addr().expect("it is bound");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(treat(stream));
        }
    });
    (format!("http://{address}/v1"), count)
}

#[tokio::test]
async fn a_connection_that_breaks_is_tried_again_and_given_up() {
    for wire in Wire::ALL {
        let (url, count) = raw(|mut stream| async move {
            // Hung up in the middle of the request.
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        let world = World::new();
        let (engine, waits) = noting(&world);
        let job = job(&world, 1, judge_of(wire, &url));
        let ran = run(&engine, job.clone()).await;
        assert_eq!(common(&ran), "provider-error");
        assert!(detail(&ran).contains("the connection to 127.0.0.1"), "{}", detail(&ran));
        let waited = waits.lock().expect("no test panicked").len();
        assert!(waited > 1 && count.load(Ordering::SeqCst) > waited, "{wire:?}");
        assert!(world.engine().recall(&job).is_empty());
    }
}

#[tokio::test]
async fn a_body_that_does_not_end_in_time_is_timed_out() {
    let (url, _) = raw(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let head =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 999\r\n\r\n{";
        let _ = stream.write_all(head).await;
        std::future::pending::<()>().await;
    })
    .await;
    let world = World::new();
    let timeout = Some(Duration::from_millis(100));
    let engine = Engine::new(EngineOptions { timeout, ..world.options() });
    let ran = run(&engine, job(&world, 1, judge_of(Wire::Anthropic, &url))).await;
    assert_eq!(common(&ran), "timed-out");
}

#[tokio::test]
async fn a_reply_without_an_end_is_not_read_for_ever() {
    let long = "x".repeat(17 << 20);
    let played = play(Wire::OpenAi, move |_, _| Reply::Body(long.clone())).await;
    assert_eq!((played.outcome.as_str(), played.stored), ("malformed", 0));
    assert!(played.detail.contains("too long"), "{}", played.detail);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    for wire in Wire::ALL {
        let played = play(wire, |_, _| {
            Reply::Status(307, vec![("location", "http://127.0.0.1:1/v1/elsewhere")], "")
        })
        .await;
        assert_eq!((played.outcome.as_str(), played.sent), ("provider-error", 1));
        assert!(played.detail.contains("redirects are not followed"), "{}", played.detail);
    }
}
