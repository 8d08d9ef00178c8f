//! Requests that nobody means well with: each gets a TAXII error message or an answer, none a failure of the server.

use std::net::SocketAddr;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Setup, TAXII, client};
use crate::taxii::{malware, post};

/// Sends bytes as they are and reads the whole answer.
async fn raw(address: SocketAddr, line: &str, headers: &[u8]) -> (u16, String) {
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut request = format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer administrator\r\nConnection: close\r\n"
    )
    .into_bytes();
    request.extend_from_slice(headers);
    request.extend_from_slice(b"\r\n");
    socket.write_all(&request).await.unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).await.unwrap();
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    (status, text)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_line_and_no_header_makes_the_server_fail() {
    let node = Setup::new(1, "operator").start().await;
    post(
        &node,
        "administrator",
        json!({"objects": [malware(1, "2020-01-01T00:00:00.000Z")]}).to_string(),
    )
    .await;
    let base = "/taxii2/sereno/collections/inbox";
    let long = "9".repeat(5_000);
    for (path, expect) in [
        (format!("{base}/objects/?limit=-1"), 400),
        (format!("{base}/objects/?limit={long}"), 200),
        (format!("{base}/objects/?limit=1.5"), 400),
        (format!("{base}/objects/?added_after=9999-99-99T99:99:99Z"), 400),
        (format!("{base}/objects/?added_after=0000-01-01T00:00:00Z"), 200),
        (format!("{base}/objects/?added_after=9999-12-31T23:59:59.999999999Z"), 200),
        (format!("{base}/objects/?added_after=%00"), 400),
        (format!("{base}/objects/?match[version]=%F0%9F%92%A9"), 400),
        (format!("{base}/objects/?match[version]=all,last"), 400),
        (format!("{base}/objects/?match[id]=%00,%FF%FE,';DROP%20TABLE%20intel_objects;--"), 200),
        (format!("{base}/objects/?match[type]={}", "a,".repeat(150)), 200),
        (
            format!(
                "{base}/objects/?match[type]={}",
                (0..199).map(|n| format!("t{n},")).collect::<String>()
            ),
            400,
        ),
        (format!("{base}/objects/?match[spec_version]=99"), 200),
        (format!("{base}/objects/?next=AAAA"), 400),
        (format!("{base}/objects/?next={long}"), 400),
        (format!("{base}/objects/?%%%=%zz&&&=="), 200),
        (format!("{base}/objects/%ff/"), 400),
        (format!("{base}/objects/%zz/"), 404),
        (format!("{base}/objects/%00/"), 404),
        (format!("{base}/objects/..%2f..%2f..%2fetc%2fpasswd/"), 404),
        (format!("{base}/objects/../../../../etc/passwd"), 404),
        (format!("{base}/objects/%e2%80%ae%f0%9f%92%a9/versions/"), 404),
        (format!("{base}/manifest/?limit=0"), 400),
        ("/taxii2/sereno/collections/..%2f/objects/".into(), 404),
        ("/taxii2/..%2f../collections/".into(), 404),
        ("/taxii2/none/collections/".into(), 404),
        ("/taxii2/sereno/status/%00/".into(), 404),
        ("/taxii2//".into(), 404),
        ("/taxii2/sereno/nothing/".into(), 404),
        ("/taxii2/a/b/c/d/e/f/g/h/".into(), 404),
    ] {
        for method in ["GET", "DELETE"] {
            let (status, answer) = raw(node.address, &format!("{method} {path}"), b"").await;
            assert!((200..500).contains(&status), "{method} {path}: {status}");
            if method == "GET" {
                assert_eq!(status, expect, "{path}: {answer}");
            }
            assert!(answer.contains(TAXII), "{method} {path} speaks TAXII: {answer}");
        }
    }
    let huge = format!("Accept: {}\r\n", "a/b;q=0.1,".repeat(2_000));
    let headers: [(&[u8], u16); 7] = [
        (b"Accept: \xff\xfe\r\n", 406),
        (b"Accept: ;;;,,,;q=\r\n", 406),
        (b"Accept: */*;q=1e309\r\n", 406),
        (b"Accept: text/html\r\nAccept: application/taxii+json\r\n", 200),
        (huge.as_bytes(), 406),
        (b"Content-Length: 5\r\n\r\nxxxxx", 200),
        (b"Range: bytes=9999999999999999999-\r\nIf-Match: \"\xff\"\r\n", 200),
    ];
    for (header, expect) in headers {
        let (status, answer) = raw(node.address, &format!("GET {base}/objects/"), header).await;
        assert_eq!(status, expect, "{}: {answer}", String::from_utf8_lossy(header));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_body_makes_the_server_fail() {
    let node = Setup::new(1, "operator").start().await;
    let object =
        |name: &str| malware(1, "2020-01-01T00:00:00.000Z").to_string().replace("\"m1\"", name);
    let deep = format!("{{\"x\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    for (body, expect) in [
        (format!("{{\"objects\":[{}]}}", object(&deep)), 400),
        (format!("{{\"objects\":[{}]}}", object("1e999")), 400),
        (format!("{{\"objects\":[{}]}}", object("\"\\ud800\"")), 400),
        (format!("{{\"objects\":[{}]}}", object("\"a\\u0000\\u202e\\ufffe\"")), 202),
        (format!("{{\"objects\":[{}]}}", object("123456789012345678901234567890")), 202),
        (format!("{{\"objects\":[{0},{0},{0}]}}", object("\"twice\"")), 202),
        (json!({"objects": [{"type": "malware", "id": "malware--1", "created": "-99999-01-01"}]}).to_string(), 202),
        (json!({"objects": [{"type": "", "id": "\u{0}"}, {"id": 7}, {}]}).to_string(), 202),
        (json!({"objects": [malware(3, "9999999-01-01T00:00:00Z"), malware(4, "0000-00-00T00:00:00Z")]}).to_string(), 202),
        (json!({"objects": [], "more": "yes", "next": {}}).to_string(), 422),
        ("null".into(), 422),
    ] {
        let start: String = body.chars().take(150).collect();
        let answer = post(&node, "administrator", body).await;
        assert_eq!(answer.status().as_u16(), expect, "{start}");
        let said: Value = answer.json().await.unwrap();
        assert!(said["status"] == "complete" || said["http_status"].is_string(), "{start}: {said}");
    }
    // the bytes that were taken go out as good JSON
    let url = node.url("/taxii2/sereno/collections/inbox/objects/?match[version]=all");
    let page: Value = client("administrator").get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!(page["objects"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_may_not_see_answers_like_what_is_not_there() {
    let node = Setup::new(1, "operator").start().await;
    let granted = client("grant=11111111-1111-4111-8111-111111111111:read");
    let mut bodies = Vec::new();
    for name in ["inbox", cti::INBOX_ID, "nowhere"] {
        let url = node.url(&format!("/taxii2/sereno/collections/{name}/objects/"));
        let answer = granted.get(url).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 404);
        bodies.push(answer.text().await.unwrap());
    }
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
}
