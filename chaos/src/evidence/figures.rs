//! Durations as n, p50, p90, p99 and max.

use std::fmt;
use std::time::Duration;

/// Collected durations.
#[derive(Debug, Default)]
pub(super) struct Figures(Vec<Duration>);

impl Figures {
    pub(super) fn add(&mut self, took: Duration) {
        self.0.push(took);
    }

    /// How many there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }

    /// The smallest duration that `percent` of all do not exceed; zero of none.
    pub(super) fn percentile(&self, percent: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied().unwrap_or_default()
    }
}

impl Figures {
    /// How far apart two distributions are: the largest difference of their shares up to any duration, 0 to 1.
    ///
    /// Source: the two-sample Kolmogorov-Smirnov statistic.
    pub(super) fn distance(&self, other: &Self) -> f64 {
        let share = |figures: &Self, upto: &Duration| {
            let within = figures.0.iter().filter(|took| *took <= upto).count();
            within as f64 / figures.0.len().max(1) as f64
        };
        let places = self.0.iter().chain(&other.0);
        let apart = places.map(|upto| (share(self, upto) - share(other, upto)).abs());
        apart.fold(0.0, f64::max)
    }

    /// What the distance of two samples of one distribution exceeds once in a thousand times.
    pub(super) fn distance_bar(&self, other: &Self) -> f64 {
        let (one, two) = (self.0.len().max(1) as f64, other.0.len().max(1) as f64);
        1.949 * ((one + two) / (one * two)).sqrt()
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n {}", self.0.len())?;
        for (name, percent) in [("p50", 50), ("p90", 90), ("p99", 99), ("max", 100)] {
            write!(f, ", {name} {} ms", self.percentile(percent).as_millis())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_distributions_are_near_and_shifted_ones_are_not() {
        let from = |first: u64| Figures((first..first + 200).map(Duration::from_millis).collect());
        let (one, same, shifted) = (from(100), from(102), from(150));
        assert!(one.distance(&same) < one.distance_bar(&same));
        assert!(one.distance(&shifted) > one.distance_bar(&shifted));
        assert!((one.distance(&from(500)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut figures = Figures::default();
        assert_eq!(figures.percentile(50), Duration::ZERO);
        (1..=200).for_each(|ms| figures.add(Duration::from_millis(ms)));
        assert_eq!(figures.percentile(50), Duration::from_millis(100));
        assert_eq!(figures.percentile(99), Duration::from_millis(198));
        assert_eq!(
            figures.to_string(),
            "n 200, p50 100 ms, p90 180 ms, p99 198 ms, max 200 ms"
        );
    }
}
