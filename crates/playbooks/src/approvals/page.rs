//! The page behind a link: made here, without scripts, without anything from elsewhere.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::question::Question;
use crate::store::letters::Letter;

const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#14171c}\
main{max-width:40rem;margin:2rem auto;padding:1.5rem;background:#fff;border:1px solid #c9ced6;border-radius:.5rem}\
h1{font-size:1.3rem;margin-top:0}dt{font-weight:600;margin-top:.5rem}dd{margin:0}\
label{display:block;margin-top:1rem;font-weight:600}\
textarea{width:100%;box-sizing:border-box;font:inherit;padding:.5rem;border:1px solid #6b7480;border-radius:.3rem}\
button{font:inherit;margin:1rem .5rem 0 0;padding:.6rem 1.2rem;border-radius:.3rem;border:1px solid #14171c;cursor:pointer}\
button[value=yes]{background:#14532d;color:#fff}button[value=no]{background:#fff;color:#14171c}\
:focus-visible{outline:3px solid #1d4ed8;outline-offset:2px}\
@media(prefers-color-scheme:dark){body{background:#14171c;color:#eef0f3}main{background:#1d2229;border-color:#3a424d}\
textarea{background:#14171c;color:inherit}button[value=no]{background:#1d2229;color:#eef0f3;border-color:#eef0f3}}";

/// Text as it stands in a page.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Marks that turn the direction of a line could make it read differently.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// One plain sentence.
pub(crate) fn sentence(status: StatusCode, text: &str) -> Response {
    whole(status, &format!("<h1>{}</h1>", escape(text)))
}

/// The question with its form.
pub(crate) fn asking(node: &str, letter: &Letter, it: &Question) -> Response {
    let mut rows = vec![("Asked by", node.to_owned()), ("You are", letter.name.clone())];
    if !letter.giver_name.is_empty() {
        rows.push(("You answer in place of", letter.giver_name.clone()));
    }
    rows.push(("Why", it.why.join("\n")));
    if let Some(report) = &it.report {
        let incident = &report.incident;
        rows.push(("Incident", format!("{} ({})", incident.title, incident.severity.word())));
    }
    if it.persons > 1 {
        let said: Vec<String> = it.voices.iter().map(|voice| voice.words()).collect();
        let so_far = if said.is_empty() { "nobody".to_owned() } else { said.join(", ") };
        rows.push(("Persons who have to say yes", format!("{}; so far: {so_far}", it.persons)));
    }
    rows.push(("It waits until", it.expires_at.to_string()));
    let rows: String = rows
        .iter()
        .map(|(name, value)| {
            let value = escape(value).replace('\n', "<br>");
            format!("<dt>{name}</dt><dd>{value}</dd>")
        })
        .collect();
    let values: String = it
        .values
        .iter()
        .map(|name| {
            let name = escape(name);
            format!("<label>{name}<textarea name=\"value.{name}\" rows=\"1\"></textarea></label>")
        })
        .collect();
    let most = crate::automation::proposals::MAX_COMMENT_CHARS;
    let (yes, no) = match it.kind {
        super::Kind::Proposal => ("Yes, start it", "No, do not start it"),
        _ => ("Done, go on", "Decline"),
    };
    whole(
        StatusCode::OK,
        &format!(
            "<h1>{}</h1><dl>{rows}</dl><form method=\"post\">{values}<label>Comment<textarea name=\"comment\" \
             rows=\"3\" maxlength=\"{most}\"></textarea></label><button name=\"answer\" \
             value=\"yes\">{yes}</button><button name=\"answer\" value=\"no\">{no}</button></form>",
            escape(&it.title)
        ),
    )
}

fn whole(status: StatusCode, inner: &str) -> Response {
    let body = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>Sereno asks</title>\
         <style>{STYLE}</style></head><body><main>{inner}</main></body></html>"
    );
    let style = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_text() {
        let text = escape("<script>\"a\" & 'b'\u{202e}</script>");
        assert_eq!(text, "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}&lt;/script&gt;");
    }
}
