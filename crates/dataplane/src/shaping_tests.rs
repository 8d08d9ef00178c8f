#![allow(clippy::unwrap_used, clippy::print_stderr)]
use proptest::prelude::*;

use super::*;

#[test]
fn packets_are_handed_on_no_faster_than_asked_and_in_order() {
    let mut forwarder = Forwarder::new(3, 10);
    for number in 0..5 {
        let _ = forwarder.push(number);
    }
    assert_eq!((forwarder.waiting(), forwarder.shed()), (3, 2));
    assert_eq!(forwarder.release(0), Some(0));
    assert_eq!((forwarder.release(9), forwarder.due_ns()), (None, Some(10)));
    assert_eq!((forwarder.release(10), forwarder.release(25)), (Some(1), Some(2)));
    // After a pause the next one need not wait longer.
    assert!(forwarder.push(9).is_ok());
    assert_eq!(
        (forwarder.release(34), forwarder.release(100), forwarder.due_ns()),
        (None, Some(9), None)
    );
}

proptest! {
    #[test]
    fn the_best_batch_costs_no_more_than_its_neighbours(
        window in 1u64..1_000, flood in 1.0f64..1e7, judging in 0.01f64..100.0, loss in 0.01f64..100.0, other in 0u64..100_000,
    ) {
        let costs = Costs { window, flood_packets: flood, judging, loss };
        let best = costs.best_batch();
        // Rounded to whole packets: as good as any other, but for that.
        prop_assert!(costs.of_batch(best) <= costs.of_batch(other) + loss);
    }
}

#[test]
fn while_windows_are_of_a_flood_batches_between_them_are_dropped() {
    let mut mitigation =
        Mitigation::new(&Costs { window: 10, flood_packets: 4_510.0, judging: 1.0, loss: 1.0 });
    let judge = |mitigation: &mut Mitigation, count: usize| {
        (0..count).filter(|_| mitigation.came() == Next::Judge).count()
    };
    assert_eq!(judge(&mut mitigation, 100), 100, "without a flood nothing is dropped");
    mitigation.judged(true);
    // m* = sqrt(2 * 10 * 4500) - 10 = 290: of 300 packets ten are judged.
    assert_eq!(judge(&mut mitigation, 3_000), 100);
    mitigation.judged(false);
    assert_eq!(judge(&mut mitigation, 500), 500);
}

/// Microseconds that judging a packet takes, and a window of detection.
const JUDGING_US: u64 = 100;
const WINDOW_US: u64 = 1_000_000;
/// A flood of ten times what can be judged, for so many windows.
const BETWEEN_US: u64 = JUDGING_US / 10;
const FLOOD_WINDOWS: u64 = 20;

/// Windows after its end until the last flood window is judged, and packets judged: a judge that takes what
/// comes, with any number of packets before it.
fn without_shaping() -> f64 {
    let packets = FLOOD_WINDOWS * WINDOW_US / BETWEEN_US;
    let done_us = packets * JUDGING_US;
    (done_us - FLOOD_WINDOWS * WINDOW_US) as f64 / WINDOW_US as f64
}

/// The same with the forwarder before it: the longest any window waits.
fn with_shaping(limit: usize) -> (f64, u64) {
    let mut forwarder: Forwarder<u64> = Forwarder::new(limit, (JUDGING_US + 1) * 1_000);
    let (mut longest_us, mut free_at_us, mut judged) = (0, 0, 0);
    for now_us in (0..FLOOD_WINDOWS * WINDOW_US).step_by(BETWEEN_US as usize) {
        let _ = forwarder.push(now_us);
        if let Some(came_us) = forwarder.release(now_us * 1_000) {
            assert!(free_at_us <= now_us, "the judge itself never has a queue");
            free_at_us = now_us + JUDGING_US;
            judged += 1;
            longest_us = longest_us.max(free_at_us - came_us);
        }
    }
    (longest_us as f64 / WINDOW_US as f64, judged)
}

#[test]
fn under_ten_times_what_can_be_judged_detection_stays_within_two_windows() {
    let (longest, judged) = with_shaping(10_000);
    let without = without_shaping();
    eprintln!(
        "figure: flood of 10x capacity over {FLOOD_WINDOWS} windows: detection {longest:.2} windows late with shaping, {without:.0} without"
    );
    assert!(longest <= 2.0, "{longest}");
    assert!(without > 100.0, "{without}");
    // Little of the judge's time is lost: it works all the while, but for the steps of this test.
    assert!(judged as f64 > 0.9 * (FLOOD_WINDOWS * WINDOW_US / JUDGING_US) as f64);
}
