//! Objects of a TAXII server from the first request to kept durably: objects a CPU second of this process, which serves
//! them too, and a second.
#![allow(clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, missing_docs)]

use std::fmt::Write;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::Query;
use axum::http::header;
use axum::routing::get;
use feedhub::{Config, Feedhub, Format, NewFeed, Taxii};

const OBJECTS: usize = 50_000;
const MEDIA: &str = "application/taxii+json;version=2.1";
const COLLECTION: &str = "91a7b528-80eb-42ed-a74d-c6fbd5a26116";

fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// Pages as texts, so that serving costs next to nothing.
fn pages(size: usize) -> Vec<String> {
    let page = |from: usize| {
        let to = (from + size).min(OBJECTS);
        let mut text = String::from("{\"objects\":[");
        for n in from..to {
            let comma = if n == from { "" } else { "," };
            let _ = write!(
                text,
                "{comma}{{\"type\":\"indicator\",\"spec_version\":\"2.1\",\"id\":\"indicator--{n:08x}-0000-4000-8000-000000000000\",\
                 \"created\":\"2026-01-01T00:00:00.000Z\",\"modified\":\"2026-01-01T00:00:00.000Z\",\"pattern_type\":\"stix\",\
                 \"indicator_types\":[\"malicious-activity\"],\"name\":\"Host {n} of a command and control network\",\
                 \"pattern\":\"[domain-name:value = 'n{n}.example.net']\",\"valid_from\":\"2026-01-01T00:00:00Z\"}}"
            );
        }
        let _ = write!(text, "],\"more\":{},\"next\":\"{to}\"}}", to < OBJECTS);
        text
    };
    (0..OBJECTS).step_by(size).map(page).collect()
}

#[tokio::main]
async fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let size = 1_000;
    let pages = Arc::new(pages(size));
    let described = format!(
        "{{\"id\":\"{COLLECTION}\",\"title\":\"t\",\"can_read\":true,\"can_write\":false}}"
    );
    let objects = move |Query(query): Query<Vec<(String, String)>>| {
        let next =
            query.iter().find(|(name, _)| name == "next").map_or(0, |(_, at)| at.parse().unwrap());
        let page = pages[next / size].clone();
        async move {
            (
                [
                    (header::CONTENT_TYPE, MEDIA),
                    (
                        header::HeaderName::from_static("x-taxii-date-added-last"),
                        "2026-02-01T00:00:00Z",
                    ),
                ],
                page,
            )
        }
    };
    let path = format!("/c/{COLLECTION}/");
    let router = axum::Router::new()
        .route(&path, get(move || async move { ([(header::CONTENT_TYPE, MEDIA)], described) }))
        .route(&format!("{path}objects/"), get(objects));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{path}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let folder = tempfile::tempdir().unwrap();
    let rooms = [intel::MIGRATIONS, feedhub::MIGRATIONS];
    let platform = platform::testing::platform(folder.path(), &rooms).await.unwrap();
    let room =
        Feedhub::open(&platform, Config { allow_private: true, ..Config::default() }).unwrap();
    let new = NewFeed {
        name: "bench".into(),
        url: Some(url),
        format: Format::Taxii(Taxii::default()),
        auth: feedhub::Auth::None,
        every_minutes: 60,
        tlp: stix::Tlp::Green,
        licence: String::new(),
        whole: true,
    };
    let feed = room.add(new, None).await.unwrap();
    let (start, cpu) = (Instant::now(), cpu_s());
    let counts = room.fetch(&feed).await.unwrap().unwrap();
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_s() - cpu);
    let read = counts.records as f64;
    println!(
        "{} objects pulled ({} new, {} refused): {:.0} a second, {:.0} a CPU second",
        counts.records,
        counts.new,
        counts.rejected,
        read / wall,
        read / cpu
    );
}
