//! Thresholds from training errors for a stated budget of false alarms.

/// Share of benign windows that may alert, over all metrics of a device together.
pub const DEFAULT_ALPHA: f64 = 0.005;
/// Smallest threshold of an error in scaled units: closer than this is no difference.
pub const ERROR_FLOOR: f64 = 0.05;
/// Time blocks of the cross-validation.
pub const BLOCKS: usize = 5;

/// The block of window `place` among `total` windows: contiguous, of equal size within one.
#[must_use]
pub fn block_of(place: usize, total: usize) -> usize {
    let blocks = BLOCKS.min(total.max(1));
    place.saturating_mul(blocks).checked_div(total).unwrap_or(0).min(blocks - 1)
}

/// Quantile with linear interpolation between the order statistics; reorders `values`.
/// 0 for no values.
#[must_use]
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let rank = share.clamp(0.0, 1.0) * last as f64;
    let part = rank - rank.floor();
    // A training takes thousands of quantiles: selecting costs a tenth of sorting.
    let (_, below, above) = values.select_nth_unstable_by(rank.floor() as usize, f64::total_cmp);
    let below = *below;
    let above = above.iter().copied().min_by(f64::total_cmp).unwrap_or(below);
    below * (1.0 - part) + above * part
}

/// Threshold of one error that may pass it in a share `alpha_each` of benign windows.
///
/// Where so few windows cannot show that share, the largest error is widened by `1 + 1/√N`
/// instead: the rate is then not known, only hoped for. Reorders `errors`.
#[must_use]
pub fn limit(errors: &mut [f64], alpha_each: f64) -> f64 {
    let count = errors.len() as f64;
    let limit = if count * alpha_each >= 1.0 {
        quantile(errors, 1.0 - alpha_each)
    } else {
        let largest = errors.iter().copied().fold(0.0, f64::max);
        largest * (1.0 + 1.0 / count.max(1.0).sqrt())
    };
    limit.max(ERROR_FLOOR)
}

/// Largest errors the tail of an error is read from.
const TAIL: usize = 8;
/// The tail widens the largest error by `1 + this/√N` at most.
const WIDEST: f64 = 3.0;
/// Added to [`ERROR_FLOOR`], over `√N`: few windows cannot show small differences.
const FEW_WINDOWS_FLOOR: f64 = 0.5;

/// What is known of the rareness of a metric's events beside the errors themselves.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rarity {
    /// Step by which the next event would raise the error beyond the largest, times the share of it
    /// that one factor `e` of rareness is worth: an event that few windows never saw is no alarm yet,
    /// one that ten thousand windows never saw is.
    pub grain: f64,
    /// A threshold never gone below.
    pub floor: f64,
    /// Windows that the idle time of the training is worth: nothing happened in them either.
    pub idle_windows: f64,
}

