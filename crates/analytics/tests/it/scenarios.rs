//! Figures on the developer scenarios and under stress, at the worst of ten seeds, beside the nearest
//! neighbours and the sparse regression on the same rows.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

use crate::figures::{model, over_seeds};
use crate::stress::{ALL, Case, Stress, plain, stressed};

const SEEDS: u64 = 10;

/// What must hold at the worst of the seeds.
struct Bounds {
    area: f64,
    tpr: f64,
    fpr: f64,
    /// Windows of attack up to the first alert.
    delay: usize,
    /// How much less balanced accuracy than the better of the two others is borne.
    short: f64,
}

fn check(case: &Case, bounds: &Bounds) {
    let ours = over_seeds(case, SEEDS);
    for name in ["knn", "lasso"] {
        let other = model(case, name, 1);
        eprintln!(
            "{:34} {name:8} AUC {:.4} TPR {:.4} FPR {:.4} ({}) delay {} balanced {:.4}",
            case.name,
            other.area,
            other.tpr,
            other.fpr,
            other.false_alarms,
            other.delay,
            other.balanced(),
        );
        assert!(
            ours.balanced() >= other.balanced() - bounds.short,
            "{}: {name} is better: {} against {}",
            case.name,
            other.balanced(),
            ours.balanced()
        );
    }
    assert!(ours.area >= bounds.area, "{}: AUC {}", case.name, ours.area);
    assert!(ours.tpr >= bounds.tpr, "{}: TPR {}", case.name, ours.tpr);
    assert!(ours.fpr <= bounds.fpr, "{}: FPR {}", case.name, ours.fpr);
    assert!(ours.delay <= bounds.delay, "{}: delay {}", case.name, ours.delay);
}

/// Bounds of a capture with an attack as it is, by the figures the product promises.
const PROMISED: Bounds = Bounds { area: 0.995, tpr: 0.98, fpr: 0.005, delay: 2, short: 0.0 };

fn check_plain(name: &str, more: &[&str], bounds: &Bounds) {
    if let Some(case) = plain(name, more) {
        check(&case, bounds);
    }
}

#[test]
fn hakai() {
    check_plain("hakai", &[], &PROMISED);
}

#[test]
fn lockly() {
    check_plain("lockly-hub-01", &[], &PROMISED);
}

#[test]
fn schlage() {
    check_plain("schlage-lock-01", &[], &PROMISED);
}

/// Thirteen benign windows: a rate means little, one false alarm is 0.077.
#[test]
fn blink() {
    for name in ["blink-cam-01", "blink-cam-02"] {
        check_plain(name, &[], &Bounds { fpr: 0.08, ..PROMISED });
    }
}

/// A training of 30 s and test parts of three minutes.
#[test]
fn modbus() {
    check_plain("modbus-cnc", &[], &Bounds { fpr: 0.0, ..PROMISED });
    check_plain("modbus-moving-files", &["modbus-cnc"], &Bounds { fpr: 0.0, ..PROMISED });
    // A scan that the master's own polling surrounds from the first packet on; what it calls benign
    // runs during the attack, one window of it with a new service: one false alarm of 170.
    let bounds = Bounds { fpr: 0.006, ..PROMISED };
    check_plain("modbus-characterization", &["modbus-cnc"], &bounds);
}

/// At most one false alarm per device and day after alerts within half an hour are joined.
#[test]
fn false_alarms_a_day() {
    for name in ["lockly-hub-01", "schlage-lock-01"] {
        if let Some(case) = plain(name, &[]) {
            let figures = over_seeds(&case, SEEDS);
            assert!(figures.per_day <= 1.0, "{name}: {} a day", figures.per_day);
        }
    }
}

