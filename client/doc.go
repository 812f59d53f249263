// Package client is the Go client of Rescind's native API: purging, reverting,
// receipts, tokens, status, explanations and the log of one node. It only moves api types; what they mean is
// said there.
package client
