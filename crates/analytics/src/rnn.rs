//! Steady state of a random neural network (Gelenbe, 1989).
//!
//! Each neuron is excited with probability `q_i = min(1, Λ⁺_i / (r_i + Λ⁻_i))`, where
//! `Λ⁺_i = λ⁺_i + Σ_j q_j w⁺_ji`, `Λ⁻_i = λ⁻_i + Σ_j q_j w⁻_ji` and `r_i = Σ_j (w⁺_ij + w⁻_ij)`.
//! The equations are not linear; a solution exists, and is found here by iteration.

/// Neurons of a network at most.
pub const MAX_NEURONS: usize = 65_536;
/// Links of a network at most.
pub const MAX_LINKS: usize = 4_194_304;
/// Steps of the iteration at most.
const MAX_STEPS: usize = 10_000;
/// Largest difference between both sides of an equation that counts as none.
pub const TOLERANCE: f64 = 1e-10;
/// Smallest share of a step that is taken.
const LEAST_SHARE: f64 = 1.0 / 64.0;

/// Kind of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sign {
    /// `w⁺`: a spike adds to the potential.
    Excites,
    /// `w⁻`: a spike takes from the potential.
    Inhibits,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    from: usize,
    to: usize,
    weight: f64,
}

/// Neurons with their external rates and the links between them.
#[derive(Clone, Debug, Default)]
pub struct RandomNetwork {
    excitation: Vec<f64>,
    inhibition: Vec<f64>,
    rate: Vec<f64>,
    excites: Vec<Link>,
    inhibits: Vec<Link>,
}

/// A solution of the equations.
#[derive(Clone, Debug, PartialEq)]
pub struct Steady {
    /// Probability that each neuron is excited.
    pub excited: Vec<f64>,
    /// Largest difference between both sides of an equation.
    pub residual: f64,
}

impl Steady {
    /// Whether the equations hold.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.residual <= TOLERANCE
    }
}

impl RandomNetwork {
    /// Adds a neuron with its external excitation `λ⁺` and inhibition `λ⁻` and returns its number.
    /// Rates that are negative or not finite count as 0; beyond [`MAX_NEURONS`] there is `None`.
    pub fn neuron(&mut self, excitation: f64, inhibition: f64) -> Option<usize> {
        let number = self.excitation.len();
        if number >= MAX_NEURONS {
            return None;
        }
        self.excitation.push(sound(excitation));
        self.inhibition.push(sound(inhibition));
        self.rate.push(0.0);
        Some(number)
    }

    /// Lets a neuron fire out of the network at a rate, besides its links.
    pub fn leave(&mut self, neuron: usize, rate: f64) {
        if let Some(sum) = self.rate.get_mut(neuron) {
            *sum += sound(rate);
        }
    }

    /// Lets every neuron fire out of the network what it lacks to a rate, so that all fire alike.
    pub fn level(&mut self, rate: f64) {
        self.rate.iter_mut().for_each(|sum| *sum = sum.max(sound(rate)));
    }

    /// Links two neurons; the weight adds to the firing rate of the first. Returns whether it was
    /// taken: neurons must exist, the weight must be finite and above 0, and [`MAX_LINKS`] hold.
    pub fn link(&mut self, from: usize, to: usize, sign: Sign, weight: f64) -> bool {
        let count = self.rate.len();
        let full = self.excites.len() + self.inhibits.len() >= MAX_LINKS;
        if full || from >= count || to >= count || sound(weight) == 0.0 {
            return false;
        }
        self.rate[from] += weight;
        match sign {
            Sign::Excites => self.excites.push(Link { from, to, weight }),
            Sign::Inhibits => self.inhibits.push(Link { from, to, weight }),
        }
        true
    }

    /// The right-hand sides of the equations.
    fn next(&self, excited: &[f64], up: &mut Vec<f64>, down: &mut Vec<f64>) {
        up.clone_from(&self.excitation);
        down.clone_from(&self.inhibition);
        for link in &self.excites {
            up[link.to] += excited[link.from] * link.weight;
        }
        for link in &self.inhibits {
            down[link.to] += excited[link.from] * link.weight;
        }
        for ((up, down), rate) in up.iter_mut().zip(down).zip(&self.rate) {
            let against = rate + *down;
            *up = if *up <= 0.0 { 0.0 } else { (*up / against).min(1.0) };
        }
    }

    /// Solves the equations by iteration; a step that leads away is shortened.
    #[must_use]
    pub fn steady_state(&self) -> Steady {
        let mut excited = vec![0.0; self.rate.len()];
        let (mut next, mut scratch) = (Vec::new(), Vec::new());
        let (mut residual, mut share) = (f64::INFINITY, 1.0_f64);
        for _ in 0..MAX_STEPS {
            self.next(&excited, &mut next, &mut scratch);
            let apart = excited.iter().zip(&next).map(|(q, f)| (q - f).abs()).fold(0.0, f64::max);
            if apart > 0.9 * residual {
                share = (share * 0.5).max(LEAST_SHARE);
            }
            residual = apart;
            if residual <= TOLERANCE {
                break;
            }
            for (q, f) in excited.iter_mut().zip(&next) {
                *q += share * (f - *q);
            }
        }
        Steady { excited, residual }
    }
}

