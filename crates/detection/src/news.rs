//! Fleeting news for open pages, coalesced: a replay makes hundreds of windows a second, an eye
//! takes five.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use analytics::metrics::Metric;
use analytics::model::Judgement;
use analytics::record::WindowRecord;
use model::{DeviceId, WatchState};
use platform::live::Live;
use serde_json::json;

use crate::state::moment;

/// A change of progress smaller than this is no news.
const PROGRESS_STEP: f64 = 0.01;

/// One scored window, or the strongest of several.
#[derive(Clone, Debug)]
pub(crate) struct WindowNews {
    device: DeviceId,
    end_us: i64,
    /// Nothing while the device learns.
    pub(crate) score: Option<f64>,
    pub(crate) alert: bool,
    /// Packets out, in; bytes out, in.
    traffic: [u64; 4],
    windows: u64,
}

impl WindowNews {
    /// A window that was judged, or learned from.
    pub(crate) fn new(
        device: DeviceId,
        record: &WindowRecord,
        judgement: Option<&Judgement>,
    ) -> Self {
        Self {
            device,
            end_us: record.end_us,
            score: judgement.map(|judgement| judgement.score),
            alert: judgement.is_some_and(Judgement::alert),
            traffic: [Metric::PacketsOut, Metric::PacketsIn, Metric::BytesOut, Metric::BytesIn]
                .map(|metric| record.count(metric)),
            windows: 1,
        }
    }

    /// The later window's time, the larger of every figure.
    fn join(&mut self, later: &Self) {
        self.end_us = later.end_us;
        self.score = match (self.score, later.score) {
            (Some(mine), Some(theirs)) => Some(mine.max(theirs)),
            (mine, theirs) => mine.or(theirs),
        };
        self.alert |= later.alert;
        self.windows += later.windows;
        for (mine, theirs) in self.traffic.iter_mut().zip(later.traffic) {
            *mine = (*mine).max(theirs);
        }
    }
}

#[derive(Default)]
struct Board {
    windows: BTreeMap<DeviceId, WindowNews>,
    states: BTreeMap<DeviceId, (WatchState, bool)>,
    beyond_limit: u64,
}

/// What pages will be told at the next beat.
#[derive(Default)]
pub(crate) struct Newsboard(Mutex<Board>);

impl Newsboard {
    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes scored windows.
    pub(crate) fn windows(&self, news: Vec<WindowNews>) {
        let mut board = self.board();
        for one in news {
            match board.windows.get_mut(&one.device) {
                Some(known) => known.join(&one),
                None => {
                    board.windows.insert(one.device, one);
                }
            }
        }
    }

    /// Notes how far a device is.
    pub(crate) fn state(&self, device: DeviceId, state: WatchState) {
        let mut board = self.board();
        let old = board.states.get(&device);
        let changed = old.is_none_or(|(old, told)| !told || differs(old, &state));
        if changed {
            board.states.insert(device, (state, false));
        }
    }

    /// Counts windows of devices beyond the limit.
    pub(crate) fn beyond_limit(&self, windows: u64) {
        self.board().beyond_limit += windows;
    }

    /// Windows of devices beyond the limit since the start.
    pub(crate) fn windows_beyond_limit(&self) -> u64 {
        self.board().beyond_limit
    }

    /// Tells everything that is new.
    pub(crate) fn tell(&self, live: &Live) {
        let mut board = self.board();
        for (device, news) in std::mem::take(&mut board.windows) {
            let [packets_out, packets_in, bytes_out, bytes_in] = news.traffic;
            live.send(
                "windows",
                json!({
                    "device": device, "at": moment(news.end_us), "score": news.score,
                    "alert": news.alert, "windows": news.windows, "packets_out": packets_out,
                    "packets_in": packets_in, "bytes_out": bytes_out, "bytes_in": bytes_in,
                }),
            );
        }
        for (device, (state, told)) in &mut board.states {
            if !*told {
                live.send("training", json!({ "device": device, "state": state }));
                *told = true;
            }
        }
    }
}

/// True when people would see a difference.
fn differs(old: &WatchState, new: &WatchState) -> bool {
    match (old, new) {
        (WatchState::Learning { progress: a }, WatchState::Learning { progress: b })
        | (WatchState::Training { progress: a }, WatchState::Training { progress: b }) => {
            (a - b).abs() >= PROGRESS_STEP
        }
        (old, new) => old != new,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use model::Timestamp;
    use model::id::TypedId;

    use super::*;

    #[tokio::test]
    async fn many_windows_are_one_line_that_keeps_the_largest() {
        let (board, live) = (Newsboard::default(), Live::default());
        let mut page = live.listen();
        let device = DeviceId::mint(Timestamp::from_secs(1), [1; 10]);
        let window = |end_us, score, packets| WindowNews {
            device,
            end_us,
            score: Some(score),
            alert: score > 1.0,
            traffic: [packets, 0, 0, 0],
            windows: 1,
        };
        board.windows(vec![window(10, 0.5, 9), window(20, 3.0, 1), window(30, 0.1, 2)]);
        board.state(device, WatchState::Learning { progress: 0.5 });
        board.state(device, WatchState::Watching);
        board.tell(&live);
        board.state(device, WatchState::Watching);
        board.tell(&live);
        let line = page.recv().await.unwrap();
        assert_eq!(line["topic"], "windows");
        assert_eq!((line["score"].as_f64(), &line["alert"]), (Some(3.0), &json!(true)));
        assert_eq!((line["windows"].as_u64(), line["packets_out"].as_u64()), (Some(3), Some(9)));
        let line = page.recv().await.unwrap();
        assert_eq!(
            (&line["topic"], &line["state"]["state"]),
            (&json!("training"), &json!("watching"))
        );
        assert!(page.try_recv().is_err(), "nothing is told twice");
    }
}
