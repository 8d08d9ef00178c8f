//! Actuator `console`, and the room's [`ports::Notifier`]: notices people see on the page.

use async_trait::async_trait;
use model::{Outcome, RunId};
use platform::Platform;
use ports::{Actuator, ActuatorCommand, Notice, Notifier, PortError};
use serde_json::Value;

use crate::PlaybooksError;
use crate::store::{notices, runs};

/// Longest title of a notice, in characters.
pub const MAX_TITLE_CHARS: usize = 300;
/// Longest body of a notice, in characters.
pub const MAX_BODY_CHARS: usize = 8_000;

/// Keeps notices and pushes them to open pages.
#[derive(Clone)]
pub struct Console(pub Platform);

impl Console {
    /// Keeps a notice once per key; one of a run about an incident of others has that one's label.
    async fn tell(&self, key: &str, notice: &Notice, run: Option<RunId>) -> Result<(), PortError> {
        let kept = Notice {
            title: notice.title.chars().take(MAX_TITLE_CHARS).collect(),
            body: notice.body.chars().take(MAX_BODY_CHARS).collect(),
            // Only links into the console: a notice never sends people elsewhere.
            link: notice
                .link
                .clone()
                .filter(|link| link.starts_with('/') && !link.starts_with("//")),
        };
        let (key, shown) = (key.to_owned(), kept.clone());
        let new: Result<Option<Value>, PlaybooksError> = self
            .0
            .db
            .write(move |tx| {
                Box::pin(async move {
                    let tlp = match run {
                        Some(run) => runs::one(tx.sql(), run).await?.and_then(|run| run.tlp),
                        None => None,
                    };
                    let now = tx.now();
                    let new = notices::put(tx.sql(), &key, &kept, tlp, now).await?;
                    Ok(new.then(|| notices::news(&shown, tlp)))
                })
            })
            .await;
        if let Some(news) = new? {
            self.0.live.send("notice", news);
        }
        Ok(())
    }
}

#[async_trait]
impl Notifier for Console {
    async fn notify(&self, key: &str, notice: &Notice) -> Result<(), PortError> {
        self.tell(key, notice, None).await
    }
}

#[async_trait]
impl Actuator for Console {
    fn name(&self) -> &'static str {
        "console"
    }

    fn verbs(&self) -> &'static [(&'static str, &'static str)] {
        &[("notify", "shows a notice on the console (title, body, link)")]
    }

    async fn perform(&self, command: &ActuatorCommand) -> Result<Outcome, PortError> {
        if command.verb != "notify" {
            return Err(super::unknown_verb(self, &command.verb));
        }
        let text = |name: &str| {
            let text = command.arguments.get(name).and_then(Value::as_str);
            text.map(str::trim).unwrap_or_default().to_owned()
        };
        let title = text("title");
        if title.is_empty() {
            return Err(PortError::Invalid("a notice needs a 'title'".into()));
        }
        let link = Some(text("link")).filter(|link| !link.is_empty());
        let notice = Notice { title: title.clone(), body: text("body"), link };
        self.tell(&command.key, &notice, Some(command.run)).await?;
        Ok(Outcome::Done { summary: format!("shown: {title}"), data: Value::Null })
    }
}
