//! What operators see: the metrics, the alerts and the dashboards.

mod alerts;
mod page;
mod promtool;
