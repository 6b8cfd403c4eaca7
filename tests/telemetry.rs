//! What operators see: the metrics.

mod page;
mod promtool;
