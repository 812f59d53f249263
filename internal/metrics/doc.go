// Package metrics counts what a node does, and shows it in the text format of
// Prometheus. Requests, purges and refusals are told to it as they happen; what
// other packages count already is read from them when somebody asks.
//
// It decides nothing and knows of no other package than the events. It has no
// global registry: each Metrics is whole in itself. What it shows is listed in
// docs/metrics.md, whose tables are made from the definitions here.
package metrics
