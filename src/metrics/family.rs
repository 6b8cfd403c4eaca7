//! Metric families made at a scrape from numbers that others keep.

use prometheus::proto::{
    Bucket, Counter, Gauge, Histogram, LabelPair, Metric, MetricFamily, MetricType,
};
use quorate_raft::SpreadNumbers;

/// One line of a family: labels and a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Sample {
    /// A value without labels.
    pub(super) fn new(value: f64) -> Self {
        Self {
            labels: Vec::new(),
            value,
        }
    }

    /// 1 or 0.
    pub(super) fn flag(is_so: bool) -> Self {
        Self::new(f64::from(u8::from(is_so)))
    }

    /// The same with one more label. Labels are given in the order of their names.
    pub(super) fn with(mut self, label: &'static str, value: impl Into<String>) -> Self {
        self.labels.push((label, value.into()));
        self
    }
}

/// What can go down.
pub(super) fn gauge(
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = Sample>,
) -> MetricFamily {
    let metrics = samples.into_iter().map(|sample| {
        let mut gauge = Gauge::default();
        gauge.set_value(sample.value);
        let mut metric = labelled(&sample.labels);
        metric.set_gauge(gauge);
        metric
    });
    family(name, help, MetricType::GAUGE, metrics.collect())
}

/// What only rises while the process lives.
pub(super) fn counter(
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = Sample>,
) -> MetricFamily {
    let metrics = samples.into_iter().map(|sample| {
        let mut counter = Counter::default();
        counter.set_value(sample.value);
        let mut metric = labelled(&sample.labels);
        metric.set_counter(counter);
        metric
    });
    family(name, help, MetricType::COUNTER, metrics.collect())
}

/// Durations in buckets; each metric is made by [`spread`].
pub(super) fn histogram(
    name: &str,
    help: &str,
    metrics: impl IntoIterator<Item = Metric>,
) -> MetricFamily {
    family(
        name,
        help,
        MetricType::HISTOGRAM,
        metrics.into_iter().collect(),
    )
}

/// One metric of a histogram, in seconds.
pub(super) fn spread(labels: &[(&'static str, String)], numbers: &SpreadNumbers) -> Metric {
    let mut cumulative = 0;
    let buckets = numbers.buckets.iter().map(|(bound_us, count)| {
        cumulative += count;
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(seconds(*bound_us));
        bucket.set_cumulative_count(cumulative);
        bucket
    });
    let mut histogram = Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(numbers.count());
    histogram.set_sample_sum(seconds(numbers.sum_us));
    let mut metric = labelled(labels);
    metric.set_histogram(histogram);
    metric
}

/// Microseconds as seconds.
pub(super) fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

fn labelled(labels: &[(&'static str, String)]) -> Metric {
    let pairs = labels.iter().map(|(name, value)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value(value.clone());
        pair
    });
    Metric::from_label(pairs.collect())
}

fn family(name: &str, help: &str, kind: MetricType, metrics: Vec<Metric>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(metrics);
    family
}
