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

/// Quantile with linear interpolation between the order statistics; sorts `values`.
/// 0 for no values.
#[must_use]
pub fn quantile(values: &mut [f64], share: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return 0.0 };
    let rank = share.clamp(0.0, 1.0) * last as f64;
    let below = rank.floor() as usize;
    let above = (below + 1).min(last);
    let part = rank - below as f64;
    values[below].mul_add(1.0 - part, values[above] * part)
}

/// Threshold of one error that may pass it in a share `alpha_each` of benign windows.
///
/// Where so few windows cannot show that share, the largest error is widened by `1 + 1/√N`
/// instead: the rate is then not known, only hoped for. Sorts `errors`.
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

    proptest! {
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