/// Bounds under stress of a device with a long training.
const fn stress_bounds(stress: Stress) -> Bounds {
    match stress {
        Stress::AsIs | Stress::KnownPeer => PROMISED,
        // Benign failures to the very same service while it is attacked share what is known of it.
        Stress::Noisy => Bounds { area: 0.99, tpr: 0.999, fpr: 0.019, delay: 3, short: 5e-5 },
        // What is slow is found when it has lasted: after some minutes.
        Stress::Leak => Bounds { area: 0.999, tpr: 0.997, fpr: 0.001, delay: 16, short: 0.0 },
        Stress::AnsweredLeak => {
            Bounds { area: 0.998, tpr: 0.996, fpr: 0.0015, delay: 20, short: 0.0 }
        }
        Stress::Weak => Bounds { area: 0.999, tpr: 0.999, fpr: 0.001, delay: 3, short: 2e-4 },
        Stress::WeakNoisy => Bounds { area: 0.97, tpr: 0.998, fpr: 0.05, delay: 3, short: 0.0 },
        Stress::Mimic => Bounds { area: 0.999, tpr: 0.999, fpr: 0.0005, delay: 8, short: 0.0 },
        Stress::SlowScan => Bounds { area: 0.999, tpr: 0.999, fpr: 0.001, delay: 1, short: 0.0 },
        Stress::DnsTunnel => Bounds { area: 0.999, tpr: 0.999, fpr: 0.001, delay: 1, short: 0.0 },
    }
}

fn under_stress(name: &str) {
    for stress in ALL.into_iter().skip(1) {
        if let Some(case) = stressed(name, stress) {
            check(&case, &stress_bounds(stress));
        }
    }
}

#[test]
fn lockly_under_stress() {
    under_stress("lockly-hub-01");
}

#[test]
fn schlage_under_stress() {
    under_stress("schlage-lock-01");
}

/// An hour of training: what takes hours to show is not judged, and the noisy weak attack is not
/// found (nor by the others).
#[test]
fn hakai_under_stress() {
    for stress in ALL.into_iter().skip(1) {
        let loose = Bounds { area: 0.97, tpr: 0.999, fpr: 0.02, delay: 6, short: 0.0 };
        let bounds = match stress {
            Stress::AnsweredLeak => Bounds { area: 0.91, tpr: 0.87, fpr: 0.0, ..loose },
            Stress::WeakNoisy => Bounds { tpr: 0.0, fpr: 0.0, delay: 10, ..loose },
            // One window in 1,285, the first: what more metrics leave to each of the budget.
            _ => loose,
        };
        if let Some(case) = stressed("hakai", stress) {
            check(&case, &bounds);
        }
    }
}

/// Fifty windows of training in three days, thirteen benign windows to test. Of the noisy ones most
/// lie in the attack on the same service.
#[test]
fn blink_under_stress() {
    for name in ["blink-cam-01", "blink-cam-02"] {
        for stress in ALL.into_iter().skip(1) {
            let bounds = match stress {
                Stress::Noisy => {
                    Bounds { area: 0.95, tpr: 0.999, fpr: 0.127, delay: 5, short: 0.0 }
                }
                Stress::WeakNoisy => {
                    Bounds { area: 0.8, tpr: 0.996, fpr: 0.32, delay: 6, short: 0.002 }
                }
                Stress::AnsweredLeak => {
                    Bounds { area: 0.94, tpr: 0.988, fpr: 0.16, delay: 10, short: 0.002 }
                }
                // Two false alarms of thirteen, as without the metrics of names.
                Stress::DnsTunnel => {
                    Bounds { area: 0.91, tpr: 0.999, fpr: 0.16, delay: 1, short: 0.0 }
                }
                Stress::Weak => {
                    Bounds { area: 0.999, tpr: 0.998, fpr: 0.0, delay: 4, short: 0.0005 }
                }
                _ => Bounds { area: 0.999, tpr: 0.998, fpr: 0.0, delay: 9, short: 0.0 },
            };
            if let Some(case) = stressed(name, stress) {
                check(&case, &bounds);
            }
        }
    }
}