/// Threshold of one error for a budget that lies beyond what the windows can show: the tail of the
/// errors is continued as an exponential one (its mean excess over the largest eight), never below
/// the largest error seen, widened by `1 + 1/√N`, and never beyond [`WIDEST`]. A long training may
/// leave out as many of its largest errors as half the budget allows. Reorders `errors`.
#[must_use]
pub fn tail_limit(errors: &mut [f64], alpha_each: f64, rarity: &Rarity) -> f64 {
    let Some(last) = errors.len().checked_sub(1) else { return rarity.floor.max(ERROR_FLOOR) };
    let count = errors.len() as f64;
    let tail = TAIL.min(last).max(1);
    let left_out = (count * alpha_each / 2.0) as usize;
    let descending = |a: &f64, b: &f64| b.total_cmp(a);
    let top = (tail.max(left_out) + 1).min(errors.len());
    errors.select_nth_unstable_by(top - 1, descending);
    let top = &mut errors[..top];
    top.sort_unstable_by(descending);
    let largest = top[left_out.min(last)];
    let base = top[tail.min(last)];
    let excess = top[..tail].iter().map(|error| error - base).sum::<f64>() / tail as f64;
    // How many factors e the budget lies beyond so many windows.
    let rareness = |windows: f64| (tail as f64 / (alpha_each * windows)).ln().max(0.0);
    let root = count.sqrt();
    let tail = (base + excess * rareness(count)).min(largest * (1.0 + WIDEST / root));
    (largest * (1.0 + 1.0 / root))
        .max(tail)
        .max(largest + rarity.grain * rareness(count + rarity.idle_windows))
        .max(ERROR_FLOOR + FEW_WINDOWS_FLOOR / root)
        .max(rarity.floor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_interpolate() {
        let mut values = [4.0, 1.0, 3.0, 2.0];
        assert_eq!(quantile(&mut values, 0.5), 2.5);
        assert_eq!(quantile(&mut values, 1.0), 4.0);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }

    #[test]
    fn few_windows_widen_the_largest_error() {
        assert_eq!(limit(&mut [1.0; 4], 0.005), 1.5);
        assert_eq!(limit(&mut [0.0; 4], 0.005), ERROR_FLOOR);
    }

    #[test]
    fn an_event_never_seen_alarms_only_after_many_windows() {
        let limit = |windows, idle_windows| {
            let rarity = Rarity { grain: 0.17, floor: 0.0, idle_windows };
            tail_limit(&mut vec![0.0; windows], 2e-4, &rarity)
        };
        assert!(limit(12_000, 0.0) < 1.0 && limit(2_000, 0.0) < 1.0 && limit(120, 0.0) < 1.0);
        assert!(limit(50, 0.0) > 1.0);
        assert!(limit(4, 0.0) > limit(50, 0.0));
        assert!(limit(50, 96.0) < 1.0, "four quiet days say something too");
        assert_eq!(tail_limit(&mut [], 1.5e-4, &Rarity::default()), ERROR_FLOOR);
        assert!(tail_limit(&mut [1.0], 1.5e-4, &Rarity::default()) >= 2.0);
    }

    proptest! {
        #[test]
        fn a_short_training_raises_no_alarm_of_its_own(mut errors in proptest::collection::vec(0.0..9.0_f64, 1..900), grain in 0.0..1.0_f64, floor in 0.0..3.0_f64, idle_windows in 0.0..1e4_f64) {
            let largest = errors.iter().copied().fold(0.0, f64::max);
            let limit = tail_limit(&mut errors, 1.5e-4, &Rarity { grain, floor, idle_windows });
            prop_assert!(limit >= largest && limit >= floor);
            prop_assert!(limit.is_finite());
        }

        #[test]
        fn quantiles_agree_with_the_sorted_order(mut values in proptest::collection::vec(-9.0..9.0_f64, 1..80), share in 0.0..1.0_f64) {
            let mut sorted = values.clone();
            sorted.sort_unstable_by(f64::total_cmp);
            let rank = share * (sorted.len() - 1) as f64;
            let (below, part) = (rank as usize, rank.fract());
            let above = (below + 1).min(sorted.len() - 1);
            let expected = sorted[below] * (1.0 - part) + sorted[above] * part;
            prop_assert!((quantile(&mut values, share) - expected).abs() < 1e-12);
        }

        #[test]
        fn many_windows_keep_the_budget(mut errors in proptest::collection::vec(0.1..9.0_f64, 400..800)) {
            let alpha = 0.01;
            let limit = limit(&mut errors, alpha);
            let above = errors.iter().filter(|error| **error > limit).count();
            prop_assert!(above as f64 <= alpha * errors.len() as f64 + 1.0);
        }

        #[test]
        fn blocks_are_contiguous_and_even(total in 1_usize..500) {
            let blocks: Vec<usize> = (0..total).map(|place| block_of(place, total)).collect();
            prop_assert!(blocks.windows(2).all(|pair| pair[0] == pair[1] || pair[0] + 1 == pair[1]));
            prop_assert_eq!(blocks[0], 0);
            prop_assert_eq!(blocks[total - 1], BLOCKS.min(total) - 1);
        }
    }
}
