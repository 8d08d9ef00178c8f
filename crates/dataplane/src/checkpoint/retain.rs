//! Which checkpoints go when there are too many: those whose neighbours, for their age, lie nearest. What is kept then
//! thins out with age, as an infection that is found late needs an old checkpoint, but seldom an exact one.

use model::Timestamp;

/// The newest so many always stay.
const NEWEST: usize = 4;

/// Indices to forget out of times in ascending order, so that `keep` remain. The oldest always stays.
pub(crate) fn surplus(times: &[Timestamp], keep: usize, now: Timestamp) -> Vec<usize> {
    let mut left: Vec<usize> = (0..times.len()).collect();
    let mut gone = Vec::new();
    while left.len() > keep.max(NEWEST + 2) {
        let weight = |at: usize| {
            let between = times[left[at + 1]].micros_since(times[left[at - 1]]).max(0) as f64;
            between / now.micros_since(times[left[at]]).max(1) as f64
        };
        let candidates = 1..left.len() - NEWEST;
        let Some(at) = candidates.min_by(|a, b| weight(*a).total_cmp(&weight(*b))) else { break };
        gone.push(left.remove(at));
    }
    gone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_thins_out_with_age() {
        let mut times: Vec<Timestamp> = Vec::new();
        for minute in 0..2_000 {
            times.push(Timestamp::from_secs(minute * 60));
            let now = Timestamp::from_secs(minute * 60);
            let mut gone = surplus(&times, 24, now);
            gone.sort_unstable();
            for at in gone.into_iter().rev() {
                times.remove(at);
            }
        }
        assert_eq!(times.len(), 24);
        assert_eq!(times[0], Timestamp::from_secs(0), "the oldest stays");
        let ages: Vec<i64> = times
            .iter()
            .map(|at| Timestamp::from_secs(1_999 * 60).micros_since(*at) / 60_000_000)
            .collect();
        assert_eq!(ages[20..], [3, 2, 1, 0], "the newest stay");
        // Looking back any number of minutes, one is found that is not much older than twice that.
        for back in [5, 20, 100, 400, 900] {
            let found = ages.iter().rev().find(|age| **age >= back).unwrap();
            assert!(*found <= back * 5 / 2, "{back} minutes back: {found}, of {ages:?}");
        }
    }
}
