//! Keeps the judging of packets in time while a flood goes on.
//!
//! [`Forwarder`] is the quasi-deterministic transmission policy (Gelenbe and others; as the "smart
//! quasi-deterministic forwarder" in arXiv 2501.10224): the n-th packet, which came at `a_n`, is handed on at
//! `t_n = max(t_(n-1) + D, a_n)`. With `D` above the longest time that judging a packet takes, the judge's own
//! queue never holds more than the packet it works on, however many come. What waits, waits in a FIFO with a
//! bound; what finds it full is shed and counted.
//!
//! [`Mitigation`] decides what is worth handing on once a flood was seen: windows of `W` packets are judged,
//! and while they are of the flood, batches of `m` packets are dropped unseen between them.

use std::collections::VecDeque;

/// A FIFO that hands on one item every `spacing`; times in nanoseconds of one clock.
#[derive(Debug)]
pub struct Forwarder<T> {
    waiting: VecDeque<T>,
    limit: usize,
    spacing_ns: u64,
    next_ns: u64,
    shed: u64,
}

impl<T> Forwarder<T> {
    /// Holds at most `limit` items and hands on one every `spacing_ns`.
    #[must_use]
    pub fn new(limit: usize, spacing_ns: u64) -> Self {
        Self { waiting: VecDeque::new(), limit: limit.max(1), spacing_ns, next_ns: 0, shed: 0 }
    }

    /// Takes an item; gives it back when the FIFO is full: it is shed.
    ///
    /// # Errors
    /// The item that found no room.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        if self.waiting.len() >= self.limit {
            self.shed += 1;
            return Err(item);
        }
        self.waiting.push_back(item);
        Ok(())
    }

    /// The next item, if its time has come.
    pub fn release(&mut self, now_ns: u64) -> Option<T> {
        if now_ns < self.next_ns {
            return None;
        }
        let item = self.waiting.pop_front()?;
        self.next_ns = now_ns.saturating_add(self.spacing_ns);
        Some(item)
    }

    /// Whether an item that comes now may be handed on at once: none waits and its time has come. It then counts as
    /// handed on.
    pub fn at_once(&mut self, now_ns: u64) -> bool {
        let now = self.waiting.is_empty() && now_ns >= self.next_ns;
        if now {
            self.next_ns = now_ns.saturating_add(self.spacing_ns);
        }
        now
    }

    /// From now on other bounds; what waits beyond the new limit still is handed on.
    pub fn adjust(&mut self, limit: usize, spacing_ns: u64) {
        self.limit = limit.max(1);
        self.spacing_ns = spacing_ns;
    }

    /// Items that may wait.
    #[must_use]
    pub const fn limit(&self) -> usize {
        self.limit
    }

    /// When the next item is due; `None` when none waits.
    #[must_use]
    pub fn due_ns(&self) -> Option<u64> {
        (!self.waiting.is_empty()).then_some(self.next_ns)
    }

    /// Items waiting.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Items that found no room.
    #[must_use]
    pub const fn shed(&self) -> u64 {
        self.shed
    }

    /// Longest time an item can wait, nanoseconds: the whole FIFO before it.
    #[must_use]
    pub fn longest_wait_ns(&self) -> u64 {
        self.spacing_ns.saturating_mul(self.limit as u64)
    }
}

/// What mitigation weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Packets judged together.
    pub window: u64,
    /// Packets of a flood, as far as one knows.
    pub flood_packets: f64,
    /// Cost of judging a packet.
    pub judging: f64,
    /// Cost of losing a packet that was not of the flood.
    pub loss: f64,
}

impl Costs {
    /// The batch that costs least, `m* = sqrt(2 (judging/loss) W (E[X] - W)) - W`; see docs/gateway.md for
    /// where that comes from.
    #[must_use]
    pub fn best_batch(&self) -> u64 {
        let window = self.window as f64;
        let rest = (self.flood_packets - window).max(0.0);
        if self.loss <= 0.0 || !self.loss.is_finite() || !self.judging.is_finite() {
            return 0;
        }
        let best = (2.0 * (self.judging / self.loss).max(0.0) * window * rest).sqrt() - window;
        best.max(0.0).round() as u64
    }

    /// What a batch of `m` packets costs over one flood: the windows judged during it, and the half batch and
    /// window that on average reaches beyond its end.
    #[must_use]
    pub fn of_batch(&self, batch: u64) -> f64 {
        let window = self.window as f64;
        let cycle = window + batch as f64;
        let rest = (self.flood_packets - window).max(0.0);
        self.judging * window * (1.0 + rest / cycle) + self.loss * cycle / 2.0
    }
}

/// What is to be done with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Hand it on: it is judged.
    Judge,
    /// Drop it unseen.
    Drop,
}

/// Between two judged windows of a flood a batch is dropped.
#[derive(Clone, Debug)]
pub struct Mitigation {
    window: u64,
    batch: u64,
    judging_left: u64,
    dropping_left: u64,
    flood: bool,
}

impl Mitigation {
    /// With the batch that costs least.
    #[must_use]
    pub fn new(costs: &Costs) -> Self {
        let window = costs.window.max(1);
        let batch = costs.best_batch();
        Self { window, batch, judging_left: window, dropping_left: 0, flood: false }
    }

    /// A packet has come.
    pub fn came(&mut self) -> Next {
        if self.dropping_left > 0 {
            self.dropping_left -= 1;
            return Next::Drop;
        }
        if self.judging_left == 0 {
            self.judging_left = self.window;
            if self.flood {
                self.dropping_left = self.batch.saturating_sub(1);
                if self.batch > 0 {
                    return Next::Drop;
                }
            }
        }
        self.judging_left -= 1;
        Next::Judge
    }

    /// Weighs anew; holds from the next batch on.
    pub fn weigh(&mut self, costs: &Costs) {
        self.batch = costs.best_batch();
    }

    /// Packets dropped between two windows of a flood.
    #[must_use]
    pub const fn batch(&self) -> u64 {
        self.batch
    }

    /// Whether the next packet begins a new window: the one before was judged.
    #[must_use]
    pub const fn window_ends(&self) -> bool {
        self.judging_left == 0 && self.dropping_left == 0
    }

    /// A window was judged.
    pub fn judged(&mut self, flood: bool) {
        self.flood = flood;
        if !flood {
            self.dropping_left = 0;
        }
    }
}

#[cfg(test)]
#[path = "shaping_tests.rs"]
mod tests;