fn sound(rate: f64) -> f64 {
    if rate.is_finite() { rate.max(0.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::draw::Draw;
    use proptest::prelude::*;

    fn close(actual: f64, expected: f64) {
        assert!((actual - expected).abs() < 1e-8, "{actual} is not {expected}");
    }

    #[test]
    fn single_neurons_meet_the_check_values() {
        let mut network = RandomNetwork::default();
        let plain = network.neuron(0.2, 0.3).unwrap();
        network.leave(plain, 0.5);
        let flooded = network.neuron(9.0, 0.3).unwrap();
        let quiet = network.neuron(0.0, 0.0).unwrap();
        let free = network.neuron(0.1, 0.0).unwrap();
        let steady = network.steady_state();
        close(steady.excited[plain], 0.25);
        assert_eq!(steady.excited[flooded], 1.0);
        assert_eq!(steady.excited[quiet], 0.0);
        assert_eq!(steady.excited[free], 1.0);
    }

    #[test]
    fn a_chain_meets_the_check_values() {
        let mut network = RandomNetwork::default();
        let first = network.neuron(0.5, 0.0).unwrap();
        let second = network.neuron(0.0, 1.0).unwrap();
        let third = network.neuron(0.25, 0.0).unwrap();
        assert!(network.link(first, second, Sign::Excites, 1.0));
        assert!(network.link(second, third, Sign::Inhibits, 1.0));
        network.leave(third, 0.5);
        let steady = network.steady_state();
        // 0.5 / 1; 0.5 / (1 + 1); 0.25 / (0.5 + 0.25).
        close(steady.excited[first], 0.5);
        close(steady.excited[second], 0.25);
        close(steady.excited[third], 1.0 / 3.0);
    }

    /// For two neurons that inhibit each other `q_a (w + w q_b) = λ_a`, so `q_a − q_b = (λ_a − λ_b) / w`
    /// and `w q_a² + (w − λ_a + λ_b) q_a − λ_a = 0`.
    #[test]
    fn rivals_meet_the_closed_form() {
        let (w, a, b) = (1.0, 0.7, 0.3_f64);
        let mut network = RandomNetwork::default();
        let (first, second) = (network.neuron(a, 0.0).unwrap(), network.neuron(b, 0.0).unwrap());
        network.link(first, second, Sign::Inhibits, w);
        network.link(second, first, Sign::Inhibits, w);
        let steady = network.steady_state();
        let half = w - a + b;
        let root = (-half + (half * half + 4.0 * w * a).sqrt()) / (2.0 * w);
        close(steady.excited[first], root);
        close(steady.excited[first] - steady.excited[second], (a - b) / w);
    }

    fn random(seed: u64, count: usize, links: usize) -> RandomNetwork {
        let mut draw = Draw::new(seed, "network");
        let mut network = RandomNetwork::default();
        for _ in 0..count {
            let neuron = network.neuron(2.0 * draw.unit(), draw.unit()).unwrap();
            if draw.unit() < 0.5 {
                network.leave(neuron, draw.unit());
            }
        }
        for _ in 0..links {
            let sign = if draw.unit() < 0.5 { Sign::Excites } else { Sign::Inhibits };
            network.link(draw.below(count), draw.below(count), sign, 3.0 * draw.unit());
        }
        network
    }

    proptest! {
        #[test]
        fn the_equations_hold_and_probabilities_are_bounded(seed in any::<u64>(), count in 1_usize..40, links in 0_usize..300) {
            let network = random(seed, count, links);
            let steady = network.steady_state();
            prop_assert!(steady.holds(), "{}", steady.residual);
            let (mut next, mut scratch) = (Vec::new(), Vec::new());
            network.next(&steady.excited, &mut next, &mut scratch);
            for (q, f) in steady.excited.iter().zip(next) {
                prop_assert!((0.0..=1.0).contains(q));
                prop_assert!((q - f).abs() <= TOLERANCE);
            }
        }
    }

    #[test]
    fn what_does_not_exist_is_not_linked() {
        let mut network = RandomNetwork::default();
        let only = network.neuron(f64::NAN, -1.0).unwrap();
        assert!(!network.link(only, 1, Sign::Excites, 1.0));
        assert!(!network.link(only, only, Sign::Excites, f64::INFINITY));
        assert!(!network.link(only, only, Sign::Inhibits, -1.0));
        assert_eq!(network.steady_state().excited, vec![0.0]);
        assert!(RandomNetwork::default().steady_state().holds());
    }
}
