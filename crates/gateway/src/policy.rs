//! The policy of each gateway: set here, kept with its history, sent to the gateway until it holds.

use ports::edge::{AllowEntry, AllowList, FailMode, GatewayPolicy, Mode, ToEdge};
use sqlx::AnyConnection;

use crate::Gateway;
use crate::error::GatewayError;
use crate::store::{self, HistoryRow, ListRow, PolicyRow};

/// Entries of one allow list.
pub(crate) const MAX_ENTRIES: usize = 1_024;
/// Addresses that a policy may protect.
pub(crate) const MAX_PROTECTED: usize = 64;

/// The policy with its allow lists, as the gateway is told.
pub(crate) async fn whole(
    connection: &mut AnyConnection,
    edge: &str,
) -> Result<GatewayPolicy, GatewayError> {
    let row = store::policy(&mut *connection, edge).await?;
    let lists = store::allow_lists(&mut *connection, edge).await?;
    let entries = store::allow_entries(connection, edge).await?;
    let enforced = lists.into_iter().filter(|list| list.state == "frozen").map(|list| AllowList {
        entries: entries
            .iter()
            .filter(|row| row.device == list.device)
            .map(|row| row.entry)
            .collect(),
        device: list.device,
    });
    Ok(GatewayPolicy {
        version: row.version,
        mode: row.mode,
        fail: row.fail,
        allow: enforced.collect(),
        protect: row.protect,
    })
}

/// What of a policy is to be different.
#[derive(Clone, Debug, Default)]
pub(crate) struct Change {
    pub(crate) mode: Option<Mode>,
    pub(crate) fail: Option<FailMode>,
    pub(crate) protect: Option<Vec<std::net::IpAddr>>,
    pub(crate) list: Option<ListChange>,
}

/// What of an allow list is to be different.
#[derive(Clone, Debug)]
pub(crate) struct ListChange {
    pub(crate) list: ListRow,
    pub(crate) add: Vec<store::AllowRow>,
    pub(crate) remove: Vec<AllowEntry>,
    /// Take everything out first.
    pub(crate) anew: bool,
}

impl Change {
    fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.mode.map(|mode| format!("mode {}", mode_name(mode))));
        words.extend(self.fail.map(|fail| format!("fail mode {}", fail_name(fail))));
        words.extend(self.protect.as_ref().map(|all| format!("{} protected addresses", all.len())));
        words.extend(self.list.as_ref().map(|change| {
            let (added, removed) = (change.add.len(), change.remove.len());
            format!(
                "allow list of {}: {}, {added} entries added, {removed} removed",
                change.list.device, change.list.state
            )
        }));
        words.join(", ")
    }
}

/// The mode's name, as it is written.
pub(crate) const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Watch => "watch",
        Mode::DryRun => "dry_run",
        Mode::Enforce => "enforce",
    }
}

/// The fail mode's name, as it is written.
pub(crate) const fn fail_name(fail: FailMode) -> &'static str {
    match fail {
        FailMode::Open => "open",
        FailMode::Closed => "closed",
    }
}

impl Gateway {
    /// Changes the policy of a gateway: one version, one line of history, one message.
    pub(crate) async fn change_policy(
        &self,
        edge: &str,
        change: Change,
        by: &str,
    ) -> Result<PolicyRow, GatewayError> {
        if change.protect.as_ref().is_some_and(|all| all.len() > MAX_PROTECTED) {
            return Err(GatewayError::Invalid(format!(
                "a policy protects at most {MAX_PROTECTED} addresses"
            )));
        }
        let (name, by) = (edge.to_owned(), by.to_owned());
        let done: Result<(PolicyRow, GatewayPolicy), GatewayError> = self
            .platform
            .db
            .write(move |tx| Box::pin(async move { apply(tx, &name, change, by).await }))
            .await;
        let (row, whole) = done?;
        self.registry.send(edge, ToEdge::Policy(whole));
        Ok(row)
    }

    /// What a gateway said of a policy.
    pub(crate) async fn policy_taken(
        &self,
        edge: &str,
        version: u64,
        problem: Option<String>,
    ) -> Result<(), GatewayError> {
        if let Some(problem) = &problem {
            tracing::error!(
                gateway = edge,
                version,
                problem,
                "a policy could not be put into effect"
            );
        }
        let edge = edge.to_owned();
        self.platform
            .db
            .write(move |tx| {
                Box::pin(async move {
                    Ok(store::note_taken(tx.sql(), &edge, version, problem.as_deref()).await?)
                })
            })
            .await
    }
}

async fn apply(
    tx: &mut platform::db::Tx,
    edge: &str,
    change: Change,
    by: String,
) -> Result<(PolicyRow, GatewayPolicy), GatewayError> {
    let now = tx.now();
    if store::find_edge(tx.sql(), edge).await?.is_none() {
        return Err(GatewayError::NotFound(edge.to_owned()));
    }
    let mut row = store::policy(tx.sql(), edge).await?;
    row.version += 1;
    row.problem = None;
    let line = HistoryRow { version: row.version, set_by: by, set_at: now, change: change.words() };
    row.mode = change.mode.unwrap_or(row.mode);
    row.fail = change.fail.unwrap_or(row.fail);
    row.protect = change.protect.unwrap_or(row.protect);
    if let Some(list) = change.list {
        apply_list(tx, edge, list).await?;
    }
    store::set_policy(tx.sql(), edge, &row, &line).await?;
    let whole = whole(tx.sql(), edge).await?;
    Ok((row, whole))
}

async fn apply_list(
    tx: &mut platform::db::Tx,
    edge: &str,
    change: ListChange,
) -> Result<(), GatewayError> {
    let device = &change.list.device;
    if change.anew {
        store::forget_entries(tx.sql(), edge, device, None).await?;
    }
    for entry in &change.remove {
        store::forget_entries(tx.sql(), edge, device, Some(entry)).await?;
    }
    store::set_list(tx.sql(), edge, &change.list).await?;
    for row in &change.add {
        store::put_entry(tx.sql(), edge, row).await?;
    }
    let count = store::entries_of(tx.sql(), edge, device).await?.len();
    if count > MAX_ENTRIES {
        return Err(GatewayError::Invalid(format!(
            "{count} entries: an allow list takes {MAX_ENTRIES}; name networks instead of addresses"
        )));
    }
    Ok(())
}
