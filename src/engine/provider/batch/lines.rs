//! OpenAI's batches: calls go up as a file with one a line, and come back so.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::super::{Addressee, HttpRequest, openai};
use super::{Fate, Item, Results, State, failed, named};

/// The upload: a form of two fields.
pub(super) fn upload(to: Addressee<'_>, items: &[Item]) -> HttpRequest {
    let mut file = String::new();
    for item in items {
        let line = json!({
            "custom_id": item.mark,
            "method": "POST",
            "url": "/v1/responses",
            "body": item.body,
        });
        file += &line.to_string();
        file.push('\n');
    }
    // A hash of the whole file stands nowhere in it, so it can end the parts.
    let hash = Sha256::digest(&file);
    let boundary =
        hash[..16].iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let body = format!(
        "--{boundary}\r\ncontent-disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n\
         --{boundary}\r\ncontent-disposition: form-data; name=\"file\"; filename=\"batch.jsonl\"\r\n\
         content-type: application/jsonl\r\n\r\n{file}\r\n--{boundary}--\r\n"
    );
    let content_type = format!("multipart/form-data; boundary={boundary}");
    HttpRequest { content_type, ..openai::post(to, "files", body) }
}

/// How far the batch is; what failed stands in a file of its own.
pub(super) fn polled(json: &Value) -> Result<State, String> {
    match json["status"].as_str() {
        Some("validating" | "in_progress" | "finalizing" | "cancelling") => {
            Ok(State::Running(json["request_counts"]["completed"].as_u64()))
        }
        Some("completed" | "expired" | "cancelled" | "failed") => {
            let files = ["output_file_id", "error_file_id"];
            let names = files.iter().filter(|file| json[**file].is_string());
            let paths = names
                .map(|file| Ok(Results::At(format!("files/{}/content", named(&json[*file])?))));
            Ok(State::Ended(paths.collect::<Result<_, String>>()?))
        }
        _ => Err("the reply has no status of a batch".into()),
    }
}

/// One line of a result file.
pub(super) fn response(line: &Value) -> Option<(String, Fate)> {
    let mark = line["custom_id"].as_str()?.to_owned();
    let (response, error) = (&line["response"], &line["error"]);
    let fate = match (response["status_code"].as_u64(), error["code"].as_str()) {
        (Some(200), _) => Fate::Replied(openai::response(&response["body"])),
        (Some(status), _) => {
            let status = u16::try_from(status).unwrap_or(500);
            Fate::Replied(failed(status, &response["body"]))
        }
        (None, Some("batch_expired" | "batch_cancelled")) => Fate::Unsent("expired".into()),
        (None, _) => Fate::Replied(failed(500, &json!({"error": error}))),
    };
    Some((mark, fate))
}
