//! TAXII with the wrong caller, the wrong media type, and bodies that are no envelope.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::{Setup, TAXII, client, nobody};
use crate::taxii::{malware, post};

const DAY: &str = "2020-01-01T00:00:00.000Z";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_the_right_code_and_speak_taxii() {
    let node = Setup::new(1, "operator").start().await;
    let base = node.url("/taxii2/sereno/collections/");
    let check = async |answer: reqwest::Response, status: u16| {
        assert_eq!(answer.status(), StatusCode::from_u16(status).unwrap());
        assert_eq!(answer.headers()["content-type"], TAXII, "{status}");
        let error: Value = answer.json().await.unwrap();
        assert_eq!(error["http_status"], status.to_string());
        assert!(!error["title"].as_str().unwrap().is_empty());
        error["description"].as_str().unwrap().to_owned()
    };
    let answer = nobody().get(&base).send().await.unwrap();
    assert!(answer.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    check(answer, 401).await;
    let reader = client("read-only");
    check(reader.get(format!("{base}nowhere/")).send().await.unwrap(), 404).await;
    check(post(&node, "read-only", "{}".into()).await, 404).await;
    check(post(&node, "operator", "{}".into()).await, 403).await;
    let refused = reader.get(&base).header("accept", "application/json").send().await.unwrap();
    check(refused, 406).await;
    let admin = client("administrator");
    let url = format!("{base}inbox/objects/");
    let answer = admin.post(&url).header("content-type", "application/json").body("{}");
    check(answer.send().await.unwrap(), 415).await;
    let grant = client("grant=inbox:read");
    assert_eq!(grant.get(&url).send().await.unwrap().status(), StatusCode::OK);
    check(admin.get(format!("{url}?limit=0")).send().await.unwrap(), 400).await;
    check(admin.get(node.url("/taxii2/sereno/status/x/")).send().await.unwrap(), 404).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_envelope_stores_nothing() {
    let node = Setup::new(1, "operator").start().await;
    let good = malware(1, DAY).to_string();
    for (body, status, word) in [
        (String::new(), 400, "EOF"),
        (format!("{{\"objects\":[{good},"), 400, "EOF"),
        ("[".repeat(10_000), 400, "64 arrays"),
        (format!("{{\"objects\":{}", "[".repeat(10_000)), 400, "/objects"),
        (format!("{{\"objects\":[{good}],\"objects\":[]}}"), 400, "twice"),
        ("[]".into(), 422, "not a JSON object"),
        ("{}".into(), 422, "missing"),
        ("{\"objects\":[]}".into(), 422, "1 to"),
        (format!("{{\"objects\":[{good},7]}}"), 422, "/objects/1"),
    ] {
        let answer = post(&node, "administrator", body.clone()).await;
        let start: String = body.chars().take(40).collect();
        assert_eq!(answer.status().as_u16(), status, "{start}");
        let error: Value = answer.json().await.unwrap();
        let text = error["description"].as_str().unwrap();
        assert!(text.contains(word), "{start}: {text}");
    }
    let not_utf8 = client("administrator")
        .post(node.url("/taxii2/sereno/collections/inbox/objects/"))
        .header("content-type", TAXII)
        .body(b"{\"objects\":[\"\xff\"]}".to_vec());
    let answer = not_utf8.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert!(answer.text().await.unwrap().contains("UTF-8"));
    let objects: Value = client("administrator")
        .get(node.url("/taxii2/sereno/collections/inbox/objects/"))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(objects, json!({"more": false}));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_of_100_megabytes_is_refused_with_the_limit() {
    let node = Setup::new(1, "operator").start().await;
    let address = node.address;
    // As a client that says what it is about to send, and one that does not say.
    for head in ["Content-Length: 104857600", "Transfer-Encoding: chunked"] {
        let answer = raw(address, head).await;
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
        assert!(answer.contains("max_content_length, 10485760 bytes"), "{answer}");
    }
}

/// Sends a body until the server answers, and returns the answer.
async fn raw(address: std::net::SocketAddr, length: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let (mut read, mut write) = socket.into_split();
    let head = format!(
        "POST /taxii2/sereno/collections/inbox/objects/ HTTP/1.1\r\nHost: x\r\n{length}\r\n\
         Authorization: Bearer administrator\r\nContent-Type: {TAXII}\r\nConnection: close\r\n\r\n"
    );
    let is_chunked = length.starts_with("Transfer");
    let sender = tokio::spawn(async move {
        write.write_all(head.as_bytes()).await.unwrap();
        let block = vec![b' '; 1 << 20];
        for _ in 0..100 {
            let size = if is_chunked { "100000\r\n" } else { "" };
            let end = if is_chunked { "\r\n" } else { "" };
            for part in [size.as_bytes(), &block, end.as_bytes()] {
                if write.write_all(part).await.is_err() {
                    return;
                }
            }
        }
    });
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(count) = read.read(&mut buffer).await {
        answer.extend_from_slice(&buffer[..count]);
        let text = String::from_utf8_lossy(&answer);
        if count == 0 || text.contains("smaller envelopes") {
            break;
        }
    }
    sender.abort();
    String::from_utf8_lossy(&answer).into_owned()
}
