//! How feeds and pushes are, for the doctor, who tells everybody that may ask how the node is.

use platform::health::{Component, Health};
use stix::Tlp;

use crate::error::FeedError;
use crate::room::Feedhub;
use crate::store::{self, pushes};

/// Something that fails: its name, its label, why.
struct Failing {
    name: String,
    tlp: Tlp,
    error: String,
}

impl Feedhub {
    /// What works and what does not.
    pub async fn health(&self) -> Vec<Component> {
        match self.counted().await {
            Ok((feeds, pushes)) => {
                let mut told = vec![component("feeds", feeds)];
                if pushes.0 > 0 {
                    told.push(component("pushes", pushes));
                }
                told
            }
            Err(error) => {
                let remedy = "See the node's log; check the disk of the data folder.";
                vec![Component::not_ok("feeds", Health::Failed, error.to_string(), remedy)]
            }
        }
    }

    async fn counted(&self) -> Result<(Counted, Counted), FeedError> {
        let mut sql = self.platform().db.read().await?;
        let feeds = store::all(&mut sql).await?;
        let pushes = pushes::all(&mut sql).await?;
        let count = (feeds.len(), pushes.len());
        let failing = |name, tlp, error: Option<String>, paused: bool| {
            Some(Failing { name, tlp, error: error.filter(|_| !paused)? })
        };
        let feeds = feeds
            .into_iter()
            .filter_map(|feed| failing(feed.new.name, feed.new.tlp, feed.last_error, feed.paused));
        let pushes = pushes.into_iter().filter_map(|push| {
            failing(push.new.name, push.new.highest, push.last_error, push.paused)
        });
        Ok(((count.0, feeds.collect()), (count.1, pushes.collect())))
    }
}

/// How many there are, and those that fail.
type Counted = (usize, Vec<Failing>);

fn component(what: &'static str, (count, failing): Counted) -> Component {
    let Some(first) = failing.first() else {
        return Component::ok(what, format!("{count} {what}"));
    };
    let told = match first.tlp {
        Tlp::Clear | Tlp::Green => format!("{}: {}", first.name, first.error),
        hidden => format!("one of them under {}", hidden.label()),
    };
    let text = format!("{} of {count} {what} fail, {told}", failing.len());
    let remedy = "Mend the address or the secret, or pause it.";
    Component::not_ok(what, Health::Degraded, text, remedy)
}
